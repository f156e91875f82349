/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What metrics.c counts and metrics_render.c shows; nobody else's business.
 */
#ifndef RSTSCOPE_METRICS_STATE_H
#define RSTSCOPE_METRICS_STATE_H

#include "user/serve/metrics.h"
#include "user/serve/name_slots.h"

enum direction { DIRECTION_RECEIVED, DIRECTION_SENT, DIRECTIONS };
enum unattributed {
	UNATTRIBUTED_PROCESS,
	UNATTRIBUTED_SYSCALL,
	UNATTRIBUTED_CAUSE,
	UNATTRIBUTEDS,
};

/* The calls, and one more: no call was told, or none made the RST. */
#define CALL_NONE CALL_CLASSES
#define CALLS	  (CALL_CLASSES + 1)

#define BUCKETS_MAX 20

struct bounds {
	size_t n;
	double seconds[BUCKETS_MAX - 1];
};
extern const struct bounds idle_bounds, age_bounds, notice_bounds;

struct counter {
	uint64_t n;
	struct exemplar example;
};

struct histogram {
	uint64_t counts[BUCKETS_MAX];
	struct exemplar examples[BUCKETS_MAX];
	double sum;
};

/* Plain data: a scrape copies it whole. */
struct tallies {
	struct counter resets[DIRECTIONS][CAUSES][BLAMES];
	struct counter failures[KINDS][CAUSES];
	struct counter retry[RETRIES];
	uint64_t unattributed[UNATTRIBUTEDS];
	uint64_t pending, changed; /* verdicts: not final, and final too soon */
	struct histogram idle[DIRECTIONS], age[DIRECTIONS];
	struct histogram notice[CALL_CLASSES];
	struct metrics_sample sample;
};

struct process_row {
	char name[NAME_BYTES + 1];
	uint64_t n[KINDS][CALLS];
};

/* A moment of the metrics, for one scrape; the last row is `other`. */
struct snapshot {
	struct tallies t;
	size_t rows;
	struct process_row *row;
};

struct metrics_build {
	char version[32], revision[48], kernel[72];
};

void render_snapshot(struct exposition *x, const struct snapshot *s,
		     const struct metrics_build *build);

#endif
