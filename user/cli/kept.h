/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in memory until all of them are known, packed: one that was handed
 * over may be amended later.
 */
#ifndef RSTSCOPE_KEPT_H
#define RSTSCOPE_KEPT_H

#include "user/store/event.h"

struct kept_event;

/* Zero at first. */
struct kept {
	struct kept_event *events; /* by id - 1 */
	size_t room;
	int64_t last_id; /* the highest that was put */
};

/* In place of the one of the same id. 0 or -ENOMEM. */
int kept_put(struct kept *k, const struct event *ev);
/* Forgets it, where it is there. */
void kept_drop(struct kept *k, int64_t id);
/* False: no event has this id. */
bool kept_get(const struct kept *k, int64_t id, struct event *ev);
void kept_clear(struct kept *k);

#endif
