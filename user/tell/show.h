/* SPDX-License-Identifier: Apache-2.0 */
/* How times are shown. */
#ifndef RSTSCOPE_SHOW_H
#define RSTSCOPE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct show {
	bool utc;
	bool terminal; /* a person reads: local times, short where of today */
	int64_t now_us;
};

/* Broken down, local or UTC. */
void show_split_time(int64_t us, bool utc, struct tm *tm);
/* "06:40:12" on a terminal (with the day where it is not today's), else UTC. */
void show_time(const struct show *show, int64_t us, char *out, size_t size);

#endif
