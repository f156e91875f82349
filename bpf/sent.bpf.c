// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tcp_send_reset as a raw tracepoint with probe reads: right on every kernel,
 * also on those between 6.10 and 6.12 that let the verifier believe that the
 * socket is never NULL (kernel.md, finding 5).
 */
#define SOCK_PROBE_READ
#include "bpf/sent.h"

SEC("?raw_tp/tcp_send_reset")
int send_reset_raw(struct bpf_raw_tracepoint_args *ctx)
{
	struct sent_args a = {
		.sk = (struct sock *)ctx->args[0],
		.skb = (struct sk_buff *)ctx->args[1],
	};

	if (has_reset_reason()) {
		a.reason = ctx->args[2];
		a.reason_known = true;
	}
	handle_sent(&a);
	return 0;
}
