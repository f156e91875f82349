/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/sample.h"
#include "user/explain/timeouts.h"
#include "user/explain/tls.h"

#define SECOND	      USEC_PER_SEC
#define IDLE_MIN_MS   900 /* shorter pauses are no idle time */
#define CLUSTER_MIN   2
#define SAMPLES_MOST  64
#define TOGETHER_US   250000
#define IDLE_ALIKE_MS 100

bool facts_brief(const struct facts *f)
{
	int64_t limit = 60;

	if (f->age_ms == NOT_KNOWN)
		return false;
	if (f->srtt_us > 0 && 4 * f->srtt_us / 1000 > limit)
		limit = 4 * f->srtt_us / 1000;
	return f->age_ms <= limit;
}

int64_t facts_idle_at_end_ms(const struct facts *f)
{
	int64_t since_use = f->since_request_ms != NOT_KNOWN
				    ? f->since_request_ms
				    : f->since_send_ms;

	if (f->peer_fin != TRI_YES || f->peer_fin_before_ms == NOT_KNOWN ||
	    since_use == NOT_KNOWN || f->unsolicited ||
	    f->peer_fin_before_ms <= since_use)
		return f->idle_ms;
	/* The FIN came while it lay idle: idle from the last data to it. */
	if (f->since_receive_ms >= f->peer_fin_before_ms)
		return f->since_receive_ms - f->peer_fin_before_ms;
	if (f->idle_ms == NOT_KNOWN)
		return NOT_KNOWN;
	since_use = f->peer_fin_before_ms - since_use;
	return since_use < f->idle_ms ? f->idle_ms - since_use : 0;
}

/* An answer was due for so long when the end came; NOT_KNOWN: none was. */
static int64_t waited_ms(const struct facts *f)
{
	int64_t fin = f->peer_fin_before_ms;

	if (f->role == ROLE_SERVER || f->unacked_bytes > 0 ||
	    (f->kind != KIND_HANGUP && f->answered != TRI_NO) ||
	    f->since_send_ms == NOT_KNOWN)
		return NOT_KNOWN;
	if (f->peer_fin != TRI_YES || fin == NOT_KNOWN)
		return f->since_send_ms;
	return f->since_send_ms > fin ? f->since_send_ms - fin : NOT_KNOWN;
}

int64_t facts_timer_ms(const struct facts *f)
{
	int64_t waited = waited_ms(f);

	return waited >= IDLE_MIN_MS ? waited : facts_idle_at_end_ms(f);
}

/* The peer's FIN shows when it let go, however late we noticed. */
static int64_t end_us(const struct facts *f)
{
	if (f->peer_fin != TRI_YES || f->peer_fin_before_ms == NOT_KNOWN ||
	    f->peer_fin_before_ms > f->time_us / 1000)
		return f->time_us;
	return f->time_us - f->peer_fin_before_ms * 1000;
}

void sample_take(struct sample *s, const struct facts *f,
		 const struct verdict *v)
{
	memset(s, 0, sizeof(*s));
	s->failure = f->failure;
	s->time_us = f->time_us;
	s->end_us = end_us(f);
	s->idle_ms = facts_timer_ms(f);
	s->age_ms = f->age_ms;
	s->local_port = f->local.port;
	s->kind = (uint8_t)f->kind;
	s->cause = (uint8_t)v->cause;
	s->empty = f->sent_bytes == 0 && f->received_bytes == 0;
	s->brief = facts_brief(f);
	s->in_tls = !strcmp(facts_tls(f), "handshake");
	s->went_on = f->kind == KIND_SENT && f->skb_known && f->skb_bytes > 0;
	s->live = f->kind == KIND_HANGUP ||
		  (f->kind == KIND_RECEIVED && f->state != TCP_SYN_SENT);
	s->timed = s->idle_ms >= IDLE_MIN_MS;
}

struct values {
	double v[SAMPLES_MOST];
	size_t n;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Those of the values that a timer near `centre` explains. */
static struct cluster find_cluster(struct values *all, double centre)
{
	double late = timeout_late(centre);
	struct values in = {.n = 0};
	struct cluster c = {0};

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i] >= centre - late && all->v[i] <= centre + late)
			in.v[in.n++] = all->v[i];
	if (in.n < CLUSTER_MIN)
		return c;
	qsort(in.v, in.n, sizeof(in.v[0]), compare);
	c.n = (unsigned int)in.n;
	c.seconds = in.v[in.n / 2];
	c.spread = in.v[in.n - 1] - in.v[0];
	return c;
}

static void add_value(struct values *all, int64_t ms)
{
	if (ms >= IDLE_MIN_MS && all->n < SAMPLES_MOST)
		all->v[all->n++] = (double)ms / 1000;
}

