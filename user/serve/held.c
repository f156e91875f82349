/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/held.h"

#include <stdlib.h>
#include <string.h>

#include "user/serve/final.h"
#include "user/store/event_pack.h"

struct row {
	int64_t id; /* 0: empty */
	uint64_t due_ns;
	uint8_t *data; /* packed */
	size_t size;
};

struct held {
	held_fn fn;
	void *ctx;
	uint64_t now_ns;
	int64_t oldest, newest; /* ids between which events may wait */
	struct event event;	/* scratch: it is large */
	struct row row[HELD_EVENTS];
};

struct held *held_new(held_fn fn, void *ctx)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->fn = fn;
	h->ctx = ctx;
	h->now_ns = clock_mono_ns(); /* until the first held_advance() */
	return h;
}

static void clear(struct row *row)
{
	free(row->data);
	*row = (struct row){0};
}

void held_free(struct held *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < HELD_EVENTS; i++)
		clear(&h->row[i]);
	free(h);
}

static void hand_on(struct held *h, struct row *row)
{
	if (!event_unpack(&h->event, row->data, row->size))
		h->fn(&h->event, h->ctx);
	clear(row);
}

static bool keep(struct row *row, const struct event *ev)
{
	uint8_t packed[EVENT_PACK_MAX];
	int size = event_pack(ev, packed, sizeof(packed));
	uint8_t *data = size > 0 ? malloc(size) : NULL;

	if (!data)
		return false;
	memcpy(data, packed, size);
	free(row->data);
	row->data = data;
	row->size = size;
	return true;
}

static struct row *begin(struct held *h, int64_t id)
{
	struct row *row = &h->row[(uint64_t)id % HELD_EVENTS];

	if (row->id)
		hand_on(h, row);
	row->id = id;
	row->due_ns = h->now_ns + FINAL_NS;
	if (!h->oldest || id < h->oldest)
		h->oldest = id;
	if (id > h->newest)
		h->newest = id;
	return row;
}

void held_put(struct held *h, const struct event *ev, bool fresh)
{
	struct row *row = &h->row[(uint64_t)ev->id % HELD_EVENTS];

	if (fresh)
		row = begin(h, ev->id);
	else if (row->id != ev->id)
		return; /* it was handed on */
	if (!final_at_once(ev) && keep(row, ev))
		return;
	clear(row);
	h->fn(ev, h->ctx);
}

void held_advance(struct held *h, uint64_t now_ns)
{
	h->now_ns = now_ns;
	for (; h->oldest && h->oldest <= h->newest; h->oldest++) {
		struct row *row = &h->row[(uint64_t)h->oldest % HELD_EVENTS];

		if (row->id != h->oldest)
			continue;
		if (row->due_ns > now_ns)
			return;
		hand_on(h, row);
	}
}
