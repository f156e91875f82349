/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function per family of metrics.md, in its order. Every combination of
 * enum labels is written from the start, at 0: an alert on a rate needs the
 * first increase as much as the later ones.
 */
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/metrics_host.h"
#include "user/serve/metrics_state.h"
#include "user/serve/self.h"

static const char *const direction_names[DIRECTIONS] = {
	[DIRECTION_RECEIVED] = "received",
	[DIRECTION_SENT] = "sent",
};

static const char *const unattributed_names[UNATTRIBUTEDS] = {
	[UNATTRIBUTED_PROCESS] = "process",
	[UNATTRIBUTED_SYSCALL] = "syscall",
	[UNATTRIBUTED_CAUSE] = "cause",
};

static const char *call_name(int call)
{
	return call == CALL_NONE ? "none" : call_class_name(call);
}

static void resets(struct exposition *x, const struct tallies *t)
{
	int d, c, b;

	exposition_family(x, "rstscope_resets", METRIC_COUNTER,
			  "TCP resets that this host received or sent, by "
			  "cause and by who is to blame.");
	for (d = 0; d < DIRECTIONS; d++)
		for (c = 0; c < CAUSES; c++)
			for (b = 0; b < BLAMES; b++) {
				struct label labels[] = {
					{"direction", direction_names[d]},
					{"cause", cause_name(c)},
					{"blame", blame_name(b)},
					{NULL, NULL},
				};
				const struct counter *n = &t->resets[d][c][b];

				exposition_count(x, labels, n->n, &n->example);
			}
}

static void failures(struct exposition *x, const struct tallies *t)
{
	int k, c;

	exposition_family(x, "rstscope_failures", METRIC_COUNTER,
			  "Connections that failed without a reset of an "
			  "established connection, by kind and cause.");
	for (k = 0; k < KINDS; k++)
		for (c = 0; c < CAUSES; c++) {
			struct label labels[] = {
				{"kind", kind_name(k)},
				{"cause", cause_name(c)},
				{NULL, NULL},
			};
			const struct counter *n = &t->failures[k][c];

			if (k == KIND_RECEIVED || k == KIND_SENT)
				continue;
			exposition_count(x, labels, n->n, &n->example);
		}
}

/* Only what happened: names are no enum, and most combinations never occur. */
static void processes(struct exposition *x, const struct snapshot *s)
{
	size_t i;
	int k, c;

	exposition_family(x, "rstscope_process_failures", METRIC_COUNTER,
			  "Failures by process name (the most frequent names, "
			  "then other), kind and system call.");
	for (i = 0; i < s->rows; i++)
		for (k = 0; k < KINDS; k++)
			for (c = 0; c < CALLS; c++) {
				struct label labels[] = {
					{"process", s->row[i].name},
					{"kind", kind_name(k)},
					{"syscall", call_name(c)},
					{NULL, NULL},
				};

				if (s->row[i].n[k][c])
					exposition_count(x, labels,
							 s->row[i].n[k][c],
							 NULL);
			}
}

static void kernel_reset(struct exposition *x, enum direction d,
			 const char *reason, uint64_t n)
{
	struct label labels[] = {
		{"direction", direction_names[d]},
		{"reason", reason},
		{NULL, NULL},
	};

	exposition_count(x, labels, n, NULL);
}

