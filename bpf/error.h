/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections, and attempts at one, that die of an error without a RST. */
#ifndef RSTSCOPE_ERROR_H
#define RSTSCOPE_ERROR_H

#include "bpf/describe.h"
#include "bpf/stack.h"

/* Errors that a RST accounts for: its own record has been written. */
static __always_inline bool is_reset_error(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ECONNABORTED;
}

/* An orphan tells nobody. */
static __always_inline void on_error(struct sock *sk, int err, int from)
{
	u64 flags = RD(sk->__sk_common.skc_flags), failure, failed_ns = 0;
	struct tcp_sock *tp = TO_TCP(sk);
	struct conn *conn = conn_find(sk);
	struct percpu *cpu = this_cpu();
	struct rec_failure *r;

	if (is_reset_error(err) || (flags & (1 << SOCK_DEAD)) || !tp || !cpu)
		return;
	if (conn ? conn->failure != 0 : cpu->reset_sk == (u64)sk)
		return; /* the RST that ended it was seen */
	failure = next_failure();
	r = emit_reserve(REC_ERROR, sizeof(*r));
	if (r) {
		r->head.failure = failure;
		failed_ns = r->head.time_ns;
		r->state = from;
		describe(r, tp, conn);
		emit_submit(r);
		if (from == TCP_SYN_SENT)
			stack_take_connect(sk, failure);
	}
	conn_fail(conn, sk, failure, failed_ns);
}

#endif
