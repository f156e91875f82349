/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows that this host closed lately: who closed them, and how. Serves the RST
 * that answers late data (its socket is gone) and the other end of a
 * connection that has both ends here.
 */
#ifndef RSTSCOPE_FLOW_H
#define RSTSCOPE_FLOW_H

#include "bpf/maps.h"

static __always_inline u64 flow_hash(const struct rec_flow *f)
{
	const u64 *a = (const u64 *)f->laddr, *b = (const u64 *)f->raddr;
	u64 h = a[0] * 0x9e3779b97f4a7c15ull;

	h ^= (a[1] + 0x7f4a7c15) * 0xbf58476d1ce4e5b9ull;
	h = (h << 31 | h >> 33) ^ b[0] * 0x94d049bb133111ebull;
	h = (h << 29 | h >> 35) ^ (b[1] + 0x1ce4e5b9) * 0x2545f4914f6cdd1dull;
	h = (h ^ f->ports) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static __always_inline struct closed_slot *flow_slot(const struct rec_flow *f)
{
	u32 slot = flow_hash(f) & (CLOSED_SLOTS - 1);

	return bpf_map_lookup_elem(&closed, &slot);
}

static __always_inline bool same_ip(const u8 *a, const u8 *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/* The flow's slot, or NULL: not closed here, or overwritten since. */
static __always_inline struct closed_slot *flow_find(const struct rec_flow *f,
						     bool any_netns)
{
	struct closed_slot *slot = flow_slot(f);

	if (!slot || slot->flow.ports != f->ports ||
	    !same_ip(slot->flow.laddr, f->laddr) ||
	    !same_ip(slot->flow.raddr, f->raddr))
		return NULL;
	if (!any_netns && slot->flow.netns != f->netns)
		return NULL;
	return slot;
}

static __always_inline void flow_reverse(const struct rec_flow *f,
					 struct rec_flow *out)
{
	__builtin_memcpy(out->laddr, f->raddr, 16);
	__builtin_memcpy(out->raddr, f->laddr, 16);
	out->ports = f->ports << 16 | f->ports >> 16;
	out->netns = f->netns;
}

static __always_inline void flow_of(const struct rec_failure *r,
				    struct rec_flow *f)
{
	__builtin_memcpy(f->laddr, r->laddr, 16);
	__builtin_memcpy(f->raddr, r->raddr, 16);
	f->ports = (u32)r->lport << 16 | r->rport;
	f->netns = r->netns;
}

/* Our own end, closed before. */
static __always_inline struct closed_slot *
flow_describe_closer(struct rec_failure *r)
{
	struct closed_slot *slot;
	struct rec_flow f;

	flow_of(r, &f);
	slot = flow_find(&f, false);
	if (!slot)
		return NULL;
	r->closer = slot->closed;
	r->known |= KNOWN_CLOSER;
	return slot;
}

/*
 * The other end, where it was on this host too. One that was closed before
 * this connection began, or long ago, is another connection's.
 */
#define OTHER_END_MAX_NS 600000000000ull
static __always_inline void flow_describe_other(struct rec_failure *r)
{
	struct closed_slot *slot;
	struct rec_flow f, reverse;
	u64 closed_ns;

	flow_of(r, &f);
	flow_reverse(&f, &reverse);
	slot = flow_find(&reverse, !set_separate_netns);
	if (!slot)
		return;
	closed_ns = slot->closed.closed_ns;
	if (closed_ns + OTHER_END_MAX_NS < r->head.time_ns)
		return;
	if ((r->known & KNOWN_BIRTH) && closed_ns < r->established_ns)
		return;
	r->other = slot->closed;
	r->known |= KNOWN_OTHER;
}

#endif