static void kernel_resets(struct exposition *x, const struct tallies *t)
{
	const struct metrics_sample *s = &t->sample;
	const uint64_t *sent = &s->counts.tally[TALLY_SENT_FIRST];
	int i;

	exposition_family(x, "rstscope_kernel_resets", METRIC_COUNTER,
			  "Resets counted in the kernel, exact even where "
			  "details were dropped; reason as the kernel names "
			  "it, none where there is none.");
	kernel_reset(x, DIRECTION_RECEIVED, "none",
		     s->counts.tally[TALLY_RECEIVED]);
	/* by a rule of this host: no reason of the kernel's */
	if (s->counts.rejected_known)
		kernel_reset(x, DIRECTION_SENT, "netfilter_reject",
			     s->counts.tally[TALLY_REJECTED]);
	/* Before 6.10 there is no reason: all are counted under number 0. */
	kernel_reset(x, DIRECTION_SENT,
		     s->reasons[0][0] ? s->reasons[0] : "none", sent[0]);
	for (i = 1; i < METRICS_REASONS; i++) {
		char number[24];

		snprintf(number, sizeof(number), "number_%d", i);
		if (s->reasons[i][0])
			kernel_reset(x, DIRECTION_SENT, s->reasons[i], sent[i]);
		else if (sent[i])
			kernel_reset(x, DIRECTION_SENT, number, sent[i]);
	}
}

/* A family with one label of fixed values. */
static void by_one(struct exposition *x, const char *name, const char *value,
		   uint64_t n, const struct exemplar *example)
{
	struct label labels[] = {{name, value}, {NULL, NULL}};

	exposition_count(x, labels, n, example);
}

static void ignored(struct exposition *x, const struct metrics_sample *s)
{
	const uint64_t *tally = s->counts.tally;

	if (!s->counts.ignored_known)
		return;
	exposition_family(x, "rstscope_resets_ignored", METRIC_COUNTER,
			  "RSTs that came and ended nothing, by why the kernel "
			  "dropped them (kfree_skb): out of the window, "
			  "answered with a challenge ACK or met a listener, or "
			  "of no socket.");
	by_one(x, "why", "out_of_window", tally[TALLY_IGNORED_SEQUENCE], NULL);
	by_one(x, "why", "challenged", tally[TALLY_IGNORED_CHALLENGED], NULL);
	by_one(x, "why", "no_socket", tally[TALLY_IGNORED_NO_SOCKET], NULL);
}

static void connections(struct exposition *x, const struct tallies *t)
{
	const uint64_t *tally = t->sample.counts.tally;

	exposition_family(x, "rstscope_connections", METRIC_COUNTER,
			  "TCP connections established.");
	by_one(x, "role", "client", tally[TALLY_ESTABLISHED_CLIENT], NULL);
	by_one(x, "role", "server", tally[TALLY_ESTABLISHED_SERVER], NULL);
	exposition_family(x, "rstscope_connections_untracked", METRIC_COUNTER,
			  "Connections that the kernel-side table could not "
			  "hold: their failures have fewer facts.");
	exposition_count(x, NULL, tally[TALLY_CONN_FULL], NULL);
}

static void retries(struct exposition *x, const struct tallies *t)
{
	static const enum retry shown[] = {RETRY_IF_IDEMPOTENT, RETRY_UNSAFE};
	size_t i;

	exposition_family(x, "rstscope_retry_unsafe", METRIC_COUNTER,
			  "Failures after which a blind retry may do the work "
			  "twice.");
	for (i = 0; i < ARRAY_SIZE(shown); i++)
		by_one(x, "retry", retry_name(shown[i]), t->retry[shown[i]].n,
		       &t->retry[shown[i]].example);
}

static void histogram(struct exposition *x, const char *name, const char *value,
		      const struct histogram *h, const struct bounds *b)
{
	struct label labels[] = {{name, value}, {NULL, NULL}};
	struct exposition_buckets buckets = {
		.bounds = b->seconds,
		.n = b->n,
		.counts = h->counts,
		.examples = h->examples,
		.sum = h->sum,
	};

	exposition_histogram(x, labels, &buckets);
}

