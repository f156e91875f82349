/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/name_slots.h"

/* Names without a slot that are watched; a power of two. */
#define CANDIDATES 256
/* Failures before a name may take another's slot. */
#define WEIGHT_MIN 8

struct name {
	char text[NAME_BYTES + 1];
	uint64_t weight; /* failures; 0: free */
};

struct name_slots {
	size_t slots, used, mask;
	size_t *index; /* open addressing: slot + 1, 0: free */
	struct name *by_slot;
	struct name candidates[CANDIDATES];
};

struct name_slots *name_slots_new(size_t slots)
{
	struct name_slots *t = calloc(1, sizeof(*t));
	size_t cells = 16;

	if (!t)
		return NULL;
	while (cells < 4 * slots)
		cells *= 2;
	t->slots = slots;
	t->mask = cells - 1;
	t->index = calloc(cells, sizeof(*t->index));
	t->by_slot = calloc(slots + 1, sizeof(*t->by_slot));
	if (!t->index || !t->by_slot) {
		name_slots_free(t);
		return NULL;
	}
	return t;
}

void name_slots_free(struct name_slots *t)
{
	if (!t)
		return;
	free(t->index);
	free(t->by_slot);
	free(t);
}

size_t name_slots_used(const struct name_slots *t)
{
	return t->used;
}

const char *name_slots_get(const struct name_slots *t, size_t slot)
{
	return t->by_slot[slot].text;
}

static uint64_t name_hash(const char text[NAME_BYTES + 1])
{
	return hash_bytes(text, NAME_BYTES, 0);
}

/* The cell that refers to the name, or the free one where it would go. */
static size_t *find_cell(struct name_slots *t, const char text[NAME_BYTES + 1],
			 uint64_t hash)
{
	size_t at = hash & t->mask;

	while (t->index[at] &&
	       memcmp(t->by_slot[t->index[at] - 1].text, text, NAME_BYTES))
		at = (at + 1) & t->mask;
	return &t->index[at];
}

/* Slots change owner rarely: building anew is simpler than deleting. */
static void rebuild_index(struct name_slots *t)
{
	size_t i;

	memset(t->index, 0, (t->mask + 1) * sizeof(*t->index));
	for (i = 0; i < t->used; i++) {
		const char *text = t->by_slot[i].text;

		*find_cell(t, text, name_hash(text)) = i + 1;
	}
}

static size_t least_slot(const struct name_slots *t)
{
	size_t i, least = 0;

	for (i = 1; i < t->used; i++)
		if (t->by_slot[i].weight < t->by_slot[least].weight)
			least = i;
	return least;
}

/*
 * A name without a slot: watched in one of CANDIDATES cells. Who meets a taken
 * cell wears its weight down first, so that only frequent names stay. True
 * once it has earned a slot: asked at each doubling, not at each failure.
 */
static bool watch(struct name_slots *t, const char text[NAME_BYTES + 1],
		  uint64_t hash, uint64_t n, struct name **out)
{
	struct name *c = &t->candidates[(hash >> 32) & (CANDIDATES - 1)];
	uint64_t before;

	if (c->weight && memcmp(c->text, text, NAME_BYTES)) {
		if (c->weight > n) {
			c->weight -= n;
			return false;
		}
		c->weight = 0;
	}
	if (!c->weight)
		memcpy(c->text, text, sizeof(c->text));
	before = c->weight;
	c->weight += n;
	*out = c;
	return (before ^ c->weight) > before;
}

size_t name_slots_count(struct name_slots *t, const char *name, uint64_t n,
			bool *moved)
{
	char text[NAME_BYTES + 1] = {0};
	struct name *candidate, *victim;
	uint64_t hash;
	size_t *cell;

	*moved = false;
	memcpy(text, name, strnlen(name, NAME_BYTES));
	hash = name_hash(text);
	cell = find_cell(t, text, hash);
	if (*cell) {
		t->by_slot[*cell - 1].weight += n;
		return *cell - 1;
	}
	if (t->used < t->slots) {
		struct name *fresh = &t->by_slot[t->used];

		memcpy(fresh->text, text, sizeof(text));
		fresh->weight = n;
		*cell = ++t->used;
		return t->used - 1;
	}
	if (!t->slots || !watch(t, text, hash, n, &candidate))
		return t->slots;
	victim = &t->by_slot[least_slot(t)];
	if (candidate->weight < WEIGHT_MIN ||
	    candidate->weight < 2 * victim->weight)
		return t->slots;
	memcpy(victim->text, text, sizeof(text));
	victim->weight = candidate->weight;
	candidate->weight = 0;
	rebuild_index(t);
	*moved = true;
	return victim - t->by_slot;
}
