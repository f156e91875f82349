/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading /proc/PID. The directory of a process is opened once and its files
 * through it: should the pid be reused in between, they fail with ESRCH
 * instead of telling of another process.
 */
#ifndef RSTSCOPE_PROCFS_H
#define RSTSCOPE_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/event.h"

struct procfs_stat {
	char comm[REC_COMM + 1];
	char state;
	uint64_t start_ticks; /* since boot, in 1 / sysconf(_SC_CLK_TCK) s */
};

/* Nanoseconds in a tick of start_ticks. */
uint64_t procfs_tick_ns(void);
/* The directory of a process: a descriptor, or -errno. */
int procfs_open(const char *proc_root, int64_t pid);
/* The text of a file, cut at size-1 bytes: its length, or -errno. */
ssize_t procfs_read(int dir, const char *file, char *out, size_t size);
/* The target of a link, whole: its length, or -errno. */
ssize_t procfs_link(int dir, const char *file, char *out, size_t size);
int procfs_stat(int dir, struct procfs_stat *out);
/* The real user id, or -errno. */
int64_t procfs_uid(int dir);

#endif