static void histograms(struct exposition *x, const struct tallies *t)
{
	int i;

	exposition_family(x, "rstscope_reset_idle_seconds", METRIC_HISTOGRAM,
			  "How long a connection had carried no data before "
			  "the exchange that met the reset.");
	for (i = 0; i < DIRECTIONS; i++)
		histogram(x, "direction", direction_names[i], &t->idle[i],
			  &idle_bounds);
	exposition_family(x, "rstscope_reset_age_seconds", METRIC_HISTOGRAM,
			  "How old a connection was when it was reset.");
	for (i = 0; i < DIRECTIONS; i++)
		histogram(x, "direction", direction_names[i], &t->age[i],
			  &age_bounds);
	exposition_family(x, "rstscope_notice_seconds", METRIC_HISTOGRAM,
			  "From the failure to the return of the system call "
			  "that was told of it.");
	for (i = 0; i < CALL_CLASSES; i++)
		histogram(x, "syscall", call_class_name(i), &t->notice[i],
			  &notice_bounds);
}

static void unattributed(struct exposition *x, const struct tallies *t)
{
	int i;

	exposition_family(x, "rstscope_unattributed", METRIC_COUNTER,
			  "Failures whose process, system call or cause is not "
			  "known, also where there can be none.");
	for (i = 0; i < UNATTRIBUTEDS; i++)
		by_one(x, "what", unattributed_names[i], t->unattributed[i],
		       NULL);
}

static void verdicts(struct exposition *x, const struct tallies *t)
{
	exposition_family(x, "rstscope_failures_pending", METRIC_GAUGE,
			  "Failures seen whose verdict may still change: the "
			  "counters get them within half a minute.");
	exposition_value(x, NULL, t->pending);
	exposition_family(x, "rstscope_verdicts_changed", METRIC_COUNTER,
			  "Failures that the store has under another cause "
			  "than the one they were counted under.");
	exposition_count(x, NULL, t->changed, NULL);
}

struct stage {
	const char *name;
	uint64_t seen, lost;
};

static uint64_t stages(const struct metrics_sample *s, struct stage out[4])
{
	const struct writer_stats *w = &s->store;
	uint64_t folded = s->folded;
	int i;

	out[0] = (struct stage){"ring", 0, 0};
	for (i = 0; i < REC_KINDS; i++) {
		out[0].seen += s->counts.kind[i].seen;
		out[0].lost += s->counts.kind[i].dropped;
		folded += s->counts.kind[i].folded;
	}
	out[1] = (struct stage){"queue", w->queued + w->lost_queue,
				w->lost_queue};
	out[2] = (struct stage){"store", w->written + w->lost_store,
				w->lost_store};
	out[3] = (struct stage){"export", s->exported.seen, s->exported.lost};
	return folded;
}

static void losses(struct exposition *x, const struct tallies *t)
{
	struct stage stage[4];
	uint64_t folded = stages(&t->sample, stage);
	size_t i;

	exposition_family(x, "rstscope_events_seen", METRIC_COUNTER,
			  "Records (ring) and events (other stages) that came "
			  "to each stage.");
	for (i = 0; i < ARRAY_SIZE(stage); i++)
		by_one(x, "stage", stage[i].name, stage[i].seen, NULL);
	exposition_family(x, "rstscope_events_lost", METRIC_COUNTER,
			  "Records and events whose details were lost at each "
			  "stage.");
	for (i = 0; i < ARRAY_SIZE(stage); i++)
		by_one(x, "stage", stage[i].name, stage[i].lost, NULL);
	exposition_family(x, "rstscope_events_folded", METRIC_COUNTER,
			  "Failures counted into an alike one, by intent.");
	exposition_count(x, NULL, folded, NULL);
}

static void probe(struct exposition *x, const struct probe_status *p,
		  double value)
{
	struct label labels[] = {{"probe", p->hook}, {NULL, NULL}};

	exposition_value(x, labels, value);
}

