/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last failures, by id, with what the counters need of each: until its
 * verdict is final a failure waits here, so that it is counted under the cause
 * that the store has, with the call that was told. A counter that went back
 * would look like a restart to Prometheus.
 *
 * See final.h for when that is. In a storm a failure is pushed out, and
 * counted, by the PENDING_ROWS-th after it. A verdict that changes nevertheless
 * is told from the others while its row is there.
 */
#ifndef RSTSCOPE_METRICS_PENDING_H
#define RSTSCOPE_METRICS_PENDING_H

#include "user/base/base.h"
#include "user/store/event.h"

#define PENDING_ROWS 8192

struct pending_row {
	int64_t id, time_us; /* id 0: empty */
	uint64_t n, due_ns;
	bool counted, noticed; /* noticed: the delay of its call is observed */
	enum failure_kind kind;
	enum cause cause;
	enum blame blame;
	enum retry retry;
	int call; /* CALL_NONE: none was told */
	bool process_known;
	char comm[REC_COMM + 1];
};

/* All zero: empty. */
struct pending {
	int64_t oldest, newest; /* ids between which rows may wait */
	struct pending_row row[PENDING_ROWS];
};

/* The event's row, or NULL: it was pushed out, or never there. */
struct pending_row *pending_find(struct pending *p, int64_t id);
/* The row for a new id: whatever is in it has to be counted first. */
struct pending_row *pending_add(struct pending *p, int64_t id);
/* The oldest one that is not counted and is due; NULL: none. */
struct pending_row *pending_next_due(struct pending *p, uint64_t now_ns);

/* Copies what the event says of the failure now. */
void pending_describe(struct pending_row *row, const struct event *ev);

#endif
