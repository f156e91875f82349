/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon says of itself: the metrics' sample, the note that `doctor`
 * reads, and whether it is well.
 */
#ifndef RSTSCOPE_REPORT_H
#define RSTSCOPE_REPORT_H

#include "user/daemon/pipeline.h"
#include "user/observe/observe.h"
#include "user/serve/metrics.h"
#include "user/store/writer.h"

struct report;
struct stacks_stats;

struct report_config {
	const char *host, *listen; /* must outlive the report */
	const struct observer *observer;
	const struct pipeline *pipeline;
	int64_t metric_processes;
};

/* NULL: out of memory. */
struct report *report_new(const struct report_config *config);
void report_free(struct report *r);
/* The registry; the report owns it. */
struct metrics *report_metrics(struct report *r);
/* The first note, before the store has its thread: `doctor` finds it at once.
 */
void report_first(struct report *r, struct store *store);
/* What leaves the daemon, told before report_update(). */
void report_stacks(struct report *r, const struct stacks_stats *stats);
void report_exported(struct report *r, const struct outbox_stats *stats);
/* Refreshes all of it; `ended` for the daemon's last words. */
void report_update(struct report *r, struct writer *writer, bool ended);
/* For struct endpoints: called from other threads. */
bool report_healthy(void *report, char *why, size_t why_size);

#endif
