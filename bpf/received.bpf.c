// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Connections that something else ended: a RST that was received, and errors
 * that came without one (refusals by ICMP, timeouts, unreachable peers).
 */
#include "bpf/sock.h"
#include "bpf/flow.h"
#include "bpf/task.h"
#include "bpf/describe.h"

/*
 * Data that arrives after our close makes the kernel call tcp_reset() itself:
 * no RST came, and a tcp_send_reset for the same socket follows at once on this
 * CPU (kernel.md, finding 2). Such a record is marked; the daemon waits for the
 * one that voids it.
 */
static __always_inline bool may_be_false(u8 state, u8 shutdown)
{
	return (shutdown & 1) && state != TCP_ESTABLISHED &&
	       state != TCP_SYN_SENT;
}

SEC("?tp_btf/tcp_receive_reset")
int BPF_PROG(receive_reset, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct percpu *cpu = this_cpu();
	struct rec_failure *r;
	struct conn *conn;
	u64 failure, failed_ns = 0;

	if (!tp || !cpu)
		return 0;
	tally(TALLY_RECEIVED, 1);
	failure = next_failure();
	conn = conn_find(sk);
	r = emit_reserve(REC_RECEIVED, sizeof(*r));
	if (r) {
		r->head.failure = failure;
		failed_ns = r->head.time_ns;
		r->state = sk->__sk_common.skc_state;
		describe(r, tp, conn);
		rst_options(r, tp);
		if (may_be_false(r->state, r->sock.shutdown))
			r->flags |= SOCKF_MAYBE_FALSE;
		emit_submit(r);
	}
	conn_fail(conn, sk, failure, failed_ns);
	cpu->reset_sk = (u64)sk;
	cpu->reset_failure = failure;
	return 0;
}

/* Errors that a RST accounts for: its own record has been written. */
static __always_inline bool is_reset_error(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ECONNABORTED;
}

/* The change to CLOSE left it on this CPU, unless a backlog's task moved. */
static __always_inline u8 state_before(const struct percpu *cpu,
				       const struct sock *sk,
				       const struct conn *conn)
{
	if (cpu->close_sk == (u64)sk)
		return cpu->close_state;
	if (conn && conn->role == ROLE_CLIENT && !conn->established_ns &&
	    !(conn->flags & CONN_SEEDED))
		return TCP_SYN_SENT;
	return 0;
}

/*
 * ICMP while connect() holds the socket sets only the soft error (after this
 * report), and SO_ERROR takes that away. The error queue has it already: what
 * ended the attempt is told if the socket is closed before it connects.
 */
static __always_inline void note_soft_error(struct sock *sk)
{
	struct conn *conn = conn_find(sk);
	struct sock_exterr_skb *ext;
	struct sk_buff *last;
	u32 soft;

	if (!conn || !sk->sk_error_queue.qlen)
		return;
	last = sk->sk_error_queue.prev;
	ext = (struct sock_exterr_skb *)((u64)last +
					 bpf_core_field_offset(last->cb));
	if (bpf_core_read(&soft, sizeof(soft), &ext->ee.ee_errno))
		return;
	if (soft && soft < 256)
		conn->soft_err = soft;
}

/*
 * From 5.14. Fires right after the change to CLOSE. A soft error (sk_err 0)
 * ends nothing.
 */
SEC("?tp_btf/inet_sk_error_report")
int BPF_PROG(error_report, const struct sock *csk)
{
	struct sock *sk = (struct sock *)csk;
	struct percpu *cpu = this_cpu();
	int err = sk->sk_err;
	struct rec_failure *r;
	struct tcp_sock *tp;
	struct conn *conn;
	u64 failure, failed_ns = 0;

	if (sk->sk_protocol != IPPROTO_TCP || !cpu)
		return 0;
	if (!err && sk->__sk_common.skc_state == TCP_SYN_SENT) {
		note_soft_error(sk);
		return 0;
	}
	if (!err || is_reset_error(err) ||
	    sk->__sk_common.skc_state != TCP_CLOSE)
		return 0;
	conn = conn_find(sk);
	if (conn ? conn->failure != 0 : cpu->reset_sk == (u64)sk)
		return 0; /* the RST that ended it was seen */
	tp = bpf_skc_to_tcp_sock((void *)csk);
	if (!tp)
		return 0;
	failure = next_failure();
	r = emit_reserve(REC_ERROR, sizeof(*r));
	if (r) {
		r->head.failure = failure;
		failed_ns = r->head.time_ns;
		r->state = state_before(cpu, sk, conn);
		describe(r, tp, conn);
		emit_submit(r);
	}
	conn_fail(conn, sk, failure, failed_ns);
	return 0;
}
