/* SPDX-License-Identifier: Apache-2.0 */
#include "user/cli/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/store/event_pack.h"

struct kept_event {
	uint8_t *data; /* NULL: no event has this id */
	size_t size;
};

static int make_room(struct kept *k, size_t number)
{
	size_t room = k->room ? k->room : 256;
	struct kept_event *more;

	while (room < number)
		room *= 2;
	if (room == k->room)
		return 0;
	more = reallocarray(k->events, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + k->room, 0, (room - k->room) * sizeof(*more));
	k->events = more;
	k->room = room;
	return 0;
}

int kept_put(struct kept *k, const struct event *ev)
{
	uint8_t packed[EVENT_PACK_MAX], *data;
	int size = event_pack(ev, packed, sizeof(packed));
	struct kept_event *e;

	if (size < 0)
		return size;
	if (ev->id < 1 || make_room(k, ev->id))
		return -ENOMEM;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	e = &k->events[ev->id - 1];
	free(e->data);
	memcpy(data, packed, size);
	e->data = data;
	e->size = size;
	if (ev->id > k->last_id)
		k->last_id = ev->id;
	return 0;
}

void kept_drop(struct kept *k, int64_t id)
{
	if (id < 1 || id > k->last_id)
		return;
	free(k->events[id - 1].data);
	k->events[id - 1].data = NULL;
}

bool kept_get(const struct kept *k, int64_t id, struct event *ev)
{
	const struct kept_event *e;

	if (id < 1 || id > k->last_id)
		return false;
	e = &k->events[id - 1];
	return e->data && !event_unpack(ev, e->data, e->size);
}

void kept_clear(struct kept *k)
{
	for (int64_t id = 1; id <= k->last_id; id++)
		kept_drop(k, id);
	free(k->events);
	memset(k, 0, sizeof(*k));
}