/* Several ends within a second are one event: no second witness of a timer. */
static bool independent(const struct sample *sample, size_t i, size_t n,
			const struct facts *f)
{
	if (llabs(sample[i].time_us - f->time_us) < SECOND / 2)
		return false;
	for (size_t j = i + 1; j < n; j++)
		if (sample[j].live &&
		    llabs(sample[j].time_us - sample[i].time_us) < SECOND / 2)
			return false;
	return true;
}

static void sum_clusters(const struct sample *sample, size_t n,
			 const struct facts *f, struct past *past)
{
	struct values idle = {.n = 0}, age = {.n = 0};
	int64_t own_idle = facts_timer_ms(f);

	if (own_idle < IDLE_MIN_MS && f->age_ms < IDLE_MIN_MS)
		return;
	for (size_t i = 0; i < n; i++) {
		if (sample[i].failure == f->failure || !sample[i].live ||
		    !independent(sample, i, n, f))
			continue;
		add_value(&idle, sample[i].idle_ms);
		add_value(&age, sample[i].age_ms);
	}
	add_value(&idle, own_idle);
	add_value(&age, f->age_ms);
	if (own_idle >= IDLE_MIN_MS)
		past->idle = find_cluster(&idle, (double)own_idle / 1000);
	if (f->age_ms >= IDLE_MIN_MS)
		past->age = find_cluster(&age, (double)f->age_ms / 1000);
}

static void sum_refusal(int64_t before_us, struct past *past)
{
	if (before_us > 2 * SECOND || before_us < -30 * SECOND)
		return;
	past->refused++;
	past->after_reset += before_us <= 0;
}

static void sum_failure(const struct sample *s, int64_t before_us,
			struct past *past)
{
	int64_t apart = llabs(before_us);

	past->failures_1s += apart <= SECOND;
	past->failures_10s += apart <= 10 * SECOND;
	past->failures_60s += apart <= 60 * SECOND;
	past->tls_alike += s->in_tls;
	past->tls_other += !s->in_tls;
	if (!s->live)
		return;
	past->live_before += before_us >= 0 && before_us <= 10 * SECOND;
	if (apart > 10 * SECOND || s->timed)
		return;
	past->sudden_10s++;
	past->brief_10s += s->brief;
	past->lasting_10s += !s->brief;
}

/*
 * Ended in one moment, by one hand. Connections that had been idle for equally
 * long are left out: an idle timer ends those together, too.
 */
static void sum_together(const struct sample *s, const struct facts *f,
			 struct past *past)
{
	int64_t idle_ms = facts_timer_ms(f);

	if (!s->live || s->brief || llabs(s->end_us - end_us(f)) > TOGETHER_US)
		return;
	if (s->timed && idle_ms >= IDLE_MIN_MS &&
	    llabs(s->idle_ms - idle_ms) < IDLE_ALIKE_MS)
		return;
	past->together++;
	past->together_timed += s->timed && idle_ms >= IDLE_MIN_MS;
}

/* Empty connections at a steady period: the mark of a prober. */
static void sum_period(const struct sample *sample, size_t n,
		       const struct facts *f, struct past *past)
{
	struct values at = {.n = 0};
	double least, most;

	for (size_t i = 0; i < n; i++)
		if (sample[i].empty && sample[i].failure != f->failure &&
		    sample[i].time_us <= f->time_us && at.n < SAMPLES_MOST - 1)
			at.v[at.n++] = (double)sample[i].time_us / SECOND;
	at.v[at.n++] = (double)f->time_us / SECOND;
	if (at.n < 4)
		return;
	qsort(at.v, at.n, sizeof(at.v[0]), compare);
	least = most = at.v[at.n - 1] - at.v[at.n - 2];
	for (size_t i = at.n - 2; i > at.n - 4; i--) {
		double gap = at.v[i] - at.v[i - 1];

		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
	}
	if (least < 0.2 || most - least > 0.1 * most + 0.05)
		return;
	past->periods = (unsigned int)at.n - 1;
	past->period_s = (at.v[at.n - 1] - at.v[at.n - 4]) / 3;
}

void samples_sum(const struct sample *sample, size_t n, const struct facts *f,
		 struct past *past)
{
	if (n > SAMPLES_MOST - 1)
		n = SAMPLES_MOST - 1;
	for (size_t i = 0; i < n; i++) {
		const struct sample *s = &sample[i];
		int64_t before = f->time_us - s->time_us;

		if (s->failure == f->failure)
			continue;
		if (s->kind == KIND_REFUSED)
			sum_refusal(before, past);
		else
			sum_failure(s, before, past);
		sum_together(s, f, past);
		if (s->went_on && s->local_port == f->local.port &&
		    before <= 0 && before > -10 * SECOND)
			past->peer_went_on = true;
	}
	sum_clusters(sample, n, f, past);
	if (f->sent_bytes == 0 && f->received_bytes == 0)
		sum_period(sample, n, f, past);
}
