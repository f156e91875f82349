/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the two text forms that Prometheus reads: its own (0.0.4) and
 * OpenMetrics (1.0.0). They differ in how a counter's family is named, in
 * exemplars, and in the closing line; callers need not care.
 *
 * A family is begun once, its samples follow at once. Label values may be any
 * bytes: they leave escaped and as valid UTF-8.
 */
#ifndef RSTSCOPE_EXPOSITION_H
#define RSTSCOPE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* One event that stands for a sample; id 0: there is none. */
struct exemplar {
	int64_t id;
	int64_t time_us; /* UNIX time */
	double value;
};

/* A name and a value of one label; an array ends with name NULL. */
struct label {
	const char *name, *value;
};

struct exposition;

/* NULL: out of memory. */
struct exposition *exposition_new(enum metrics_format format);
void exposition_free(struct exposition *x);

/* `name` without "_total", which a counter gets by itself. */
void exposition_family(struct exposition *x, const char *name,
		       enum metric_type type, const char *help);
void exposition_count(struct exposition *x, const struct label *labels,
		      uint64_t value, const struct exemplar *example);
void exposition_value(struct exposition *x, const struct label *labels,
		      double value);

struct exposition_buckets {
	const double *bounds; /* ascending, without +Inf */
	size_t n;
	const uint64_t *counts; /* n + 1, not cumulated; the last is +Inf */
	const struct exemplar *examples; /* n + 1 */
	double sum;
};
void exposition_histogram(struct exposition *x, const struct label *labels,
			  const struct exposition_buckets *b);

/* The finished text, malloc'd; frees x, also on failure. -ENOMEM. */
int exposition_finish(struct exposition *x, char **out, size_t *size);

#endif
