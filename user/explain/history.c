/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place (a destination or a service) keeps its last SAMPLES failures in a
 * ring: enough for bursts and clusters, small enough to be scanned for each
 * verdict. Clusters count equal idle times (an unsolicited end) or ages of
 * different connections; the failure in question is one of them.
 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "user/base/base.h"
#include "user/explain/history.h"
#include "user/explain/lru.h"
#include "user/explain/sample.h"

#define SAMPLES	       32
#define PLACES_DEFAULT 8192
#define PEERS_MAX      4096
#define DEATHS_MAX     512
#define EMPTIES	       5 /* with the one in question, and itself once more */
#define EMPTIES_PERIOD 4
#define PORTS_KEPT     16
#define SECOND	       USEC_PER_SEC
#define DEATH_KEPT     (60 * SECOND)

/* The last connections that carried nothing, in order of arrival. */
struct empties {
	uint64_t failure[EMPTIES];
	int64_t time_us[EMPTIES];
	uint64_t learned;
};

struct place_key {
	int64_t netns;
	uint8_t ip[16];
	uint16_t port;
	uint8_t kind; /* 'd' destination, 's' service */
	uint8_t pad[5];
};

struct place {
	struct place_key key;
	UT_hash_handle hh;
	uint64_t learned; /* samples ever; the ring's head */
	struct empties empties;
	unsigned int successes;
	double longest_success_s;
	struct sample sample[SAMPLES];
};

struct peer {
	struct place_key key; /* port 0 */
	UT_hash_handle hh;
	uint64_t learned;
	struct {
		uint16_t port;
		int64_t time_us;
	} hit[PORTS_KEPT];
};

struct death_key {
	int64_t pid;
	uint64_t start_ns;
};

struct death {
	struct death_key key;
	UT_hash_handle hh;
	struct fact_task task;
	int64_t time_us;
};

struct history {
	struct place *places;
	struct peer *peers;
	struct death *deaths;
	size_t most_places;
	uint64_t evicted;
};

struct history *history_new(size_t places)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h)
		h->most_places = places ? places : PLACES_DEFAULT;
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	LRU_CLEAR(h->places, struct place);
	LRU_CLEAR(h->peers, struct peer);
	LRU_CLEAR(h->deaths, struct death);
	free(h);
}

/*
 * What a failure is filed under: the service for a server, whose peers' ports
 * change with each connection, else the destination.
 */
static bool make_key(const struct facts *f, struct place_key *key)
{
	if (!f->tuple_known)
		return false;
	memset(key, 0, sizeof(*key));
	key->netns = f->netns;
	if (f->role == ROLE_SERVER ||
	    (f->role == ROLE_UNKNOWN && f->listening == TRI_YES)) {
		key->kind = 's';
		key->port = f->local.port;
		return true;
	}
	key->kind = 'd';
	/* who sends a RST may be the server: then that port is a client's */
	if (f->kind != KIND_SENT || f->role == ROLE_CLIENT)
		key->port = f->peer.port;
	memcpy(key->ip, f->peer.ip, sizeof(key->ip));
	return true;
}

static void make_peer_key(const struct facts *f, struct place_key *key)
{
	memset(key, 0, sizeof(*key));
	key->netns = f->netns;
	key->kind = 'p';
	memcpy(key->ip, f->peer.ip, sizeof(key->ip));
}

static const struct place *find_place(const struct history *h,
				      const struct facts *f)
{
	struct place_key key;
	struct place *found = NULL;

	if (make_key(f, &key))
		HASH_FIND(hh, h->places, &key, sizeof(key), found);
	return found;
}

uint64_t history_stamp(const struct history *h, const struct facts *f)
{
	const struct place *p = find_place(h, f);

	return p ? p->learned : 0;
}

static struct place *need_place(struct history *h, const struct facts *f)
{
	struct place_key key;
	struct place *p = NULL;

	if (!make_key(f, &key))
		return NULL;
	LRU_NEED(h->places, struct place, key, h->most_places, h->evicted, p);
	return p;
}

