/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/final.h"
#include "user/serve/metrics_pending.h"
#include "user/serve/metrics_state.h"

struct metrics {
	pthread_mutex_t lock;
	struct tallies t;
	struct name_slots *names;
	size_t slots;
	uint64_t (*process)[KINDS][CALLS]; /* slots + 1; the last is `other` */
	struct metrics_build build;
	uint64_t now_ns;
	struct pending pending;
};

/*
 * The timers that real programs have: a bucket begins where a timer ends a
 * connection, which happens at or shortly after the round number.
 */
const struct bounds idle_bounds = {
	18,
	{0.1, 1, 2, 5, 6, 10, 20, 30, 60, 65, 75, 120, 240, 350, 400, 600, 900,
	 3600},
};
const struct bounds age_bounds = {
	13,
	{0.001, 0.01, 0.1, 1, 5, 10, 60, 300, 600, 1800, 3600, 14400, 86400},
};
const struct bounds notice_bounds = {
	11,
	{0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 300, 3600, 14400, 86400},
};

struct metrics *metrics_new(const struct metrics_config *config)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->now_ns = clock_mono_ns(); /* until the first metrics_advance() */
	m->slots = config->processes;
	m->names = name_slots_new(m->slots);
	m->process = calloc(m->slots + 1, sizeof(*m->process));
	if (!m->names || !m->process) {
		metrics_free(m);
		return NULL;
	}
	snprintf(m->build.version, sizeof(m->build.version), "%s",
		 config->version);
	snprintf(m->build.revision, sizeof(m->build.revision), "%s",
		 config->revision);
	snprintf(m->build.kernel, sizeof(m->build.kernel), "%s",
		 config->kernel);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	name_slots_free(m->names);
	free(m->process);
	free(m);
}

static void add(struct counter *c, const struct pending_row *row, uint64_t n)
{
	c->n += n;
	c->example = (struct exemplar){row->id, row->time_us, 1};
}

/* A value that was not observed (negative) is not in the distribution. */
static void observe(struct histogram *h, const struct bounds *b, double seconds,
		    const struct event *ev, uint64_t n)
{
	size_t i = 0;

	if (seconds < 0)
		return;
	while (i < b->n && seconds > b->seconds[i])
		i++;
	h->counts[i] += n;
	h->sum += seconds * n;
	h->examples[i] = (struct exemplar){ev->id, ev->time_us, seconds};
}

/* Counts of a slot's former owner go to `other`: no failure is forgotten. */
static void give_to_other(struct metrics *m, size_t slot)
{
	uint64_t *from = &m->process[slot][0][0];
	uint64_t *to = &m->process[m->slots][0][0];
	size_t i;

	for (i = 0; i < KINDS * CALLS; i++)
		to[i] += from[i];
	memset(from, 0, sizeof(m->process[slot]));
}

static void count_process(struct metrics *m, const struct pending_row *row,
			  uint64_t n)
{
	bool moved;
	size_t slot;

	slot = name_slots_count(m->names, row->comm, n, &moved);
	if (moved)
		give_to_other(m, slot);
	m->process[slot][row->kind][row->call] += n;
}

static bool is_reset(enum failure_kind kind)
{
	return kind == KIND_RECEIVED || kind == KIND_SENT;
}

static enum direction direction_of(enum failure_kind kind)
{
	return kind == KIND_RECEIVED ? DIRECTION_RECEIVED : DIRECTION_SENT;
}

/* What is counted once, by the final verdict. */
static void count(struct metrics *m, const struct pending_row *row, uint64_t n)
{
	struct tallies *t = &m->t;

	if (is_reset(row->kind))
		add(&t->resets[direction_of(row->kind)][row->cause][row->blame],
		    row, n);
	else
		add(&t->failures[row->kind][row->cause], row, n);
	add(&t->retry[row->retry], row, n);
	if (row->process_known)
		count_process(m, row, n);
	else
		t->unattributed[UNATTRIBUTED_PROCESS] += n;
	if (row->call == CALL_NONE)
		t->unattributed[UNATTRIBUTED_SYSCALL] += n;
	if (row->cause == CAUSE_UNKNOWN)
		t->unattributed[UNATTRIBUTED_CAUSE] += n;
}

static void settle(struct metrics *m, struct pending_row *row)
{
	if (!row->id || row->counted)
		return;
	count(m, row, row->n);
	row->counted = true;
	m->t.pending -= row->n;
}

/* What no verdict changes is observed at once. */
static void observe_times(struct tallies *t, const struct event *ev, uint64_t n)
{
	enum direction d = direction_of(ev->kind);

	if (!is_reset(ev->kind))
		return;
	observe(&t->idle[d], &idle_bounds, ev->idle_ms / 1e3, ev, n);
	observe(&t->age[d], &age_bounds, ev->age_ms / 1e3, ev, n);
}

