// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments that the kernel dropped. Those that netfilter did: a rule that
 * rejects with tcp-reset sends its RST without any tracepoint and then drops
 * the segment, so that a RST received for the same flow within milliseconds is
 * that rule's; a plain drop looks the same here, but is followed by none. And
 * RSTs that ended nothing, which are counted.
 */
#include "bpf/stub.h"
#include "bpf/segment.h"
#include "bpf/filtered.h"

struct ports {
	__be16 source;
	__be16 dest;
};

static __always_inline bool dropped_flow(struct sk_buff *skb,
					 struct rec_flow *f)
{
	unsigned char *head = RD(skb->head);
	u16 network = RD(skb->network_header);
	u8 ip[40];
	struct ports ports;
	u32 l4;

	if (bpf_probe_read_kernel(ip, sizeof(ip), head + network))
		return false;
	if (ip[0] >> 4 == 4) {
		if (ip[9] != IPPROTO_TCP)
			return false;
		l4 = (ip[0] & 15) * 4;
		__builtin_memcpy(f->laddr, ip + 12, 4);
		__builtin_memcpy(f->raddr, ip + 16, 4);
	} else {
		if (ip[6] != IPPROTO_TCP)
			return false;
		l4 = sizeof(ip);
		__builtin_memcpy(f->laddr, ip + 8, 16);
		__builtin_memcpy(f->raddr, ip + 24, 16);
	}
	/* the transport header is not set on every hook: count from the IP one
	 */
	if (bpf_probe_read_kernel(&ports, sizeof(ports), head + network + l4))
		return false;
	f->ports = (u32)bpf_ntohs(ports.source) << 16 | bpf_ntohs(ports.dest);
	return true;
}

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

	if (dropped_flow(skb, &f))
		filtered_note(&f, dropped_netns(skb));
}

static __always_inline void ignored(struct sk_buff *skb, u32 row)
{
	struct rec_flow f = {};
	struct segment seg = {};

	skb_parse(skb, &seg, &f);
	if (seg.family && (seg.flags & TCP_RST))
		tally(row, 1);
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
		ignored(skb, TALLY_IGNORED_NO_SOCKET);
	return 0;
}
