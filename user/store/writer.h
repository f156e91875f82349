/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store thread: takes events from the ingest thread through a bounded
 * queue and writes them in batches, one transaction each (at most every 200 ms
 * or 2,000 events), prunes by age and size, and keeps the daemon's notes.
 * A failing store (disk full) is logged once, retried every second, and what
 * could not be kept is counted, never silently dropped: lost_queue, events came
 * faster than they could be written; lost_store, the store did not take them.
 * Once a second what was written is synced to the disk.
 */
#ifndef RSTSCOPE_WRITER_H
#define RSTSCOPE_WRITER_H

#include "user/store/store.h"

struct writer;

struct writer_config {
	int64_t retain_age_s; /* 0: for ever */
	int64_t retain_bytes; /* 0: no bound */
	size_t queue_events;  /* capacity; 0: the default of 16,384; an */
			      /* event waits packed: 1 KB rather than 7 */
};

struct writer_stats {
	uint64_t queued, written, lost_queue, lost_store;
	int64_t bytes, events; /* of the store, refreshed now and then */
	int last_error;	       /* 0, or the errno of the last failed write */
};

/* Takes the store over, also on failure. -errno. */
int writer_start(struct writer **out, struct store *s,
		 const struct writer_config *config);
/* Copies the event; never blocks. -ENOBUFS: the queue is full (counted). */
int writer_put(struct writer *w, const struct event *ev);
/* The stack of an event that was put before; takes the text, malloc'd. */
int writer_put_stack(struct writer *w, int64_t id, char *text);
/* Copies key and text; written with the next batch. */
int writer_note(struct writer *w, const char *key, const char *text);
/* The same for an interval of connections. */
int writer_connections(struct writer *w, const struct store_connections *c);
void writer_get_stats(struct writer *w, struct writer_stats *stats);
/* Writes what is queued, closes the store, ends the thread. */
void writer_stop(struct writer *w);

#endif
