/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks on their way from the ring to the store. Their functions are named at
 * once, as the process may end any moment, and long before it is known which
 * event they belong to. Naming reads what other users have written, so a
 * process of its own does it: should it crash, hang or grow, it is replaced,
 * and the stacks it had in hand are kept as bare addresses. Never blocks; of
 * one thread.
 */
#ifndef RSTSCOPE_STACKS_H
#define RSTSCOPE_STACKS_H

#include "user/attribute/stack.h"

struct stacks;

struct stacks_stats {
	bool on;
	uint64_t taken; /* stacks that came */
	uint64_t named; /* with the name of at least one function */
	uint64_t bare;	/* kept as addresses */
	uint64_t lost;	/* too many at once */
	uint64_t restarts;
};

/* A stack is complete, and its event has been handed over before. */
typedef void (*stacks_fn)(int64_t event, const struct stack *st, void *ctx);

/* To be called while the process has one thread. NULL: errno tells. */
struct stacks *stacks_new(const char *proc_root, stacks_fn fn, void *ctx);
void stacks_free(struct stacks *s);
/* Readable when names came; -1: poll() leaves it out. */
int stacks_fd(const struct stacks *s);
void stacks_take(struct stacks *s, const struct rec_stack *rec);
/* The event of that failure; 0: it has none of its own. */
void stacks_settle(struct stacks *s, uint64_t failure, int64_t event);
/* Takes the names that came; call it a few times a second also without. */
void stacks_advance(struct stacks *s);
/* Waits for the last names, a second at most. */
void stacks_finish(struct stacks *s);
void stacks_get_stats(const struct stacks *s, struct stacks_stats *stats);

#endif
