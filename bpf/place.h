/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of this host's connections to one address and port: the control
 * group of a failure. Counted once when a connection is made and once when its
 * socket goes.
 */
#ifndef RSTSCOPE_PLACE_H
#define RSTSCOPE_PLACE_H

#include "bpf/sock.h"

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
	struct place fresh = {.open = 1, .made = 1}, *place;
	struct rec_flow f = {};
	struct place_key key;

	sock_flow(tp, &f);
	place_key(&f, &key);
	place = bpf_map_lookup_elem(&places, &key);
	if (place) {
		__sync_fetch_and_add(&place->open, 1);
		__sync_fetch_and_add(&place->made, 1);
	} else if (bpf_map_update_elem(&places, &key, &fresh, BPF_NOEXIST)) {
		return;
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
	place = bpf_map_lookup_elem(&places, &key);
	if (!place)
		return;
	if (place->open) /* an evicted place starts anew */
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
	place = bpf_map_lookup_elem(&places, &key);
	if (!place)
		return;
	r->place_open = place->open;
	r->place_made = place->made;
	r->place_served = place->served;
	r->place_served_ns = place->served_ns;
	r->known |= KNOWN_PLACE;
}

#endif
