/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"

#define HASH_FUNCTION(key, length, value)                                      \
	((value) = (unsigned int)hash_bytes(key, length, 0))
#include <uthash.h>

#include "user/tell/groups.h"

/*
 * A timer shows as the same idle time again and again. Idle times are counted
 * in bins 5 % wide, from 100 ms (less is no idle time) to days; a cluster is
 * the fullest three neighbours, if they hold at least CLUSTER_LEAST events and
 * half of all.
 */
#define IDLE_LEAST_MS 100.0
#define IDLE_STEP     1.05
#define IDLE_BINS     320
#define CLUSTER_LEAST 3
#define CLUSTER_SHARE 0.5

#define KEY_SEPARATOR '\x1f'

struct idle_bin {
	uint32_t events;
	double sum_ms;
};

struct entry {
	struct group group; /* first: groups_at() hands it out */
	char *key;
	float *idle_ms; /* one for each event that has one */
	uint32_t idles, room;
	UT_hash_handle hh;
};

/* Events of these fields belong to that group: its text need not be made. */
struct known {
	struct entry *entry;
	UT_hash_handle hh;
	char fields[];
};

struct groups {
	const struct show *show;
	const struct group_key *key[GROUP_KEYS_MOST];
	const struct column *column[GROUP_KEYS_MOST]; /* NULL: the key's own */
	size_t n, number;
	int64_t total, first_us;
	struct entry *table;
	struct known *known;
	struct entry **sorted;
};

int groups_new(struct groups **out, const struct show *show,
	       const struct group_key *const *keys, size_t n)
{
	struct groups *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->show = show;
	g->n = n;
	g->first_us = NOT_KNOWN;
	memcpy(g->key, keys, n * sizeof(*keys));
	for (size_t i = 0; i < n; i++)
		if (!keys[i]->text)
			g->column[i] = column_find(keys[i]->column);
	*out = g;
	return 0;
}

static void entry_free(struct entry *e)
{
	for (size_t i = 0; i < GROUP_KEYS_MOST; i++)
		free(e->group.value[i]);
	free(e->idle_ms);
	free(e->key);
	free(e);
}

void groups_free(struct groups *g)
{
	struct entry *e, *next;
	struct known *k, *more;

	if (!g)
		return;
	HASH_ITER (hh, g->known, k, more) {
		HASH_DEL(g->known, k);
		free(k);
	}
	HASH_ITER (hh, g->table, e, next) {
		HASH_DEL(g->table, e);
		entry_free(e);
	}
	free(g->sorted);
	free(g);
}

static size_t text_of(const struct groups *g, size_t i, const struct event *ev,
		      char *out)
{
	if (g->column[i])
		column_text(g->column[i], g->show, ev, out);
	else
		g->key[i]->text(g->show, ev, out, COLUMN_TEXT);
	return strlen(out);
}

static size_t key_of(const struct groups *g, const struct event *ev, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < g->n; i++) {
		used += text_of(g, i, ev, out + used);
		out[used++] = KEY_SEPARATOR;
	}
	out[used] = '\0';
	return used;
}

static size_t fields_of(const struct groups *g, const struct event *ev,
			char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct group_key *k = g->key[i];

		if (!k->field[0].given)
			used += text_of(g, i, ev, out + used) + 1;
		for (size_t j = 0; j < 2 && k->field[j].given; j++) {
			const char *at = (const char *)ev + k->field[j].offset;
			size_t size = k->field[j].size;

			if (!size)
				size = strlen(at) + 1;
			memcpy(out + used, at, size);
			used += size;
		}
	}
	return used;
}

static struct entry *entry_new(const struct groups *g, const char *key)
{
	struct entry *e = calloc(1, sizeof(*e));
	const char *at = key;

	if (!e)
		return NULL;
	e->key = strdup(key);
	for (size_t i = 0; i < g->n; i++) {
		const char *end = strchr(at, KEY_SEPARATOR);

		e->group.value[i] = strndup(at, end - at);
		if (!e->group.value[i] || !e->key) {
			entry_free(e);
			return NULL;
		}
		at = end + 1;
	}
	e->group.first_us = INT64_MAX;
	e->group.last_us = INT64_MIN;
	return e;
}

