/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The failures of the last moments, and those whose call has not been told yet:
 * where the records of one failure meet. A failure waits here for SETTLE_MS, so
 * that the call that was told, the record that voids it and the other end on
 * this host can arrive; then it is settled, and may stay for what comes hours
 * later (an idle pooled socket is read again). Bounded: the oldest that stays
 * is dropped and counted.
 */
#ifndef RSTSCOPE_JOIN_H
#define RSTSCOPE_JOIN_H

#include <stddef.h>

#include "user/observe/facts.h"

#define SETTLE_MS     50
#define JOIN_CAPACITY 16384

/* For what comes hours later, or as one of the last BRIEF_CAPACITY. */
enum stay { STAY_NOT, STAY_LONG, STAY_BRIEFLY };
#define BRIEF_CAPACITY 64

/* What the table touches stands together, at the head: a storm is bound by
 * memory, and the facts are large. */
struct failure {
	uint64_t flow_key;	   /* of its tuple, as seen from its own end */
	struct failure *flow_next; /* alike tuples */
	struct failure *id_next;   /* alike ids */
	struct failure *newer, *older; /* in order of arrival */
	int64_t event; /* id of its event; NOT_KNOWN until settled */
	bool settled, folded, voided;
	bool hit;      /* its RST hit a socket of this host */
	bool stacked;  /* its stack was handed over */
	bool stands;   /* its event counts folded ones, too */
	char *changed; /* what changed its first verdict, on the heap, or NULL
			*/
	struct facts facts;
	uint64_t settled_ns; /* CLOCK_MONOTONIC */
	uint64_t stamp;	     /* of the history its verdict was made with */
	int cause;	     /* of that verdict */
	double confidence;
	/* Of the verdict that was given first. */
	uint64_t first_stamp;
	int first_cause;
	double first_confidence;
};

struct join;

struct join_stats {
	uint64_t open, evicted, unmatched; /* told for a failure not here */
};

struct join *join_new(size_t capacity, bool separate_netns);
void join_free(struct join *j);

/* A new failure with facts all unknown; NULL: out of memory. */
struct failure *join_new_failure(struct join *j);
/* Enters it under facts.failure and its tuple. */
void join_add(struct join *j, struct failure *f);
struct failure *join_find(struct join *j, uint64_t failure);
/* A record named a failure that is not here. */
void join_count_unmatched(struct join *j);
/*
 * The failure at the other end of the same connection, on this host and within
 * the same second, or NULL.
 */
struct failure *join_other_end(struct join *j, const struct failure *f);

/*
 * The RST that ended, within the last minute, the connection whose tuple `f`
 * has at the same end; NULL: none.
 */
struct failure *join_reset_before(struct join *j, const struct facts *f);

/*
 * The oldest failure that is not settled and has waited long enough by now_ns;
 * NULL: none. join_settled() must follow before the next call.
 */
struct failure *join_next_due(struct join *j, uint64_t now_ns);
/* Keeps it for what comes later, or frees it. */
void join_settled(struct join *j, struct failure *f, enum stay stay);
/*
 * The failures that stay so, the youngest first; go on with ->older. What was
 * settled long ago comes last.
 */
struct failure *join_youngest(struct join *j, enum stay stay);
/* When the next one is due, CLOCK_MONOTONIC; 0: nothing waits. */
uint64_t join_next_due_ns(const struct join *j);
void join_get_stats(const struct join *j, struct join_stats *stats);

#endif
