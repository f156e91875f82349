// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Packets, where the kernel shows them: see packet.h. */
#include "bpf/stub.h"
#include "bpf/packet.h"
#include "bpf/compat.h"

/*
 * --packet on, where only tracepoints are to be had. Runs for each segment of
 * an established connection: what is no RST and not among the first ones costs
 * two comparisons.
 */
#define FIRST_SEGMENTS 3

static __always_inline void probed_first(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = TO_TCP(sk);
	struct conn *conn;

	if (!tp || RD(tp->segs_in) > FIRST_SEGMENTS)
		return;
	conn = conn_find(sk);
	if (conn && !conn->handshake_ttl && !(conn->flags & CONN_SEEDED))
		conn->handshake_ttl = skb_ttl(skb);
}

TRACEPOINT(probe_packet, tcp_probe, struct sock *sk, struct sk_buff *skb)
{
	if (SKB_TCP_FLAGS(skb) & TCP_RST)
		packet_note_reset(sk, skb, PACKET_PROBED);
	else
		probed_first(sk, skb);
	return 0;
}

/* From 5.11; tcp_reset() had no segment before (049fe386d353). */
ENTRY(note_reset, tcp_reset, struct sock *sk, struct sk_buff *skb)
{
	packet_note_reset(sk, skb, PACKET_RESET);
	return 0;
}

/* Both run just before the change to ESTABLISHED. */
ENTRY(note_connect, tcp_finish_connect, struct sock *sk, struct sk_buff *skb)
{
	packet_note_handshake(sk, skb);
	return 0;
}

ENTRY(note_child, tcp_child_process, struct sock *parent, struct sock *child,
      struct sk_buff *skb)
{
	packet_note_handshake(child, skb);
	return 0;
}
