/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters and gauges of metrics.md. The ingest thread counts, the daemon
 * hands over a sample of its gauges and of the kernel's counters now and then,
 * the HTTP threads render; all may happen at once. Counting takes a lock that
 * a scrape holds only while it copies.
 */
#ifndef RSTSCOPE_METRICS_H
#define RSTSCOPE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "user/attribute/process.h"
#include "user/observe/observe.h"
#include "user/serve/exposition.h"
#include "user/serve/outbox.h"
#include "user/store/event.h"
#include "user/store/writer.h"

#define METRICS_PROCESSES_DEFAULT 50
#define METRICS_PROCESSES_MAX	  1000
#define METRICS_REASONS		  (TALLY_SENT_LAST - TALLY_SENT_FIRST + 1)

struct metrics_config {
	size_t processes; /* names with series of their own; 0: only `other` */
	const char *version, *revision, *kernel; /* copied */
};

/*
 * What the daemon knows at one moment. A group that is not known is left out
 * of the answer, but for counters, which then stand at 0: nothing counted yet.
 */
struct metrics_sample {
	bool kernel_known;
	struct observe_counts counts;
	/* Names of enum sk_rst_reason, as in struct record_context. */
	char reasons[METRICS_REASONS][40];
	struct probe_status probes[PROBES_MAX];
	size_t n_probes;

	bool store_known;
	struct writer_stats store;
	bool processes_known;
	struct processes_stats processes;
	uint64_t folded; /* by the daemon, beside the kernel's own */
	bool exports;	 /* to anyone; what of it: */
	struct outbox_stats exported;
};

struct metrics;

/* NULL: out of memory. */
struct metrics *metrics_new(const struct metrics_config *config);
void metrics_free(struct metrics *m);

/*
 * An event as the pipeline hands it over: `n` failures are new, or 0: an event
 * of before is amended. Each failure is counted once, when its verdict is final
 * (see final.h): what is counted is never taken back.
 */
void metrics_count(struct metrics *m, const struct event *ev, int64_t n);
/* `n` failures that were folded into the event that `ev` is like. */
void metrics_count_folded(struct metrics *m, const struct event *ev, int64_t n);
/*
 * Counts those whose verdict is final by now_ns (CLOCK_MONOTONIC; UINT64_MAX:
 * all). Call it often: it is the clock of what comes after.
 */
void metrics_advance(struct metrics *m, uint64_t now_ns);

/* Copies the sample; the next scrape shows it. */
void metrics_update(struct metrics *m, const struct metrics_sample *sample);

/* The whole page, malloc'd. 0 or -ENOMEM. */
int metrics_render(struct metrics *m, enum metrics_format format, char **out,
		   size_t *size);

#endif
