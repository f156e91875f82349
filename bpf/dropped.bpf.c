// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments that the kernel dropped. Those that netfilter did: a rule that
 * rejects with tcp-reset sends its RST without any tracepoint and then drops
 * the segment, so that a RST received for the same flow within milliseconds is
 * that rule's; a plain drop looks the same here, but is followed by none. RSTs
 * that ended nothing, which are counted. And segments of no socket whose answer
 * no program saw.
 */
#include "bpf/stub.h"
#include "bpf/segment.h"
#include "bpf/filtered.h"
#include "bpf/sent.h"

/* Where it was dropped: its socket's namespace, or that of its device. */
static __always_inline u32 dropped_netns(struct sk_buff *skb)
{
	struct sock *sk = RD(skb->sk);
	struct net_device *dev = RD(skb->dev);

	if (sk)
		return RD_NET_INUM(sk);
	if (dev)
		return BPF_CORE_READ(dev, nd_net.net, ns.inum);
	return 0;
}

static __always_inline void filtered(struct sk_buff *skb)
{
	struct rec_flow f = {};
	struct segment seg = {};

	skb_parse_ip(skb, &seg, &f);
	if (seg.family)
		filtered_note(&f, dropped_netns(skb), false);
}

static __always_inline void ignored(struct sk_buff *skb, u32 row)
{
	struct rec_flow f = {};
	struct segment seg = {};

	skb_parse(skb, &seg, &f);
	if (seg.family && (seg.flags & TCP_RST))
		tally(row, 1);
}

static __always_inline void no_socket(struct sk_buff *skb)
{
	struct rec_flow f = {};
	struct segment seg = {};

	skb_parse(skb, &seg, &f);
	if (!seg.family)
		return;
	if (seg.flags & TCP_RST)
		tally(TALLY_IGNORED_NO_SOCKET, 1);
	if (set_answers_by_kprobe)
		sent_skipped(skb, &seg);
}

TRACEPOINT(skb_dropped, kfree_skb, struct sk_buff *skb, void *location,
	   u32 reason)
{
	if (!reason)
		return 0; /* also stands for a reason that is not known here */
	if (reason == set_drop_netfilter)
		filtered(skb);
	else if (reason == set_drop_sequence || reason == set_drop_end)
		ignored(skb, TALLY_IGNORED_SEQUENCE);
	else if (reason == set_drop_reset)
		ignored(skb, TALLY_IGNORED_CHALLENGED);
	else if (reason == set_drop_no_socket)
		no_socket(skb);
	return 0;
}