static void probes(struct exposition *x, const struct metrics_sample *s)
{
	uint64_t runs = 0;
	size_t i;

	exposition_family(x, "rstscope_probe_up", METRIC_GAUGE,
			  "1 where the probe is attached, and how.");
	for (i = 0; i < s->n_probes; i++) {
		struct label labels[] = {
			{"probe", s->probes[i].hook},
			{"method", s->probes[i].method},
			{NULL, NULL},
		};

		exposition_value(x, labels, s->probes[i].up);
		runs += s->probes[i].runs;
	}
	exposition_family(x, "rstscope_probe_missed_runs", METRIC_COUNTER,
			  "Runs of each probe that the kernel skipped: the "
			  "program was running on that CPU.");
	for (i = 0; i < s->n_probes; i++)
		if (s->probes[i].missed_known)
			probe(x, &s->probes[i], s->probes[i].missed);
	/* No run at all: kernel.bpf_stats_enabled is off, nothing is known. */
	if (!runs)
		return;
	exposition_family(x, "rstscope_probe_run_seconds", METRIC_COUNTER,
			  "Time spent in each probe.");
	for (i = 0; i < s->n_probes; i++)
		probe(x, &s->probes[i], s->probes[i].run_ns / 1e9);
	exposition_family(x, "rstscope_probe_runs", METRIC_COUNTER,
			  "Runs of each probe.");
	for (i = 0; i < s->n_probes; i++)
		probe(x, &s->probes[i], s->probes[i].runs);
}

static void gauge(struct exposition *x, const char *name, const char *help,
		  double value)
{
	exposition_family(x, name, METRIC_GAUGE, help);
	exposition_value(x, NULL, value);
}

static void process_cache(struct exposition *x, const struct processes_stats *p)
{
	gauge(x, "rstscope_processes_cached",
	      "Processes whose facts are kept, also after their exit.",
	      p->cached);
	exposition_family(x, "rstscope_process_lookups", METRIC_COUNTER,
			  "Processes looked up in /proc.");
	exposition_count(x, NULL, p->looked_up, NULL);
	exposition_family(x, "rstscope_process_lookups_missed", METRIC_COUNTER,
			  "Of these, gone before they could be read.");
	exposition_count(x, NULL, p->missed, NULL);
	exposition_family(x, "rstscope_processes_evicted", METRIC_COUNTER,
			  "Processes forgotten to keep the cache bounded.");
	exposition_count(x, NULL, p->evicted, NULL);
}

static void gauges(struct exposition *x, const struct metrics_sample *s)
{
	if (s->kernel_known) {
		gauge(x, "rstscope_sockets_seeded",
		      "Sockets older than the daemon that got an owner.",
		      s->counts.tally[TALLY_SEEDED]);
		probes(x, s);
	}
	if (s->store_known) {
		gauge(x, "rstscope_store_bytes", "Size of the store.",
		      s->store.bytes);
		gauge(x, "rstscope_store_events", "Events in the store.",
		      s->store.events);
	}
	if (s->exports)
		gauge(x, "rstscope_export_lag_seconds",
		      "Age of the oldest event that --otlp or --journal has "
		      "not handed over.",
		      s->exported.lag_us / 1e6);
	if (s->processes_known)
		process_cache(x, &s->processes);
}

static void build_info(struct exposition *x, const struct metrics_build *build)
{
	struct label labels[] = {
		{"version", build->version},
		{"revision", build->revision},
		{"kernel", build->kernel},
		{NULL, NULL},
	};

	exposition_family(x, "rstscope_build_info", METRIC_GAUGE,
			  "What runs here; always 1.");
	exposition_value(x, labels, 1);
}

void render_snapshot(struct exposition *x, const struct snapshot *s,
		     const struct metrics_build *build)
{
	resets(x, &s->t);
	failures(x, &s->t);
	processes(x, s);
	kernel_resets(x, &s->t);
	ignored(x, &s->t.sample);
	connections(x, &s->t);
	retries(x, &s->t);
	histograms(x, &s->t);
	unattributed(x, &s->t);
	verdicts(x, &s->t);
	losses(x, &s->t);
	gauges(x, &s->t.sample);
	build_info(x, build);
	metrics_host_render(x, "/proc/net");
	self_render(x);
}
