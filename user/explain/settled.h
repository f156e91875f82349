/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures that need no weighing of patterns: what one event proves in the
 * kernel, and what the other end on this host tells. Formats no text and
 * scans no history beyond single look-ups, so that a storm can afford it.
 */
#ifndef RSTSCOPE_SETTLED_H
#define RSTSCOPE_SETTLED_H

#include "user/explain/history.h"
#include "user/explain/timeouts.h"
#include "user/explain/verdict.h"
#include "user/observe/facts.h"

#define SETTLED_TEXTS 4

struct settled {
	enum cause cause;
	double confidence;
	unsigned int texts;
	const char *text[SETTLED_TEXTS]; /* see tell() */
	enum cause instead;		 /* next best; CAUSE_UNKNOWN: none */
	int64_t timer_ms;		 /* a timer that fired; NOT_KNOWN */
};

/* False: patterns have to decide, and *out is untouched. */
bool settle(const struct facts *f, const struct history *h,
	    const struct timeouts *t, struct settled *out);

/* For other_end.c: adds a text, as far as there is room. */
void settled_say(struct settled *s, const char *text);

/* Where facts.other or facts.closer is known. */
bool settle_other_end(const struct facts *f, struct settled *out);
/* For kind sent: a wider cause than the mechanism in *s, if this host knows. */
void settle_wider(const struct facts *f, const struct history *h,
		  const struct timeouts *t, struct settled *s);
/* An idle time of ms is a timer's: in the table, or a whole second. */
bool settled_timer(const struct facts *f, const struct timeouts *t, int64_t ms);

#endif
