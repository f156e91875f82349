/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RSTs that netfilter sends. The functions run before the last checks (of the
 * checksum, the route, memory): now and then none follows.
 */
#ifndef RSTSCOPE_REJECT_H
#define RSTSCOPE_REJECT_H

#include "bpf/sent.h"
#include "bpf/filtered.h"

#define NF_INET_LOCAL_OUT 3

static __always_inline void reject_emit(const struct sent_args *a,
					const struct segment *seg,
					const struct rec_flow *f)
{
	struct percpu *cpu = this_cpu();
	struct rec_failure *r;

	if (!cpu)
		return;
	r = stray_reserve(cpu, a, seg, f, false);
	if (!r)
		return;
	/* no socket was looked at: its state stays unknown */
	r->known |= KNOWN_NETFILTER;
	flow_describe_other(r);
	emit_submit(r);
}

static __always_inline void handle_reject(struct net *net, struct sk_buff *skb,
					  u32 hook)
{
	struct sent_args a = {.skb = skb, .rejected = true};
	struct segment seg = {};
	struct rec_flow f = {};

	skb_parse_ip(skb, &seg, &f);
	if (!seg.family || (seg.flags & TCP_RST))
		return;
	f.netns = RD(net->ns.inum);
	filtered_note(&f, f.netns, true);
	tally(TALLY_REJECTED, 1);
	/* our own segment: what its socket is told says it all */
	if (hook != NF_INET_LOCAL_OUT)
		reject_emit(&a, &seg, &f);
}

#endif
