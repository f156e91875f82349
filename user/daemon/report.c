// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/report.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/daemon/interval.h"
#include "user/daemon/stacks.h"
#include "user/daemon/status.h"
#include "version.h"

#define STALE_US (10 * USEC_PER_SEC)

struct report {
	struct report_config config;
	struct metrics *metrics;
	int64_t started_us;
	struct interval connections;
	struct metrics_sample sample; /* scratch: they are large */
	struct stacks_stats stacks;
	struct blind_spot spots[BLIND_SPOTS_MAX];
	_Atomic int64_t updated_us;
	_Atomic int store_error;
};

static void start_intervals(struct report *r)
{
	const uint64_t *tally = r->sample.counts.tally;

	observer_get_counts(r->config.observer, &r->sample.counts);
	interval_start(&r->connections, r->started_us,
		       tally[TALLY_ESTABLISHED_CLIENT],
		       tally[TALLY_ESTABLISHED_SERVER]);
}

struct report *report_new(const struct report_config *config)
{
	struct report *r = calloc(1, sizeof(*r));
	struct metrics_config metrics = {
		.processes = (size_t)config->metric_processes,
		.version = RSTSCOPE_VERSION,
		.revision = RSTSCOPE_REVISION,
		.kernel = observer_context(config->observer)->kernel,
	};

	if (!r)
		return NULL;
	r->config = *config;
	r->started_us = clock_unix_us();
	start_intervals(r);
	r->metrics = metrics_new(&metrics);
	if (r->metrics)
		return r;
	free(r);
	return NULL;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	metrics_free(r->metrics);
	free(r);
}

struct metrics *report_metrics(struct report *r)
{
	return r->metrics;
}

static void fill_sample(struct report *r, struct writer *writer)
{
	struct metrics_sample *s = &r->sample;
	struct pipeline_stats stats;

	pipeline_get_stats(r->config.pipeline, &stats);
	s->kernel_known = s->processes_known = true;
	s->store_known = writer != NULL;
	observer_get_counts(r->config.observer, &s->counts);
	memcpy(s->reasons, observer_context(r->config.observer)->reasons,
	       sizeof(s->reasons));
	s->n_probes = observer_get_probes(r->config.observer, s->probes);
	if (writer)
		writer_get_stats(writer, &s->store);
	s->processes = stats.processes;
	s->folded = stats.fold.folded;
}

/* The note's text, malloc'd; NULL: out of memory. */
static char *note_text(struct report *r, bool ended)
{
	struct status status = {
		.pid = getpid(),
		.version = RSTSCOPE_VERSION,
		.revision = RSTSCOPE_REVISION,
		.kernel = observer_context(r->config.observer)->kernel,
		.host = r->config.host,
		.listen = r->config.listen,
		.started_us = r->started_us,
		.updated_us = clock_unix_us(),
		.ended = ended,
		.probes = r->sample.probes,
		.n_probes = r->sample.n_probes,
		.blind_spots = r->spots,
		.counts = r->sample.counts,
		.sockets_seeded = (int64_t)r->sample.counts.tally[TALLY_SEEDED],
		.store = r->sample.store,
		.processes = r->sample.processes,
		.stacks = r->stacks,
	};

	status.n_blind_spots =
		observer_get_blind_spots(r->config.observer, r->spots);
	return status_json(&status);
}

void report_first(struct report *r, struct store *store)
{
	char *text;

	fill_sample(r, NULL);
	text = note_text(r, false);
	if (text)
		store_set_note(store, STATUS_NOTE, text);
	free(text);
}

void report_exported(struct report *r, const struct outbox_stats *stats)
{
	r->sample.exports = true;
	r->sample.exported = *stats;
}

void report_stacks(struct report *r, const struct stacks_stats *stats)
{
	r->stacks = *stats;
}

void report_update(struct report *r, struct writer *writer, bool ended)
{
	const uint64_t *tally = r->sample.counts.tally;
	char *text;

	fill_sample(r, writer);
	interval_update(&r->connections, clock_unix_us(),
			tally[TALLY_ESTABLISHED_CLIENT],
			tally[TALLY_ESTABLISHED_SERVER]);
	writer_connections(writer, &r->connections.now);
	metrics_update(r->metrics, &r->sample);
	text = note_text(r, ended);
	if (text)
		writer_note(writer, STATUS_NOTE, text);
	free(text);
	r->store_error = r->sample.store.last_error;
	r->updated_us = clock_unix_us();
}

bool report_healthy(void *report, char *why, size_t why_size)
{
	struct report *r = report;
	int64_t age_us = clock_unix_us() - r->updated_us;
	int error = r->store_error;

	if (!r->updated_us) {
		snprintf(why, why_size, "starting");
		return false;
	}
	if (age_us > STALE_US) {
		snprintf(why, why_size, "the ingest thread hangs: %lld s",
			 (long long)(age_us / USEC_PER_SEC));
		return false;
	}
	if (error) {
		snprintf(why, why_size, "the store cannot be written: %s",
			 strerror(error));
		return false;
	}
	return true;
}
