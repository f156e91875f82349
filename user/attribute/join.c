// SPDX-License-Identifier: Apache-2.0
/*
 * Lists in order of arrival: those that wait to be settled, those that stay,
 * and those that stay briefly. All are found by failure id, and by tuple
 * through chains in a table of fixed size.
 */
#include "user/attribute/join.h"

#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"

#define FLOW_BUCKETS   8192 /* a power of two */
#define SAME_MOMENT_NS NSEC_PER_SEC
#define SETTLE_NS      (SETTLE_MS * 1000000ull)

struct list {
	struct failure *oldest, *newest;
	size_t length;
};

struct join {
	struct list waiting, kept, brief;
	struct failure *ids[FLOW_BUCKETS];
	struct failure *flows[FLOW_BUCKETS];
	struct failure *spare; /* freed ones, for the next */
	size_t capacity;
	bool separate_netns;
	struct join_stats stats;
};

struct join *join_new(size_t capacity, bool separate_netns)
{
	struct join *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->capacity = capacity ? capacity : JOIN_CAPACITY;
	j->separate_netns = separate_netns;
	return j;
}

/* --- lists ---------------------------------------------------------------- */

static void list_append(struct list *l, struct failure *f)
{
	f->newer = NULL;
	f->older = l->newest;
	if (l->newest)
		l->newest->newer = f;
	else
		l->oldest = f;
	l->newest = f;
	l->length++;
}

static void list_remove(struct list *l, struct failure *f)
{
	if (f->older)
		f->older->newer = f->newer;
	else
		l->oldest = f->newer;
	if (f->newer)
		f->newer->older = f->older;
	else
		l->newest = f->older;
	l->length--;
}

/* --- flows ---------------------------------------------------------------- */

struct flow_tuple {
	uint8_t a[16], b[16];
	uint16_t a_port, b_port;
};

static uint64_t flow_key(const struct endpoint *a, const struct endpoint *b)
{
	struct flow_tuple t;

	memset(&t, 0, sizeof(t));
	memcpy(t.a, a->ip, sizeof(t.a));
	memcpy(t.b, b->ip, sizeof(t.b));
	t.a_port = a->port;
	t.b_port = b->port;
	return hash_bytes(&t, sizeof(t), 0);
}

static struct failure **bucket(struct join *j, uint64_t key)
{
	return &j->flows[key & (FLOW_BUCKETS - 1)];
}

