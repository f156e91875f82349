/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a record through the daemon, on one thread: joined with the other
 * records of its failure, attributed to a process, explained, folded where many
 * are alike, handed on as an event. The daemon feeds it from the ring, replay
 * from a file; it has no clock of its own.
 */
#ifndef RSTSCOPE_PIPELINE_H
#define RSTSCOPE_PIPELINE_H

#include "user/attribute/join.h"
#include "user/attribute/process.h"
#include "user/daemon/fold.h"
#include "user/daemon/stacks.h"
#include "user/explain/engine.h"
#include "user/observe/record.h"
#include "user/store/event.h"

struct pipeline;

/*
 * `counted`: this many failures are new with this call (0: an event that was
 * handed over before is amended, or the count of a folded one grew).
 */
typedef void (*pipeline_event_fn)(const struct event *ev, int64_t counted,
				  void *ctx);

struct pipeline_config {
	const char *host;
	const struct record_context *context; /* must outlive the pipeline */
	const char *proc_root; /* "/proc"; replay has none: "/nonexistent" */
	/* With the user's timeouts; NULL: one without. See pipeline_new(). */
	struct engine *engine;
	int64_t first_id;
	bool separate_netns;
	pipeline_event_fn on_event;
	/* Failures that were folded: counted, their event follows later. */
	pipeline_event_fn on_folded;
	struct stacks *stacks; /* NULL: records of stacks are passed over */
	void *ctx;
};

struct pipeline_stats {
	uint64_t records, bad_records; /* torn or foreign ones */
	uint64_t voided;	       /* false received events, taken back */
	uint64_t amended; /* events that changed after they were handed over */
	struct join_stats join;
	struct fold_stats fold;
	struct processes_stats processes;
};

/* Takes config->engine, also on failure. NULL: out of memory. */
struct pipeline *pipeline_new(const struct pipeline_config *config);
void pipeline_free(struct pipeline *p);
/* One record as it came from the ring. */
void pipeline_feed(struct pipeline *p, const void *record, size_t size);
/* Settles what is due at now_ns (CLOCK_MONOTONIC; UINT64_MAX: everything). */
void pipeline_advance(struct pipeline *p, uint64_t now_ns);
/* When to call pipeline_advance next; 0: nothing waits. */
uint64_t pipeline_due_ns(const struct pipeline *p);
/* Hands over the events whose counts grew by folding. */
void pipeline_flush(struct pipeline *p);
void pipeline_get_stats(const struct pipeline *p, struct pipeline_stats *stats);

#endif