static void observe_notice(struct tallies *t, const struct event *ev,
			   uint64_t n)
{
	if (ev->syscall.known)
		observe(&t->notice[ev->syscall.class], &notice_bounds,
			ev->syscall.delay_us / 1e6, ev, n);
}

/* The call may be told hours after the failure; once is enough. */
static void notice(struct tallies *t, struct pending_row *row,
		   const struct event *ev)
{
	if (!row->noticed)
		observe_notice(t, ev, row->n);
	row->noticed = row->noticed || ev->syscall.known;
}

static void begin(struct metrics *m, const struct event *ev, uint64_t n)
{
	struct pending_row *row = pending_add(&m->pending, ev->id);

	settle(m, row); /* of another failure */
	*row = (struct pending_row){
		.id = ev->id,
		.time_us = ev->time_us,
		.n = n,
		.due_ns = m->now_ns + FINAL_NS,
	};
	m->t.pending += n;
	observe_times(&m->t, ev, n);
}

static void amend(struct metrics *m, struct pending_row *row,
		  const struct event *ev)
{
	if (row->counted && row->cause != ev->verdict.cause)
		m->t.changed += row->n;
	pending_describe(row, ev);
	notice(&m->t, row, ev);
	if (final_at_once(ev))
		settle(m, row);
}

static bool in_range(const struct event *ev)
{
	return ev->id > 0 && (unsigned int)ev->kind < KINDS &&
	       (unsigned int)ev->verdict.cause < CAUSES &&
	       (unsigned int)ev->verdict.blame < BLAMES &&
	       (unsigned int)ev->verdict.retry < RETRIES &&
	       (!ev->syscall.known ||
		(unsigned int)ev->syscall.class < CALL_CLASSES);
}

void metrics_count(struct metrics *m, const struct event *ev, int64_t n)
{
	struct pending_row *row;

	if (n < 0 || !in_range(ev))
		return;
	pthread_mutex_lock(&m->lock);
	if (n)
		begin(m, ev, (uint64_t)n);
	row = pending_find(&m->pending, ev->id);
	if (row)
		amend(m, row, ev);
	pthread_mutex_unlock(&m->lock);
}

void metrics_count_folded(struct metrics *m, const struct event *ev, int64_t n)
{
	struct pending_row *row, alike = {.id = ev->id, .time_us = ev->time_us};

	if (n <= 0 || !in_range(ev))
		return;
	pthread_mutex_lock(&m->lock);
	observe_times(&m->t, ev, n);
	observe_notice(&m->t, ev, n);
	row = pending_find(&m->pending, ev->id);
	if (row)
		row->n += n;
	if (row && !row->counted) {
		m->t.pending += n;
	} else {
		pending_describe(&alike, ev);
		count(m, &alike, n);
	}
	pthread_mutex_unlock(&m->lock);
}

void metrics_advance(struct metrics *m, uint64_t now_ns)
{
	struct pending_row *row;

	pthread_mutex_lock(&m->lock);
	m->now_ns = now_ns;
	while ((row = pending_next_due(&m->pending, now_ns)))
		settle(m, row);
	pthread_mutex_unlock(&m->lock);
}

void metrics_update(struct metrics *m, const struct metrics_sample *sample)
{
	pthread_mutex_lock(&m->lock);
	m->t.sample = *sample;
	pthread_mutex_unlock(&m->lock);
}

/* Holds the lock for a copy of some 150 KB, not for the formatting. */
static void take(struct metrics *m, struct snapshot *s)
{
	size_t i, used;

	pthread_mutex_lock(&m->lock);
	s->t = m->t;
	used = name_slots_used(m->names);
	for (i = 0; i < used; i++) {
		snprintf(s->row[i].name, sizeof(s->row[i].name), "%s",
			 name_slots_get(m->names, i));
		memcpy(s->row[i].n, m->process[i], sizeof(s->row[i].n));
	}
	memcpy(s->row[used].n, m->process[m->slots], sizeof(s->row[used].n));
	pthread_mutex_unlock(&m->lock);
	strcpy(s->row[used].name, "other");
	s->rows = used + 1;
}

int metrics_render(struct metrics *m, enum metrics_format format, char **out,
		   size_t *size)
{
	struct exposition *x = exposition_new(format);
	struct snapshot *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (s)
		s->row = calloc(m->slots + 1, sizeof(*s->row));
	if (x && s && s->row) {
		take(m, s);
		render_snapshot(x, s, &m->build);
		err = exposition_finish(x, out, size);
		x = NULL;
	}
	exposition_free(x);
	if (s)
		free(s->row);
	free(s);
	return err;
}
