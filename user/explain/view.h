/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One failure as the rules look at it: the facts, what the history says, and
 * what follows from both, worked out once.
 */
#ifndef RSTSCOPE_VIEW_H
#define RSTSCOPE_VIEW_H

#include "user/explain/history.h"
#include "user/explain/protocol.h"
#include "user/explain/timeouts.h"
#include "user/observe/facts.h"

/* A pause of that length may be a timer's doing; a shorter one is traffic. */
#define PAUSE_MS 900
/* A segment of a usual size: what is smaller was all there was to send. */
#define SEGMENT 1448

struct view {
	const struct facts *f;
	struct past past;
	struct protocol protocol;
	const char *tls;    /* as facts_tls() */
	int64_t rtt_ms;	    /* at least 1 */
	int64_t quick_ms;   /* an answer within it came at once */
	int64_t reply_ms;   /* since our last request; NOT_KNOWN */
	int64_t idle_ms;    /* when the end was decided; NOT_KNOWN */
	int64_t pause_ms;   /* before our last use; NOT_KNOWN */
	int64_t worked_ms;  /* the longest pause that was survived; NOT_KNOWN */
	int64_t fin_lag_ms; /* from our request to the peer's FIN */
	bool fin;	    /* the peer's FIN had come */
	bool fin_first;	    /* before our request left */
	bool fin_lag_known;
	bool client, server;
	bool solicited;	 /* something of ours was under way */
	bool probed;	 /* a keepalive probe was, and no data */
	int64_t ahead;	 /* bytes of ours that the peer did not have */
	int64_t left_ms; /* from the peer's FIN to our write after it */
	int64_t age_ms;	 /* when the end was decided; NOT_KNOWN */
	bool at_once;	 /* the end came within quick_ms of our request */
	bool paused;	 /* idle for a pause before its end was decided */
	bool used;	 /* there had been an exchange before */
	bool due;	 /* our last write has no answer */
	bool waited;	 /* due, and for a pause */
	bool empty, nothing_in, nothing_out;
	bool brief;	 /* of an age near 0 */
	bool whole_idle; /* the idle time is a whole number of seconds */
	bool whole_age;
	bool closing;	  /* our end had closed first */
	bool kept;	  /* a protocol of requests that keeps connections */
	bool chatty;	  /* one that does not: either side may speak */
	bool one_small;	  /* all we sent is one segment that is not full */
	bool timer_burst; /* ended with others as one timer would end them */
	bool death_burst; /* ended with others as no idle timer would */
	bool alien;	  /* the RST is not that of a stack with this socket */
	struct timeout_match idle_match;
	const char *component; /* in texts, for {component} */
	double timer_s;	       /* in texts, for {timer} */
};

/* history NULL: none (golden cases without one). */
void view_init(struct view *v, const struct facts *f,
	       const struct history *history, const struct timeouts *timeouts);

/* Near a whole second, as configured timers are. */
bool whole_seconds(int64_t ms);

/*
 * Fills a text's placeholders, {idle} {age} {peer} ..., from the view. An
 * unknown fact is written as "an unknown ...".
 */
void tell(const struct view *v, const char *text, char *out, size_t size);

#endif
