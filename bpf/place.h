/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of this host's connections to one address and port: the control
 * group of a failure. Counted once when a connection is made and once when its
 * socket goes.
 */
#ifndef RSTSCOPE_PLACE_H
#define RSTSCOPE_PLACE_H

#include "bpf/sock.h"

static __always_inline struct place *place_slot(const struct place_key *key)
{
	const u64 *ip = (const u64 *)key->raddr;
	u64 h = (ip[0] ^ ip[1] * 0x9e3779b97f4a7c15ull) +
		((u64)key->netns << 16 ^ key->port);
	u32 slot;

	h *= 0xbf58476d1ce4e5b9ull;
	slot = (h >> 32) & (PLACE_SLOTS - 1);
	return bpf_map_lookup_elem(&places, &slot);
}

static __always_inline bool place_is(const struct place *place,
				     const struct place_key *key)
{
	const u64 *a = (const u64 *)place->key.raddr;
	const u64 *b = (const u64 *)key->raddr;

	return a[0] == b[0] && a[1] == b[1] && place->key.netns == key->netns &&
	       place->key.port == key->port;
}

static __always_inline void place_key(const struct rec_flow *f,
				      struct place_key *key)
{
	__builtin_memcpy(key->raddr, f->raddr, sizeof(key->raddr));
	key->netns = f->netns;
	key->port = f->ports & 0xffff;
}

/* A connection of ours to that place is established. */
static __always_inline void place_enter(struct tcp_sock *tp, struct conn *conn)
{
	struct rec_flow f = {};
	struct place_key key;
	struct place *place;

	sock_flow(tp, &f);
	place_key(&f, &key);
	place = place_slot(&key);
	if (!place)
		return;
	if (place_is(place, &key)) {
		__sync_fetch_and_add(&place->open, 1);
		__sync_fetch_and_add(&place->made, 1);
	} else {
		place->key = key;
		place->served_ns = 0;
		place->served = 0;
		place->open = place->made = 1;
	}
	conn->flags |= CONN_PLACED;
}

/* Its socket goes; `served`: without failure, after data had come. */
static __always_inline void place_leave(struct tcp_sock *tp, bool served)
{
	struct rec_flow f = {};
	struct place_key key;
	struct place *place;

	sock_flow(tp, &f);
	place_key(&f, &key);
	place = place_slot(&key);
	if (!place || !place_is(place, &key))
		return;
	if (place->open) /* a slot that was taken over starts anew */
		__sync_fetch_and_add(&place->open, -1);
	if (!served)
		return;
	__sync_fetch_and_add(&place->served, 1);
	place->served_ns = bpf_ktime_get_ns();
}

static __always_inline void place_describe(struct rec_failure *r)
{
	struct place_key key;
	struct rec_flow f;
	struct place *place;

	if (r->role != ROLE_CLIENT)
		return;
	__builtin_memcpy(f.raddr, r->raddr, sizeof(f.raddr));
	f.netns = r->netns;
	f.ports = r->rport;
	place_key(&f, &key);
	place = place_slot(&key);
	if (!place || !place_is(place, &key))
		return;
	r->place_open = place->open;
	r->place_made = place->made;
	r->place_served = place->served;
	r->place_served_ns = place->served_ns;
	r->known |= KNOWN_PLACE;
}

#endif
