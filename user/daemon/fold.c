// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/fold.h"

#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"

/* uthash's own is a third of the cost of folding */
#define HASH_FUNCTION(key, length, value)                                      \
	((value) = (unsigned int)hash_bytes(key, length, 0))
#include <uthash.h>

#include "user/daemon/describe.h"

struct group {
	struct fold_key key;
	int64_t window_us;   /* when its window began */
	int64_t singles;     /* kept one by one in this window */
	struct event *event; /* the last one kept; folded ones add to it */
	bool dirty;
	struct group *next_dirty;
	UT_hash_handle hh; /* in order of their making */
};

struct fold {
	struct group *groups;
	struct group *dirty;
	size_t capacity;
	struct fold_stats stats;
};

void fold_key_of(const struct facts *f, int cause, struct fold_key *key)
{
	enum via via;
	const struct fact_task *task = describe_whose(f, &via);

	memset(key, 0, sizeof(*key));
	key->kind = f->kind;
	key->cause = cause;
	key->class = f->call.known ? (int32_t)f->call.class : -1;
	key->errno_nr = (int32_t)f->call.errno_nr;
	key->state = f->state;
	key->pid = task ? task->pid : NOT_KNOWN;
	key->netns = f->netns;
	memcpy(key->peer_ip, f->peer.ip, sizeof(key->peer_ip));
	/* a scan of many ports is one thing */
	if (f->kind == KIND_SENT && !f->sock_known && !f->closer.known)
		return;
	key->port = f->role == ROLE_CLIENT ? f->peer.port : f->local.port;
}

struct fold *fold_new(size_t groups)
{
	struct fold *f = calloc(1, sizeof(*f));

	if (f)
		f->capacity = groups ? groups : FOLD_GROUPS;
	return f;
}

static void group_free(struct fold *f, struct group *g)
{
	HASH_DEL(f->groups, g);
	free(g->event);
	free(g);
}

/* The oldest group that has nothing to hand over makes room. */
static void evict_one(struct fold *f)
{
	struct group *g, *next;

	HASH_ITER (hh, f->groups, g, next) {
		if (g->dirty)
			continue;
		group_free(f, g);
		f->stats.evicted++;
		return;
	}
}

static struct group *group_find(struct fold *f, const struct fold_key *key)
{
	struct group *g;

	HASH_FIND(hh, f->groups, key, sizeof(*key), g);
	return g;
}

static struct group *group_add(struct fold *f, const struct fold_key *key,
			       int64_t time_us)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	if (HASH_COUNT(f->groups) >= f->capacity)
		evict_one(f);
	g->key = *key;
	g->window_us = time_us;
	HASH_ADD(hh, f->groups, key, sizeof(g->key), g);
	return g;
}

struct event *fold_count(struct fold *f, const struct fold_key *key,
			 int64_t time_us, int64_t n)
{
	struct group *g = group_find(f, key);

	if (!g)
		g = group_add(f, key, time_us);
	if (!g)
		return NULL;
	/* a count that was not handed over yet keeps its window open */
	if (!g->dirty && (time_us - g->window_us >= FOLD_WINDOW_US ||
			  time_us < g->window_us - FOLD_WINDOW_US)) {
		g->window_us = time_us;
		g->singles = 0;
	}
	if (g->singles < FOLD_SINGLE || !g->event) {
		g->singles++;
		return NULL;
	}
	g->event->count += n;
	g->event->last_time_us = time_us;
	f->stats.folded += (uint64_t)n;
	if (!g->dirty) {
		g->dirty = true;
		g->next_dirty = f->dirty;
		f->dirty = g;
	}
	return g->event;
}

bool fold_keep(struct fold *f, const struct fold_key *key,
	       const struct event *ev)
{
	struct group *g = group_find(f, key);

	/* only the last single of a window is ever folded into */
	if (!g || g->singles < FOLD_SINGLE)
		return false;
	if (!g->event)
		g->event = malloc(sizeof(*g->event));
	if (g->event)
		*g->event = *ev;
	return g->event != NULL;
}

struct event *fold_kept(struct fold *f, int64_t id)
{
	struct group *g, *next;

	HASH_ITER (hh, f->groups, g, next) {
		if (g->event && g->event->id == id)
			return g->event;
	}
	return NULL;
}

void fold_flush(struct fold *f, fold_fn fn, void *ctx)
{
	struct group *g, *next;

	for (g = f->dirty; g; g = next) {
		next = g->next_dirty;
		g->next_dirty = NULL;
		g->dirty = false;
		fn(g->event, ctx);
	}
	f->dirty = NULL;
}

void fold_get_stats(const struct fold *f, struct fold_stats *stats)
{
	*stats = f->stats;
	stats->groups = HASH_COUNT(f->groups);
}

void fold_free(struct fold *f)
{
	struct group *g, *next;

	if (!f)
		return;
	HASH_ITER (hh, f->groups, g, next)
		group_free(f, g);
	free(f);
}
