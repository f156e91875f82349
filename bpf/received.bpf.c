// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What comes from the peer or the path and ends a connection, or an attempt at
 * one: a RST that was received, ICMP while connecting.
 */
#include "bpf/stub.h"
#include "bpf/flow.h"
#include "bpf/task.h"
#include "bpf/describe.h"
#include "bpf/stack.h"
#include "bpf/packet.h"

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

TRACEPOINT(receive_reset, tcp_receive_reset, struct sock *sk)
{
	struct tcp_sock *tp = TO_TCP(sk);
	struct percpu *cpu = this_cpu();
	const struct packet *packet;
	struct rec_failure *r;
	struct conn *conn;
	u64 failure, failed_ns = 0;
	bool connecting;

	if (!tp || !cpu)
		return 0;
	packet = packet_take_reset(cpu, sk);
	if (packet && !(packet->flags & TCP_RST))
		return 0; /* our own answer to it tells of it */
	tally(TALLY_RECEIVED, 1);
	failure = next_failure();
	conn = conn_find(sk);
	r = emit_reserve(REC_RECEIVED, sizeof(*r));
	if (r) {
		r->head.failure = failure;
		failed_ns = r->head.time_ns;
		r->state = RD(sk->__sk_common.skc_state);
		describe(r, tp, conn);
		rst_options(r, tp);
		if (packet)
			packet_describe(r, packet);
		if (may_be_false(r->state, r->sock.shutdown))
			r->flags |= SOCKF_MAYBE_FALSE;
		connecting = r->state == TCP_SYN_SENT;
		emit_submit(r);
		if (connecting)
			stack_take_connect(sk, failure);
	}
	conn_fail(conn, sk, failure, failed_ns);
	cpu->reset_sk = (u64)sk;
	cpu->reset_failure = failure;
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

	if (!conn || !RD(sk->sk_error_queue.qlen))
		return;
	last = RD(sk->sk_error_queue.prev);
	ext = (struct sock_exterr_skb *)((u64)last +
					 bpf_core_field_offset(last->cb));
	if (bpf_core_read(&soft, sizeof(soft), &ext->ee.ee_errno))
		return;
	if (soft && soft < 256)
		conn->soft_err = soft;
}

/* Without sk_err, the report is of a soft error, which ends nothing. */
static __always_inline void reported(struct sock *sk)
{
	if (RD(sk->sk_protocol) == IPPROTO_TCP && !RD(sk->sk_err) &&
	    RD(sk->__sk_common.skc_state) == TCP_SYN_SENT)
		note_soft_error(sk);
}

/* From 5.14 (e6a3e4434000). */
TRACEPOINT(error_report, inet_sk_error_report, const struct sock *sk)
{
	reported((struct sock *)sk);
	return 0;
}

/* What sk->sk_error_report is for TCP where no tracepoint precedes it. */
ENTRY(error_report_function, sock_def_error_report, struct sock *sk)
{
	reported(sk);
	return 0;
}
