/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/sample.h"
#include "user/explain/timeouts.h"
#include "user/explain/tls.h"

#define SECOND		 USEC_PER_SEC
#define IDLE_MIN_MS	 900 /* shorter pauses are no idle time */
#define CLUSTER_MIN	 2
#define FINISHED_MOST	 130
#define FAREWELL_MS	 10
#define FAREWELL_SLOW_MS 300
#define BULK		 2896 /* two segments: more than a usual request */
#define GAP_LAST_MS	 60
#define SAMPLES_MOST	 64
#define TOGETHER_US	 250000
#define REFUSED_SINCE_US (60 * SECOND)

/* After its first flight a side only finished the handshake. */
static bool only_finished(enum rec_label first, int64_t first_bytes,
			  int64_t bytes)
{
	return first == LABEL_TLS && first_bytes > 0 &&
	       bytes - first_bytes <= FINISHED_MOST;
}

bool facts_carried_nothing(const struct facts *f)
{
	if (f->sent_bytes == 0 && f->received_bytes == 0)
		return true;
	if (!f->labels_known)
		return false;
	return f->role == ROLE_SERVER
		       ? only_finished(f->first_in, f->first_in_bytes,
				       f->received_bytes)
		       : only_finished(f->first_out, f->first_out_bytes,
				       f->sent_bytes);
}

bool facts_brief(const struct facts *f)
{
	int64_t limit = 60;

	if (f->age_ms == NOT_KNOWN)
		return false;
	if (f->srtt_us > 0 && 4 * f->srtt_us / 1000 > limit)
		limit = 4 * f->srtt_us / 1000;
	return f->age_ms <= limit;
}

/*
 * The last data came with the FIN: a farewell (an error message, an alert).
 * The silence that a timer saw ended there.
 */
static bool farewell_with_fin(const struct facts *f)
{
	int64_t before = f->since_receive_ms - f->peer_fin_before_ms;

	if (f->since_receive_ms == NOT_KNOWN || before < -FAREWELL_MS)
		return false;
	/* a process that ends takes its time to close; nobody had asked */
	return before <= (f->unread_bytes > 0 ? FAREWELL_SLOW_MS : FAREWELL_MS);
}

/* Idle from the last traffic to the peer's FIN, which came before our write. */
static int64_t idle_at_fin_ms(const struct facts *f, int64_t since_use)
{
	int64_t idle = f->idle_ms, after = f->peer_fin_before_ms - since_use;

	if (farewell_with_fin(f)) {
		if (f->fin_since_send_ms != NOT_KNOWN)
			return f->fin_since_send_ms;
	} else if (f->since_receive_ms >= f->peer_fin_before_ms) {
		return f->since_receive_ms - f->peer_fin_before_ms;
	}
	if (idle == NOT_KNOWN)
		return NOT_KNOWN;
	return after < idle ? idle - after : 0;
}

/*
 * The connection had paused, and what ended the pause was all that came after
 * it: a request or the peer's last words, or both in the same moment.
 */
static bool gap_was_last(const struct facts *f)
{
	int64_t limit = GAP_LAST_MS;

	if (f->gap_ms < IDLE_MIN_MS || f->since_gap_ms == NOT_KNOWN)
		return false;
	if (f->srtt_us > 0)
		limit += 3 * f->srtt_us / 1000;
	if (f->since_gap_ms > limit)
		return false;
	return f->answered != TRI_YES || f->notice != NOTICE_NONE;
}

int64_t facts_idle_at_end_ms(const struct facts *f)
{
	int64_t since_use = f->since_request_ms != NOT_KNOWN
				    ? f->since_request_ms
				    : f->since_send_ms;
	int64_t idle = f->idle_ms;

	if (f->peer_fin == TRI_YES && f->peer_fin_before_ms != NOT_KNOWN &&
	    since_use != NOT_KNOWN && !f->unsolicited &&
	    f->peer_fin_before_ms > since_use)
		return idle_at_fin_ms(f, since_use);
	/* A transfer under way, of which the peer took some a moment ago. */
	if (f->unacked_bytes > BULK && f->acked_bytes > 0 &&
	    f->since_ack_ms != NOT_KNOWN && f->since_ack_ms < idle)
		idle = f->since_ack_ms;
	/* Both crossed: the peer had not seen our request when it let go. */
	if (f->peer_fin == TRI_YES && f->peer_fin_before_ms != NOT_KNOWN &&
	    since_use != NOT_KNOWN && idle != NOT_KNOWN &&
	    f->unacked_bytes > 0 && f->peer_fin_before_ms <= since_use)
		return idle + since_use - f->peer_fin_before_ms;
	/* A server owes nothing once its answer is acknowledged. */
	if (f->role == ROLE_SERVER && f->unsolicited && f->sent_bytes > 0 &&
	    f->peer_fin != TRI_YES && f->since_send_ms != NOT_KNOWN) {
		idle = f->since_send_ms;
		if (f->since_receive_ms != NOT_KNOWN &&
		    f->since_receive_ms < idle)
			idle = f->since_receive_ms;
	}
	if (gap_was_last(f) && f->gap_ms > idle)
		return f->gap_ms;
	return idle;
}

