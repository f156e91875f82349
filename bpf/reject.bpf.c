// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * RSTs that a packet filter rule sends. nf_send_reset[6]() makes them for rules
 * of the IP families, past tcp_send_reset; nf_reject_skb_v?_tcp_reset() those
 * of the bridge and netdev families (from 5.11). All are in modules, which may
 * come after us: user/observe/kprobe_event.c hangs these programs on them.
 */
#include "bpf/stub.h"

#ifdef SOCK_PROBE_READ
#include "bpf/reject.h"

/*
 * (net, sk, oldskb, hook); the first 5.10 had no sk. A hook's number is less
 * than any pointer.
 */
#define HOOKS_MAX 16
static __always_inline int routed(struct pt_regs *ctx)
{
	struct net *net = (struct net *)PT_REGS_PARM1(ctx);
	u64 third = PT_REGS_PARM3(ctx);

	if (third < HOOKS_MAX)
		handle_reject(net, (struct sk_buff *)PT_REGS_PARM2(ctx), third);
	else
		handle_reject(net, (struct sk_buff *)third,
			      (u32)PT_REGS_PARM4(ctx));
	return 0;
}

/* (net, oldskb, dev, hook) */
static __always_inline int bridged(struct pt_regs *ctx)
{
	handle_reject((struct net *)PT_REGS_PARM1(ctx),
		      (struct sk_buff *)PT_REGS_PARM2(ctx),
		      (u32)PT_REGS_PARM4(ctx));
	return 0;
}

SEC("?kprobe/nf_reject_ipv4:nf_send_reset")
int reject_v4(struct pt_regs *ctx)
{
	return routed(ctx);
}

SEC("?kprobe/nf_reject_ipv6:nf_send_reset6")
int reject_v6(struct pt_regs *ctx)
{
	return routed(ctx);
}

SEC("?kprobe/nf_reject_ipv4:nf_reject_skb_v4_tcp_reset")
int reject_frame_v4(struct pt_regs *ctx)
{
	return bridged(ctx);
}

SEC("?kprobe/nf_reject_ipv6:nf_reject_skb_v6_tcp_reset")
int reject_frame_v6(struct pt_regs *ctx)
{
	return bridged(ctx);
}
#endif
