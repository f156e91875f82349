/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packets around which a connection begins and ends by a RST. The
 * tracepoints that tell of either have no packet: a hook that runs just before
 * them on the same CPU leaves it in struct percpu, by socket.
 */
#ifndef RSTSCOPE_PACKET_H
#define RSTSCOPE_PACKET_H

#include "bpf/segment.h"

static __always_inline void packet_note_reset(struct sock *sk,
					      struct sk_buff *skb, u8 from)
{
	struct percpu *cpu = this_cpu();
	struct rec_flow ignored = {};
	struct segment seg = {};

	if (!cpu || !skb)
		return;
	skb_parse(skb, &seg, &ignored);
	cpu->packet.sk = seg.family ? (u64)sk : 0;
	cpu->packet.seq = seg.seq;
	cpu->packet.ack = seg.ack;
	cpu->packet.window = seg.window;
	cpu->packet.flags = seg.flags;
	cpu->packet.ttl = seg.ttl;
	cpu->packet.from = from;
}

static __always_inline void packet_note_handshake(struct sock *sk,
						  struct sk_buff *skb)
{
	struct percpu *cpu = this_cpu();

	if (!cpu || !skb)
		return;
	cpu->packet.sk = (u64)sk;
	cpu->packet.ttl = skb_ttl(skb);
	cpu->packet.from = PACKET_HANDSHAKE;
}

/* 0: not known. */
static __always_inline u8 packet_take_handshake(const struct sock *sk)
{
	struct percpu *cpu = this_cpu();

	if (!cpu || cpu->packet.sk != (u64)sk ||
	    cpu->packet.from != PACKET_HANDSHAKE)
		return 0;
	cpu->packet.sk = 0;
	return cpu->packet.ttl;
}

/* The segment that is taken for a RST now, or NULL: none was seen. */
static __always_inline const struct packet *
packet_take_reset(struct percpu *cpu, struct sock *sk)
{
	struct packet *packet = &cpu->packet;

	if (packet->sk != (u64)sk || packet->from == PACKET_HANDSHAKE)
		return NULL;
	packet->sk = 0;
	/* in other states nothing has shown this RST: it is an older one */
	if (packet->from == PACKET_PROBED &&
	    RD(sk->__sk_common.skc_state) != TCP_ESTABLISHED)
		return NULL;
	return packet;
}

static __always_inline void packet_describe(struct rec_failure *r,
					    const struct packet *packet)
{
	r->rst_ttl = packet->ttl;
	r->rst_flags = packet->flags;
	r->rst_window = packet->window;
	r->rst_seq_ahead = packet->seq - r->rcv_nxt;
	r->rst_ack_ahead = packet->ack - r->snd_una;
	r->known |= KNOWN_PACKET;
}

#endif
