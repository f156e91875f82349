// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * RSTs that this host sends. Direct reads are half the cost, and right where
 * the verifier knows that the socket and the segment may be NULL (6.13,
 * 838a10bd2ebf, and backports). The canary tells: it does not look before it
 * reads, and is refused there. Probe reads are right everywhere, also on those
 * between 6.10 and 6.12 that let the verifier believe that the socket is never
 * NULL (kernel.md, finding 5).
 */
#include "bpf/stub.h"
#include "bpf/sent.h"

static __always_inline void on_send_reset(struct percpu *cpu, u64 *ctx)
{
	struct sent_args a = {
		.sk = (struct sock *)ctx[0],
		.skb = (struct sk_buff *)ctx[1],
	};

	if (has_reset_reason()) {
		a.reason = ctx[2];
		a.reason_known = true;
	}
	handle_sent(cpu, &a);
}

#ifdef SOCK_PROBE_READ
#define SEND_RESET(name) SEC("?raw_tp/tcp_send_reset") int name##_raw(u64 *ctx)
#else
#define SEND_RESET(name) SEC("?tp_btf/tcp_send_reset") int name(u64 *ctx)
#endif

SEND_RESET(send_reset)
{
	struct percpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	ran_note(cpu, RAN_SEND_RESET, (void *)ctx[0], (void *)ctx[1]);
	on_send_reset(cpu, ctx);
	return 0;
}

SEND_RESET(send_reset_again)
{
	struct percpu *cpu = this_cpu();

	if (cpu &&
	    !ran_take(cpu, RAN_SEND_RESET, (void *)ctx[0], (void *)ctx[1]))
		on_send_reset(cpu, ctx);
	return 0;
}

#ifndef SOCK_PROBE_READ
SEC("?tp_btf/tcp_send_reset")
int send_reset_canary(u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	return sk->__sk_common.skc_state;
}
#endif

ENTRY(send_reset_v4, tcp_v4_send_reset, struct sock *sk, struct sk_buff *skb)
{
	sent_unseen(sk, skb, route_is_local_v4(skb));
	return 0;
}

ENTRY(send_reset_v6, tcp_v6_send_reset, struct sock *sk, struct sk_buff *skb)
{
	sent_unseen(sk, skb, route_is_local_v6(skb));
	return 0;
}
