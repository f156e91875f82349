/* SPDX-License-Identifier: Apache-2.0 */
/* The raw records of --record, as they come from the ring. */
#ifndef RSTSCOPE_RECORDING_H
#define RSTSCOPE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "user/observe/context.h"

/* Zeroed: nothing is recorded. */
struct recording {
	const char *path;
	FILE *file;
	bool failed; /* watching went on; the exit status tells */
};

/* 0, or -errno. */
int recording_open(struct recording *r, const char *path,
		   const struct record_context *ctx);
void recording_write(struct recording *r, const void *data, size_t size);
void recording_flush(struct recording *r);
void recording_close(struct recording *r);

#endif
