/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cause engine. Pure: the facts of a failure and the history of its
 * destination go in, a verdict comes out; no I/O and no clock of its own (time
 * is facts.time_us). The engine holds what it has learned (history) and the
 * timeouts table; both are bounded.
 */
#ifndef RSTSCOPE_ENGINE_H
#define RSTSCOPE_ENGINE_H

#include <stddef.h>

#include "user/explain/verdict.h"
#include "user/observe/facts.h"

struct engine;

/* A new engine with the built-in timeouts table; NULL: out of memory. */
struct engine *engine_new(void);
void engine_free(struct engine *e);

/*
 * Adds the rows of a user's timeouts file (form: timeouts.tsv). 0, or -errno;
 * for a malformed row -EINVAL with "FILE:LINE: what" in err.
 */
int engine_add_timeouts(struct engine *e, const char *path, char *err,
			size_t err_size);

/*
 * The verdict for one failure as things stand. Does not change the engine:
 * call engine_learn() once per failure, before or after, to let it count.
 */
void engine_explain(const struct engine *e, const struct facts *f,
		    struct verdict *v);

/*
 * The cause alone where a single event is certain of it (at most a look-up,
 * no text), or -1 where engine_explain() has to weigh: for folding in a storm.
 */
int engine_cause_fast(const struct engine *e, const struct facts *f);

/*
 * What engine_explain() would name, without a word: where only the cause and
 * its confidence are wanted (folding), at about a third of the cost.
 */
enum cause engine_cause(const struct engine *e, const struct facts *f,
			double *confidence);

/*
 * Changes whenever the history that bears on f has grown: while it does, an
 * earlier verdict for f may be explained anew (a burst, refusals). 0: no
 * history yet.
 */
uint64_t engine_stamp(const struct engine *e, const struct facts *f);

/*
 * What has come since engine_stamp() was `stamp`, in words, for a verdict that
 * changed: "3 more failures at that destination within 4.2 s, 1 refused"; ""
 * where nothing is known to have come.
 */
void engine_news(const struct engine *e, const struct facts *f, uint64_t stamp,
		 char *text, size_t size);

/* Counts the failure in the history of its destination and service. */
void engine_learn(struct engine *e, const struct facts *f,
		  const struct verdict *v);

/* A process ended; its deaths explain failures around that moment. */
void engine_learn_exit(struct engine *e, const struct fact_task *task,
		       int64_t time_us);

struct engine_stats {
	size_t places;	  /* destinations and services with a history */
	size_t peers;	  /* addresses that knocked at our ports */
	uint64_t evicted; /* entries that had to make room */
	size_t timeouts;  /* rows of the timeouts table */
};

void engine_get_stats(const struct engine *e, struct engine_stats *stats);

#endif
