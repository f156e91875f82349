/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on their way out of the daemon: a bounded queue and the thread that
 * hands them to someone who may be slow, hang or be away. The ingest thread
 * never waits; what finds no room, or is given up, is counted.
 */
#ifndef RSTSCOPE_OUTBOX_H
#define RSTSCOPE_OUTBOX_H

#include "user/store/event.h"

struct outbox;

struct outbox_stats {
	uint64_t seen, lost;
	int64_t lag_us; /* age of the oldest that is not handed over yet */
};

struct outbox_config {
	const char *name;			  /* of the thread */
	size_t events;				  /* how many may wait */
	void (*run)(struct outbox *o, void *ctx); /* until outbox_stopping() */
	void *ctx;
};

/* 0 or -errno. */
int outbox_start(struct outbox **out, const struct outbox_config *config);
/* Copies the event; never blocks. What finds no room is counted as lost. */
void outbox_put(struct outbox *o, const struct event *ev);
void outbox_get_stats(struct outbox *o, struct outbox_stats *stats);
/*
 * Ends the thread. False: it has not ended after limit_ms; it and its memory
 * are left alone, the caller must leave its `ctx` as well.
 */
bool outbox_stop(struct outbox *o, int limit_ms);

/* --- for the thread ------------------------------------------------------- */
/* The next event; waits for one at most that long, while stopping not at all.
 */
bool outbox_take(struct outbox *o, struct event *ev, int64_t wait_ms);
/* What was taken so far is settled; so many of them were given up. */
void outbox_settle(struct outbox *o, uint64_t lost);
bool outbox_stopping(struct outbox *o);
/* Returns early where it is to stop. */
void outbox_sleep(struct outbox *o, int64_t ms);

#endif
