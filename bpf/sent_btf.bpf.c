// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tcp_send_reset with direct reads: half the cost, where the verifier knows
 * that the socket and the segment may be NULL (6.13, 838a10bd2ebf, and
 * backports). The canary tells: it does not look before it reads, and is
 * refused there.
 */
#include "bpf/sent.h"

SEC("?tp_btf/tcp_send_reset")
int send_reset(u64 *ctx)
{
	struct sent_args a = {
		.sk = (struct sock *)ctx[0],
		.skb = (struct sk_buff *)ctx[1],
	};

	if (has_reset_reason()) {
		a.reason = ctx[2];
		a.reason_known = true;
	}
	handle_sent(&a);
	return 0;
}

SEC("?tp_btf/tcp_send_reset")
int send_reset_canary(u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	return sk->__sk_common.skc_state;
}