int64_t facts_age_at_end_ms(const struct facts *f)
{
	if (f->age_ms == NOT_KNOWN || f->peer_fin != TRI_YES ||
	    f->peer_fin_before_ms == NOT_KNOWN ||
	    f->peer_fin_before_ms > f->age_ms)
		return f->age_ms;
	return f->age_ms - f->peer_fin_before_ms;
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
	s->age_ms = facts_age_at_end_ms(f);
	s->local_port = f->local.port;
	s->kind = (uint8_t)f->kind;
	s->cause = (uint8_t)v->cause;
	s->brief = facts_brief(f);
	s->in_tls = !strcmp(facts_tls(f), "handshake");
	s->went_on = f->kind == KIND_SENT && f->skb_known && f->skb_bytes > 0;
	s->live = f->kind == KIND_HANGUP ||
		  (f->kind == KIND_RECEIVED && f->state != TCP_SYN_SENT);
	s->timed = s->idle_ms >= IDLE_MIN_MS;
	s->bare = f->kind == KIND_RECEIVED && f->rst_timestamps == TRI_NO &&
		  f->peer_fin != TRI_YES;
}

/*
 * Several ends within a moment are one event: no second witness of a timer. A
 * marked one has marked those before it.
 */
void samples_mark(struct sample *ring, size_t size, size_t at)
{
	if (!ring[at].live)
		return;
	for (size_t back = 1; back < size; back++) {
		struct sample *s = &ring[(at + size - back) % size];

		if (!s->time_us || s->shadowed ||
		    llabs(s->time_us - ring[at].time_us) >= SECOND / 2)
			return;
		s->shadowed = s->live;
	}
}

struct values {
	double v[SAMPLES_MOST];
	size_t n;
};

/* They are few: no call for each comparison. */
static void sort(struct values *all)
{
	for (size_t i = 1; i < all->n; i++) {
		double v = all->v[i];
		size_t j = i;

		for (; j > 0 && all->v[j - 1] > v; j--)
			all->v[j] = all->v[j - 1];
		all->v[j] = v;
	}
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
	sort(&in);
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

static bool independent(const struct sample *s, const struct facts *f)
{
	return s->failure != f->failure && s->live && !s->shadowed &&
	       llabs(s->time_us - f->time_us) >= SECOND / 2;
}

static void sum_clusters(const struct sample *sample, size_t n,
			 const struct facts *f, struct past *past)
{
	struct values idle = {.n = 0}, age = {.n = 0};
	int64_t own_idle = facts_timer_ms(f), own_age = facts_age_at_end_ms(f);

	if (own_idle < IDLE_MIN_MS && own_age < IDLE_MIN_MS)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!independent(&sample[i], f))
			continue;
		add_value(&idle, sample[i].idle_ms);
		add_value(&age, sample[i].age_ms);
	}
	add_value(&idle, own_idle);
	add_value(&age, own_age);
	if (own_idle >= IDLE_MIN_MS)
		past->idle = find_cluster(&idle, (double)own_idle / 1000);
	if (own_age >= IDLE_MIN_MS)
		past->age = find_cluster(&age, (double)own_age / 1000);
}

/* The endpoint turned callers away after it had let go of f, or just before. */
static void sum_refusal(const struct sample *s, const struct facts *f,
			struct past *past)
{
	int64_t end = end_us(f);

	if (end < f->time_us - REFUSED_SINCE_US)
		end = f->time_us - REFUSED_SINCE_US;
	past->refused += s->time_us >= end - 2 * SECOND &&
			 s->time_us <= f->time_us + 30 * SECOND;
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

/* The least and the largest of some values. */
struct range {
	int64_t least, most;
	unsigned int n;
};

static void widen(struct range *r, int64_t value)
{
	if (!r->n || value < r->least)
		r->least = value;
	if (!r->n || value > r->most)
		r->most = value;
	r->n++;
}

/*
 * Ended in one moment, by one hand. A timer gives equal idle times and ends
 * that differ as the last uses did; a death gives equal ends.
 */
static void sum_together(const struct sample *sample, size_t n,
			 const struct facts *f, struct past *past)
{
	int64_t idle_ms = facts_timer_ms(f);
	struct range idle = {0}, end = {0};
	unsigned int busy = 0;

	past->together_idle_ms = past->together_end_ms = NOT_KNOWN;
	widen(&end, end_us(f) / 1000);
	if (idle_ms >= IDLE_MIN_MS)
		widen(&idle, idle_ms);
	else
		busy += idle_ms != NOT_KNOWN;
	for (size_t i = 0; i < n; i++) {
		const struct sample *s = &sample[i];

		if (s->failure == f->failure || !s->live || s->brief ||
		    llabs(s->end_us - end_us(f)) > TOGETHER_US)
			continue;
		past->together++;
		widen(&end, s->end_us / 1000);
		if (s->timed)
			widen(&idle, s->idle_ms);
		else
			busy += s->idle_ms != NOT_KNOWN;
	}
	if (!past->together)
		return;
	past->together_end_ms = end.most - end.least;
	past->together_busy = busy;
	if (idle.n >= 2)
		past->together_idle_ms = idle.most - idle.least;
}

unsigned int samples_live_before(const struct sample *sample, size_t n,
				 const struct facts *f, bool by_death)
{
	unsigned int found = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t before = f->time_us - sample[i].time_us;

		found += sample[i].live && sample[i].failure != f->failure &&
			 before >= 0 && before <= 10 * SECOND &&
			 (!by_death || sample[i].cause == CAUSE_PROCESS_EXIT);
	}
	return found;
}

/*
 * Another connection, long idle, had met a RST of no socket before this one was
 * even made: a reboot between them would have ended once for all.
 */
static bool forgot_before(const struct sample *s, const struct facts *f)
{
	return s->bare && s->timed && f->age_ms > 0 &&
	       s->time_us < f->time_us - f->age_ms * 1000;
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
			sum_refusal(s, f, past);
		else
			sum_failure(s, before, past);
		past->forgotten += forgot_before(s, f);
		if (s->went_on && s->local_port == f->local.port &&
		    before <= 0 && before > -10 * SECOND)
			past->peer_went_on = true;
	}
	sum_together(sample, n, f, past);
	sum_clusters(sample, n, f, past);
}