static int count_idle(struct entry *e, int64_t idle_ms)
{
	uint32_t room = e->room ? 2 * e->room : 4;
	float *more;

	if (idle_ms < IDLE_LEAST_MS)
		return 0;
	if (e->idles == e->room) {
		more = reallocarray(e->idle_ms, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		e->idle_ms = more;
		e->room = room;
	}
	e->idle_ms[e->idles++] = (float)idle_ms;
	return 0;
}

static struct entry *entry_by_text(struct groups *g, const struct event *ev)
{
	char key[GROUP_KEYS_MOST * COLUMN_TEXT + 1];
	struct entry *e;
	size_t length;

	length = key_of(g, ev, key);
	HASH_FIND(hh, g->table, key, length, e);
	if (e)
		return e;
	e = entry_new(g, key);
	if (!e)
		return NULL;
	HASH_ADD_KEYPTR(hh, g->table, e->key, length, e);
	g->number++;
	return e;
}

static struct entry *entry_of(struct groups *g, const struct event *ev)
{
	char fields[GROUP_KEYS_MOST * COLUMN_TEXT];
	size_t size = fields_of(g, ev, fields);
	struct known *k;
	struct entry *e;

	HASH_FIND(hh, g->known, fields, size, k);
	if (k)
		return k->entry;
	e = entry_by_text(g, ev);
	k = e ? malloc(sizeof(*k) + size) : NULL;
	if (!k)
		return NULL;
	k->entry = e;
	memcpy(k->fields, fields, size);
	HASH_ADD_KEYPTR(hh, g->known, k->fields, size, k);
	return e;
}

static void see(struct group *group, const struct event *ev)
{
	int64_t last = ev->last_time_us;

	if (last == NOT_KNOWN)
		last = ev->time_us;
	if (ev->time_us < group->first_us)
		group->first_us = ev->time_us;
	if (last > group->last_us)
		group->last_us = last;
}

int groups_add(struct groups *g, const struct event *ev)
{
	struct entry *e = entry_of(g, ev);

	if (!e)
		return -ENOMEM;
	e->group.count += ev->count;
	e->group.events++;
	g->total += ev->count;
	if (g->first_us == NOT_KNOWN || ev->time_us < g->first_us)
		g->first_us = ev->time_us;
	see(&e->group, ev);
	return count_idle(e, ev->idle_ms);
}

int groups_add_before(struct groups *g, const struct event *ev)
{
	struct entry *e = entry_of(g, ev);

	if (!e)
		return -ENOMEM;
	e->group.before += ev->count;
	see(&e->group, ev);
	return 0;
}

static void fill_bins(const struct entry *e, struct idle_bin *bins)
{
	const double step = log(IDLE_STEP);

	memset(bins, 0, IDLE_BINS * sizeof(*bins));
	for (uint32_t i = 0; i < e->idles; i++) {
		int bin = log(e->idle_ms[i] / IDLE_LEAST_MS) / step;

		if (bin >= IDLE_BINS)
			bin = IDLE_BINS - 1;
		bins[bin].events++;
		bins[bin].sum_ms += e->idle_ms[i];
	}
}

static void find_cluster(struct entry *e)
{
	struct idle_cluster *c = &e->group.idle;
	struct idle_bin bins[IDLE_BINS];

	if (e->idles < CLUSTER_LEAST)
		return;
	fill_bins(e, bins);
	for (int i = 0; i < IDLE_BINS; i++) {
		int64_t events = 0;
		double sum = 0;

		for (int j = i ? i - 1 : 0; j <= i + 1 && j < IDLE_BINS; j++) {
			events += bins[j].events;
			sum += bins[j].sum_ms;
		}
		if (events > c->events) {
			c->events = events;
			c->ms = sum / events;
		}
	}
	c->share = (double)c->events / e->idles;
	c->found = c->events >= CLUSTER_LEAST && c->share >= CLUSTER_SHARE;
}

static int64_t weight(const struct group *g)
{
	return g->count > g->before ? g->count : g->before;
}

static int by_count(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	int64_t wx = weight(&x->group), wy = weight(&y->group);

	if (wx != wy)
		return wx < wy ? 1 : -1;
	return strcmp(x->key, y->key);
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;

	return strcmp(x->key, y->key);
}

int groups_finish(struct groups *g)
{
	bool by_hour = g->n && !strcmp(g->key[0]->name, "hour");
	size_t i = 0;
	struct entry *e, *next;

	if (!g->number)
		return 0;
	g->sorted = calloc(g->number, sizeof(*g->sorted));
	if (!g->sorted)
		return -ENOMEM;
	HASH_ITER (hh, g->table, e, next) {
		find_cluster(e);
		g->sorted[i++] = e;
	}
	qsort(g->sorted, g->number, sizeof(*g->sorted),
	      by_hour ? by_key : by_count);
	return 0;
}

size_t groups_number(const struct groups *g)
{
	return g->number;
}

const struct group *groups_at(const struct groups *g, size_t i)
{
	return &g->sorted[i]->group;
}

int64_t groups_total(const struct groups *g)
{
	return g->total;
}

int64_t groups_first_us(const struct groups *g)
{
	return g->first_us;
}

double groups_share(const struct groups *g, const struct group *group)
{
	return g->total ? (double)group->count / g->total : 0;
}

static json_t *keys_json(const struct groups *g, const struct group *group)
{
	json_t *keys = json_object();

	for (size_t i = 0; i < g->n; i++)
		json_object_set_new(keys, g->key[i]->name,
				    *group->value[i]
					    ? json_string(group->value[i])
					    : json_null());
	return keys;
}

static json_t *idle_cluster_json(const struct idle_cluster *c)
{
	if (!c->found)
		return json_null();
	return json_pack("{s:f, s:f, s:I}", "seconds", c->ms / 1000, "share",
			 c->share, "events", (json_int_t)c->events);
}

json_t *group_json(const struct groups *g, size_t i, double window_s,
		   json_t *connections)
{
	const struct group *group = groups_at(g, i);

	return json_pack(
		"{s:o, s:I, s:I, s:f, s:o*, s:f, s:o, s:o, s:o}", "group",
		keys_json(g, group), "count", (json_int_t)group->count,
		"events", (json_int_t)group->events, "share",
		groups_share(g, group), "connections", connections,
		"rate_per_second", group->count / (window_s > 1 ? window_s : 1),
		"idle", idle_cluster_json(&group->idle), "first",
		event_time_json(group->first_us), "last",
		event_time_json(group->last_us));
}