static void learn_hit(struct history *h, const struct facts *f)
{
	struct place_key key;
	struct peer *p = NULL;

	make_peer_key(f, &key);
	LRU_NEED(h->peers, struct peer, key, PEERS_MAX, h->evicted, p);
	if (!p)
		return;
	for (unsigned int i = 0; i < PORTS_KEPT; i++) {
		if (p->hit[i].time_us && p->hit[i].port == f->local.port) {
			p->hit[i].time_us = f->time_us;
			return;
		}
	}
	p->hit[p->learned % PORTS_KEPT].port = f->local.port;
	p->hit[p->learned % PORTS_KEPT].time_us = f->time_us;
	p->learned++;
}

/* A segment that knocks at a port rather than belongs to a connection. */
static bool knocks(const struct facts *f, const struct verdict *v)
{
	if (f->kind == KIND_SENT)
		return v->cause == CAUSE_PORT_CLOSED ||
		       v->cause == CAUSE_PORT_SCAN;
	return f->kind == KIND_RECEIVED && f->role == ROLE_SERVER &&
	       f->sent_bytes == 0 && f->received_bytes == 0;
}

static void note_success(struct place *p, int64_t idle_ms)
{
	p->successes++;
	if ((double)idle_ms / 1000 > p->longest_success_s)
		p->longest_success_s = (double)idle_ms / 1000;
}

static size_t samples_of(const struct place *p)
{
	return p->learned < SAMPLES ? p->learned : SAMPLES;
}

static void learn_empty(struct empties *e, const struct facts *f)
{
	e->failure[e->learned % EMPTIES] = f->failure;
	e->time_us[e->learned++ % EMPTIES] = f->time_us;
}

void history_learn(struct history *h, const struct facts *f,
		   const struct verdict *v)
{
	struct place *p;
	size_t at;

	if (f->tuple_known && knocks(f, v))
		learn_hit(h, f);
	p = need_place(h, f);
	if (!p)
		return;
	at = p->learned++ % SAMPLES;
	sample_take(&p->sample[at], f, v);
	samples_mark(p->sample, SAMPLES, at);
	if (facts_carried_nothing(f))
		learn_empty(&p->empties, f);
	if (f->worked_idle_ms > 0)
		note_success(p, f->worked_idle_ms);
}

void history_success(struct history *h, const struct facts *f, int64_t idle_ms)
{
	struct place *p = need_place(h, f);

	if (p && idle_ms >= 0)
		note_success(p, idle_ms);
}

void history_exit(struct history *h, const struct fact_task *task,
		  int64_t time_us)
{
	struct death_key key;
	struct death *d = NULL;

	if (task->pid == NOT_KNOWN)
		return;
	memset(&key, 0, sizeof(key));
	key.pid = task->pid;
	key.start_ns = task->start_ns;
	LRU_NEED(h->deaths, struct death, key, DEATHS_MAX, h->evicted, d);
	if (!d)
		return;
	d->task = *task;
	d->time_us = time_us;
}

const struct fact_task *history_death(const struct history *h,
				      const struct fact_task *task,
				      int64_t time_us)
{
	struct death_key key;
	struct death *d = NULL;

	if (task->pid == NOT_KNOWN || !h->deaths)
		return NULL;
	memset(&key, 0, sizeof(key));
	key.pid = task->pid;
	key.start_ns = task->start_ns;
	HASH_FIND(hh, h->deaths, &key, sizeof(key), d);
	if (!d || d->time_us > time_us + SECOND ||
	    d->time_us < time_us - DEATH_KEPT)
		return NULL;
	return &d->task;
}

unsigned int history_ports_hit(const struct history *h, const struct facts *f)
{
	struct place_key key;
	struct peer *p = NULL;
	unsigned int n = 0, counted_own = 0;

	if (!f->tuple_known || !h->peers)
		return 0;
	make_peer_key(f, &key);
	HASH_FIND(hh, h->peers, &key, sizeof(key), p);
	if (!p)
		return 0;
	for (unsigned int i = 0; i < PORTS_KEPT; i++) {
		if (!p->hit[i].time_us ||
		    llabs(f->time_us - p->hit[i].time_us) > 10 * SECOND)
			continue;
		n++;
		counted_own |= p->hit[i].port == f->local.port;
	}
	return n + !counted_own;
}

