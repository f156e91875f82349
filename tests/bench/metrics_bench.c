/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counting one failure costs the ingest thread, alone and while somebody
 * scrapes without a pause, and how long a scrape of a full table takes.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/metrics.h"

#define COUNTS	1000000
#define NAMES	10000
#define SCRAPES 200

static struct event ev[NAMES];

static void fill(void)
{
	int i;

	for (i = 0; i < NAMES; i++) {
		ev[i].id = i + 1;
		ev[i].kind = i % KINDS;
		ev[i].process.known = true;
		snprintf(ev[i].process.comm, sizeof(ev[i].process.comm),
			 "worker-%d", i);
		ev[i].syscall.known = true;
		ev[i].syscall.class = i % CALL_CLASSES;
		ev[i].syscall.delay_us = i;
		ev[i].idle_ms = i;
		ev[i].age_ms = 2 * i;
		ev[i].verdict.cause = i % CAUSES;
		ev[i].verdict.blame = i % BLAMES;
	}
}

static double count_ns(struct metrics *m, int names)
{
	uint64_t start = clock_mono_ns();
	int i;

	for (i = 0; i < COUNTS; i++)
		metrics_count(m, &ev[i % names], 1);
	return (double)(clock_mono_ns() - start) / COUNTS;
}

static atomic_bool stop;

static void *scrape(void *ctx)
{
	char *text;
	size_t size;

	while (!stop)
		if (!metrics_render(ctx, METRICS_OPENMETRICS, &text, &size))
			free(text);
	return NULL;
}

static void scrape_cost(struct metrics *m)
{
	uint64_t start = clock_mono_ns();
	size_t size = 0;
	char *text;
	int i;

	for (i = 0; i < SCRAPES; i++)
		if (!metrics_render(m, METRICS_OPENMETRICS, &text, &size))
			free(text);
	printf("a scrape of %zu bytes: %.2f ms\n", size,
	       (clock_mono_ns() - start) / 1e6 / SCRAPES);
}

int main(void)
{
	struct metrics_config config = {METRICS_PROCESSES_DEFAULT, "", "", ""};
	struct metrics *m = metrics_new(&config);
	pthread_t thread;

	if (!m)
		return 1;
	fill();
	printf("count, 20 names: %.0f ns\n", count_ns(m, 20));
	printf("count, %d names: %.0f ns\n", NAMES, count_ns(m, NAMES));
	scrape_cost(m);
	if (pthread_create(&thread, NULL, scrape, m))
		return 1;
	printf("count, 20 names, while scraped: %.0f ns\n", count_ns(m, 20));
	stop = true;
	pthread_join(thread, NULL);
	metrics_free(m);
	return 0;
}
