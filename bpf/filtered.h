/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows of which netfilter dropped or rejected a segment just now. */
#ifndef RSTSCOPE_FILTERED_H
#define RSTSCOPE_FILTERED_H

#include "bpf/flow.h"

static __always_inline struct dropped_slot *filtered_slot(u64 hash)
{
	u32 index = hash & (DROPPED_SLOTS - 1);

	return bpf_map_lookup_elem(&dropped, &index);
}

/* The flow as its sender sees it, and where that happened; 0: not known. */
static __always_inline void filtered_note(const struct rec_flow *f, u32 netns)
{
	u64 hash = flow_hash(f);
	struct dropped_slot *slot = filtered_slot(hash);

	if (!slot)
		return;
	slot->hash = hash;
	slot->time_ns = bpf_ktime_get_ns();
	slot->netns = netns;
}

/* Our segment was dropped by netfilter on this host just before: a REJECT. */
#define NETFILTER_RECENT_NS 3000000ull
static __always_inline void filtered_describe(struct rec_failure *r)
{
	struct dropped_slot *slot;
	struct rec_flow f;
	u64 hash, age;

	flow_of(r, &f);
	hash = flow_hash(&f);
	slot = filtered_slot(hash);
	if (!slot || slot->hash != hash)
		return;
	if (set_separate_netns && slot->netns != r->netns)
		return;
	age = r->head.time_ns - slot->time_ns;
	if (age > NETFILTER_RECENT_NS)
		return;
	r->netfilter_us = age / 1000;
	r->known |= KNOWN_NETFILTER;
}

#endif
