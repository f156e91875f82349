/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process names get a series of their own: at most `slots` of them, so
 * that a host that starts a new name every second cannot grow the metrics
 * without bound. The rest share the slot of `other`.
 *
 * The first names get the slots. A name that comes later and turns out to fail
 * far more often takes the slot of the least one (its series ends there); the
 * factor of two between them keeps names from taking turns.
 *
 * Not thread-safe: the caller holds its lock.
 */
#ifndef RSTSCOPE_NAME_SLOTS_H
#define RSTSCOPE_NAME_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_BYTES 16

struct name_slots;

/* NULL: out of memory. */
struct name_slots *name_slots_new(size_t slots);
void name_slots_free(struct name_slots *t);

/*
 * The slot of `name` after `n` more failures of it: 0 .. slots-1, or `slots`
 * for other. *moved becomes true where the slot belonged to another name until
 * now; whatever was counted there belongs to `other` from here on.
 */
size_t name_slots_count(struct name_slots *t, const char *name, uint64_t n,
			bool *moved);

/* How many slots are in use: they are 0 .. name_slots_used()-1. */
size_t name_slots_used(const struct name_slots *t);
/* At most NAME_BYTES bytes and a NUL. */
const char *name_slots_get(const struct name_slots *t, size_t slot);

#endif
