/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One writer at a time: a flock on "PATH.lock", which ends with its process
 * however that dies. The file stays; it holds the pid for people.
 */
#ifndef RSTSCOPE_STORE_LOCK_H
#define RSTSCOPE_STORE_LOCK_H

#include <stddef.h>

/* 0 with *fd, to be closed to unlock; -EBUSY, or -errno of the file. */
int lock_take(const char *path, int *fd, char *err, size_t err_size);

#endif