static void flow_unlink(struct join *j, struct failure *f)
{
	struct failure **at = bucket(j, f->flow_key);

	while (*at && *at != f)
		at = &(*at)->flow_next;
	if (*at)
		*at = f->flow_next;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

static bool is_other_end(const struct join *j, const struct facts *a,
			 const struct facts *b)
{
	uint64_t apart = a->mono_ns > b->mono_ns ? a->mono_ns - b->mono_ns
						 : b->mono_ns - a->mono_ns;

	if (apart > SAME_MOMENT_NS || a->family != b->family)
		return false;
	/* one end sends the RST, the other is told of it */
	if ((a->kind == KIND_SENT) == (b->kind == KIND_SENT))
		return false;
	if (j->separate_netns && a->netns != b->netns)
		return false;
	return same_endpoint(&a->local, &b->peer) &&
	       same_endpoint(&a->peer, &b->local);
}

struct failure *join_other_end(struct join *j, const struct failure *f)
{
	struct failure *other;
	uint64_t key;

	if (!f->facts.tuple_known)
		return NULL;
	key = flow_key(&f->facts.peer, &f->facts.local);
	for (other = *bucket(j, key); other; other = other->flow_next) {
		if (other->flow_key == key && !other->voided &&
		    is_other_end(j, &f->facts, &other->facts))
			return other;
	}
	return NULL;
}

#define RESET_BEFORE_NS (60 * NSEC_PER_SEC)

struct failure *join_reset_before(struct join *j, const struct facts *f)
{
	uint64_t key = flow_key(&f->local, &f->peer);
	struct failure *was;

	for (was = *bucket(j, key); was; was = was->flow_next) {
		const struct facts *w = &was->facts;

		if (was->flow_key == key && w->kind == KIND_RECEIVED &&
		    !was->voided && w->netns == f->netns &&
		    w->mono_ns <= f->mono_ns &&
		    f->mono_ns - w->mono_ns < RESET_BEFORE_NS &&
		    same_endpoint(&w->local, &f->local) &&
		    same_endpoint(&w->peer, &f->peer))
			return was;
	}
	return NULL;
}

/* --- ids ------------------------------------------------------------------ */

/* The kernel counts them per CPU: the low bits spread, the CPU is on top. */
static struct failure **id_bucket(struct join *j, uint64_t id)
{
	return &j->ids[(id ^ id >> 48) & (FLOW_BUCKETS - 1)];
}

static void id_unlink(struct join *j, struct failure *f)
{
	struct failure **at = id_bucket(j, f->facts.failure);

	while (*at && *at != f)
		at = &(*at)->id_next;
	if (*at)
		*at = f->id_next;
}

/* --- the table ------------------------------------------------------------ */

struct failure *join_new_failure(struct join *j)
{
	struct failure *f = j->spare;

	if (f)
		j->spare = f->newer;
	else
		f = malloc(sizeof(*f));
	if (!f)
		return NULL;
	f->event = NOT_KNOWN;
	f->settled = f->folded = f->voided = false;
	f->stands = f->hit = f->stacked = false;
	f->changed = NULL;
	f->newer = f->older = f->flow_next = f->id_next = NULL;
	return f;
}

void join_add(struct join *j, struct failure *f)
{
	struct failure **at;

	f->flow_key = flow_key(&f->facts.local, &f->facts.peer);
	at = bucket(j, f->flow_key);
	f->flow_next = *at;
	*at = f;
	at = id_bucket(j, f->facts.failure);
	f->id_next = *at;
	*at = f;
	list_append(&j->waiting, f);
}

struct failure *join_find(struct join *j, uint64_t failure)
{
	struct failure *f = *id_bucket(j, failure);

	while (f && f->facts.failure != failure)
		f = f->id_next;
	return f;
}

void join_count_unmatched(struct join *j)
{
	j->stats.unmatched++;
}

static void forget(struct join *j, struct failure *f)
{
	flow_unlink(j, f);
	id_unlink(j, f);
	free(f->changed);
	f->changed = NULL;
	f->newer = j->spare;
	j->spare = f;
}

struct failure *join_next_due(struct join *j, uint64_t now_ns)
{
	struct failure *f = j->waiting.oldest;

	if (!f || f->facts.mono_ns + SETTLE_NS > now_ns)
		return NULL;
	return f;
}

uint64_t join_next_due_ns(const struct join *j)
{
	const struct failure *f = j->waiting.oldest;

	return f ? f->facts.mono_ns + SETTLE_NS : 0;
}

static void keep(struct join *j, struct list *l, size_t capacity,
		 struct failure *f)
{
	list_append(l, f);
	if (l->length <= capacity)
		return;
	f = l->oldest;
	list_remove(l, f);
	forget(j, f);
	if (l == &j->kept)
		j->stats.evicted++;
}

void join_settled(struct join *j, struct failure *f, enum stay stay)
{
	list_remove(&j->waiting, f);
	f->settled = true;
	if (stay == STAY_LONG)
		keep(j, &j->kept, j->capacity, f);
	else if (stay == STAY_BRIEFLY)
		keep(j, &j->brief, BRIEF_CAPACITY, f);
	else
		forget(j, f);
}

struct failure *join_youngest(struct join *j, enum stay stay)
{
	return stay == STAY_LONG ? j->kept.newest : j->brief.newest;
}

void join_get_stats(const struct join *j, struct join_stats *stats)
{
	*stats = j->stats;
	stats->open = j->waiting.length + j->kept.length + j->brief.length;
}

static void free_all(struct failure *f)
{
	struct failure *next;

	for (; f; f = next) {
		next = f->newer;
		free(f->changed);
		free(f);
	}
}

void join_free(struct join *j)
{
	if (!j)
		return;
	free_all(j->waiting.oldest);
	free_all(j->kept.oldest);
	free_all(j->brief.oldest);
	free_all(j->spare);
	free(j);
}
