/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one connection up to its failure, in time order. */
#ifndef RSTSCOPE_TIMELINE_H
#define RSTSCOPE_TIMELINE_H

#include "user/store/event.h"

#define TIMELINE_MOST 12

struct moment {
	double ms;	/* after the failure; negative: before it */
	bool timed;	/* false: only its place in the order is known */
	bool failure;	/* the failure itself */
	char text[320]; /* fit to print */
};

struct timeline {
	unsigned int n;
	struct moment moment[TIMELINE_MOST];
};

/* `other`: the event of the other end, NULL where there is none. */
void timeline_build(struct timeline *t, const struct event *ev,
		    const struct event *other);
/* "-5.02 s", "0", "" where not known. */
void moment_time(const struct moment *m, char *out, size_t size);

#endif
