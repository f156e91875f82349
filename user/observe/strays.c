// SPDX-License-Identifier: Apache-2.0
/*
 * RSTs for segments of no socket and those of a packet filter are sampled into
 * the ring and counted by source in a map; what no record carried is taken from
 * there.
 */
#include <netinet/tcp.h>
#include <string.h>

#include <bpf/bpf.h>

#include "user/base/base.h"
#include "user/observe/observer_state.h"

#define STRAY_QUIET_NS NSEC_PER_SEC

static void stray_record(struct observer *o, const struct rec_stray_key *key,
			 const struct rec_stray *stray, struct rec_failure *r)
{
	memset(r, 0, sizeof(*r));
	r->head.kind = REC_SENT;
	r->head.size = sizeof(*r);
	r->head.time_ns = clock_mono_ns();
	r->head.failure =
		++o->stray_serial; /* the kernel's have a CPU on top */
	r->known = KNOWN_TUPLE | KNOWN_SKB;
	if (stray->reason_known)
		r->known |= KNOWN_REASON;
	r->reason = stray->reason;
	if (key->rejected)
		r->known |= KNOWN_NETFILTER;
	else
		r->state = TCP_CLOSE;
	r->family = stray->family;
	r->netns = stray->flow.netns;
	r->lport = stray->flow.ports >> 16;
	r->rport = stray->flow.ports & 0xffff;
	memcpy(r->laddr, stray->flow.laddr, sizeof(r->laddr));
	memcpy(r->raddr, stray->flow.raddr, sizeof(r->raddr));
	r->skb_flags = stray->skb_flags;
	r->folded = stray->folded - 1;
}

/* Returns whether it is too young: it has to be looked at again. */
static bool take_stray(struct observer *o, const struct rec_stray_key *key,
		       record_fn fn, void *ctx)
{
	int fd = bpf_map__fd(o->skel->maps.strays);
	struct rec_failure record;
	struct rec_stray stray;

	if (bpf_map_lookup_elem(fd, key, &stray) || !stray.folded)
		return false;
	if (clock_mono_ns() - stray.window_ns < STRAY_QUIET_NS)
		return true;
	/* in one step from 5.14 (3e87f192b405); before, what is counted between
	 * the two is lost to the event, not to the counters */
	if (bpf_map_lookup_and_delete_elem(fd, key, &stray) &&
	    bpf_map_delete_elem(fd, key))
		return false;
	if (!stray.folded) /* a record took it along meanwhile */
		return false;
	stray_record(o, key, &stray, &record);
	fn(&record, sizeof(record), ctx);
	return false;
}

void observer_take_strays(struct observer *o, record_fn fn, void *ctx)
{
	int fd = bpf_map__fd(o->skel->maps.strays);
	uint64_t seen = observer_tally(o, TALLY_STRAY) +
			observer_tally(o, TALLY_REJECTED);
	struct rec_stray_key key, next;
	bool more;

	if (seen == o->strays_seen && !o->strays_left)
		return;
	o->strays_left = false;
	o->strays_seen = seen;
	more = !bpf_map_get_next_key(fd, NULL, &key);
	while (more) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		o->strays_left |= take_stray(o, &key, fn, ctx);
		key = next;
	}
}