unsigned int history_live_before(const struct history *h, const struct facts *f)
{
	const struct place *p = find_place(h, f);

	return p ? samples_live_before(p->sample, samples_of(p), f, false) : 0;
}

unsigned int history_died_before(const struct history *h, const struct facts *f)
{
	const struct place *p = find_place(h, f);

	return p ? samples_live_before(p->sample, samples_of(p), f, true) : 0;
}

/*
 * The moments of the last empty connections up to f, the latest first. They
 * may have been learned a little out of order.
 */
static size_t empties_until(const struct empties *e, const struct facts *f,
			    int64_t *time_us)
{
	size_t known = e->learned < EMPTIES ? e->learned : EMPTIES, n = 0;

	time_us[n++] = f->time_us;
	for (size_t i = 0; i < known; i++) {
		size_t j = n;

		if (e->failure[i] == f->failure || e->time_us[i] > f->time_us)
			continue;
		for (; j > 1 && time_us[j - 1] < e->time_us[i]; j--)
			time_us[j] = time_us[j - 1];
		time_us[j] = e->time_us[i];
		n++;
	}
	return n;
}

static double period_of(const struct place *p, const struct facts *f)
{
	int64_t at[EMPTIES + 1], least = INT64_MAX, most = 0;

	if (p->empties.learned < EMPTIES_PERIOD - 1)
		return 0;
	if (!facts_carried_nothing(f) ||
	    empties_until(&p->empties, f, at) < EMPTIES_PERIOD)
		return 0;
	for (size_t i = 1; i < EMPTIES_PERIOD; i++) {
		int64_t gap = at[i - 1] - at[i];

		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
	}
	if (least < SECOND / 5 || most - least > most / 10 + SECOND / 20)
		return 0;
	return (double)(at[0] - at[EMPTIES_PERIOD - 1]) / SECOND /
	       (EMPTIES_PERIOD - 1);
}

double history_period_s(const struct history *h, const struct facts *f)
{
	const struct place *p = find_place(h, f);

	return p ? period_of(p, f) : 0;
}

void history_look(const struct history *h, const struct facts *f,
		  struct past *past)
{
	const struct place *p = find_place(h, f);

	memset(past, 0, sizeof(*past));
	past->together_idle_ms = past->together_end_ms = NOT_KNOWN;
	past->ports_hit = history_ports_hit(h, f);
	if (!p)
		return;
	samples_sum(p->sample, samples_of(p), f, past);
	past->successes = p->successes;
	past->longest_success_s = p->longest_success_s;
	past->period_s = period_of(p, f);
	if (past->period_s > 0)
		past->periods = EMPTIES_PERIOD - 1;
}

uint64_t history_since(const struct history *h, const struct facts *f,
		       uint64_t stamp, struct past *past, int64_t *last_us)
{
	const struct place *p = find_place(h, f);
	struct sample since[SAMPLES];
	uint64_t from = stamp;
	size_t n = 0;

	if (!p || p->learned <= stamp)
		return 0;
	if (p->learned - from > SAMPLES)
		from = p->learned - SAMPLES;
	while (from < p->learned)
		since[n++] = p->sample[from++ % SAMPLES];
	memset(past, 0, sizeof(*past));
	samples_sum(since, n, f, past);
	*last_us = p->sample[(p->learned - 1) % SAMPLES].time_us;
	return p->learned - stamp;
}

void history_get_stats(const struct history *h, struct history_stats *stats)
{
	stats->places = HASH_COUNT(h->places);
	stats->peers = HASH_COUNT(h->peers);
	stats->deaths = HASH_COUNT(h->deaths);
	stats->evicted = h->evicted;
}
