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

/*
 * A drop that a RST follows at once was a REJECT. Of what was seen to be one,
 * the RST may be late.
 */
#define DROPPED_RECENT_NS  3000000ull
#define REJECTED_RECENT_NS 1000000000ull
static __always_inline bool filtered_recent(const struct dropped_slot *slot,
					    u64 now)
{
	return now - slot->time_ns <
	       (slot->rejected ? REJECTED_RECENT_NS : DROPPED_RECENT_NS);
}

/* The flow of the segment, and where that happened; 0: not known. */
static __always_inline void filtered_note(const struct rec_flow *f, u32 netns,
					  bool rejected)
{
	u64 hash, now = bpf_ktime_get_ns();
	struct dropped_slot *slot;
	struct rec_flow sender;

	flow_reverse(f, &sender);
	hash = flow_hash(&sender);
	slot = filtered_slot(hash);
	if (!slot)
		return;
	/* the segment that was rejected is dropped then */
	if (!rejected && slot->hash == hash && slot->rejected &&
	    filtered_recent(slot, now))
		return;
	slot->hash = hash;
	slot->time_ns = now;
	slot->netns = netns;
	slot->rejected = rejected;
}

/* Our segment was rejected by netfilter on this host just before. */
static __always_inline void filtered_describe(struct rec_failure *r)
{
	struct dropped_slot *slot;
	struct rec_flow f;
	u64 hash;

	flow_of(r, &f);
	hash = flow_hash(&f);
	slot = filtered_slot(hash);
	if (!slot || slot->hash != hash)
		return;
	if (set_separate_netns && slot->netns != r->netns)
		return;
	if (!filtered_recent(slot, r->head.time_ns))
		return;
	r->netfilter_us = (r->head.time_ns - slot->time_ns) / 1000;
	r->known |= KNOWN_NETFILTER;
}

#endif
