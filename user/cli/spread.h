/* SPDX-License-Identifier: Apache-2.0 */
/* Where in time the failures are that were folded into one event. */
#ifndef RSTSCOPE_SPREAD_H
#define RSTSCOPE_SPREAD_H

#include "user/store/event.h"

static inline int64_t spread_last_us(const struct event *ev)
{
	return ev->last_time_us > ev->time_us ? ev->last_time_us : ev->time_us;
}

/* The part of them, spread evenly over first..last, that is in from < t <= to.
 */
static inline double spread_part(int64_t first, int64_t last, int64_t from,
				 int64_t to)
{
	int64_t a = first > from ? first : from, b = last < to ? last : to;

	if (first == last)
		return first > from && first <= to;
	return b > a ? (double)(b - a) / (double)(last - first) : 0;
}

#endif
