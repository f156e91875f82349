/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RSTs that netfilter sends. A REJECT rule makes its RST in nf_send_reset[6]()
 * without passing tcp_send_reset. Those are in modules, which may be loaded
 * later, and may decline; once it is sure to leave, both call nf_ct_attach(),
 * which is built in and rarely called otherwise.
 */
#ifndef RSTSCOPE_REJECT_H
#define RSTSCOPE_REJECT_H

#include "bpf/sent.h"
#include "bpf/filtered.h"

static __always_inline void reject_emit(const struct sent_args *a,
					const struct segment *seg,
					const struct rec_flow *f)
{
	struct percpu *cpu = this_cpu();
	struct rec_failure *r;
	u32 folded = 0;

	if (!cpu)
		return;
	if (!stray_admit(cpu, a, seg, f, &folded)) {
		emit_folded(REC_SENT);
		return;
	}
	r = emit_reserve(REC_SENT, sizeof(*r));
	if (!r)
		return;
	r->head.failure = next_failure();
	tuple_set(r, f, seg->family);
	set_segment(r, seg);
	/* no socket was looked at: its state stays unknown */
	r->folded = folded;
	r->known |= KNOWN_NETFILTER;
	flow_describe_other(r);
	emit_submit(r);
}

static __always_inline void handle_reject(struct sk_buff *rst,
					  struct sk_buff *old)
{
	struct sent_args a = {.skb = old, .rejected = true};
	struct segment seg = {};
	struct rec_flow to = {}, f = {};

	skb_parse(rst, &seg, &to);
	if (!seg.family || !(seg.flags & TCP_RST))
		return;
	skb_netns(rst, &to);
	filtered_note(&to, to.netns);
	/* our own segment: what its socket is told says it all */
	if (!RD(old->dev))
		return;
	tally(TALLY_REJECTED, 1);
	__builtin_memset(&seg, 0, sizeof(seg));
	skb_parse(old, &seg, &f);
	f.netns = to.netns;
	if (seg.family)
		reject_emit(&a, &seg, &f);
}

#endif
