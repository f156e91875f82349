/* SPDX-License-Identifier: Apache-2.0 */
/* A table of metrics, an event for it, and what a scrape says. */
#ifndef RSTSCOPE_METRICS_CASE_H
#define RSTSCOPE_METRICS_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/base.h"
#include "user/serve/metrics.h"

static inline struct metrics *new_metrics(size_t processes)
{
	struct metrics_config config = {processes, "1.2", "abc", "6.18"};
	struct metrics *m = metrics_new(&config);

	assert_non_null(m);
	return m;
}

static inline char *render(struct metrics *m, enum metrics_format format)
{
	char *text = NULL;
	size_t size = 0;

	assert_int_equal(metrics_render(m, format, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	return text;
}

/* The value of the one sample that starts with `series` and a space; -1. */
static inline double sample_in(const char *text, const char *series)
{
	size_t n = strlen(series);
	const char *line;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, series, n) && line[n] == ' ')
			return strtod(line + n, NULL);
	}
	return -1;
}

/* As it is once all verdicts are final. */
static inline double sample(struct metrics *m, const char *series)
{
	double value;
	char *text;

	metrics_advance(m, UINT64_MAX);
	text = render(m, METRICS_TEXT);
	value = sample_in(text, series);

	free(text);
	return value;
}

static inline size_t count_lines(const char *text, const char *prefix)
{
	size_t n = 0;

	for (; text && *text; text = strchr(text, '\n'), text += !!text)
		n += !strncmp(text, prefix, strlen(prefix));
	return n;
}

static inline struct event reset_event(const char *comm)
{
	struct event ev;

	memset(&ev, 0, sizeof(ev));
	ev.id = 42;
	ev.time_us = 1764000000123456;
	ev.kind = KIND_RECEIVED;
	ev.count = 1;
	ev.process.known = comm != NULL;
	if (comm)
		snprintf(ev.process.comm, sizeof(ev.process.comm), "%s", comm);
	ev.syscall.known = true;
	ev.syscall.class = CALL_READ;
	ev.syscall.delay_us = 2000;
	ev.idle_ms = 5002;
	ev.age_ms = 7000;
	ev.verdict.cause = CAUSE_STALE_KEEPALIVE;
	ev.verdict.blame = BLAME_PEER;
	ev.verdict.retry = RETRY_UNSAFE;
	return ev;
}

#define STALE                                                                  \
	"rstscope_resets_total{direction=\"received\","                        \
	"cause=\"stale_keepalive\",blame=\"peer\"}"

#endif
