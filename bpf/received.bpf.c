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
#include "bpf/error.h"

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

static __always_inline void on_receive_reset(struct percpu *cpu,
					     struct sock *sk)
{
	struct tcp_sock *tp = TO_TCP(sk);
	const struct packet *packet;
	struct rec_failure *r;
	struct conn *conn;
	u64 failure, failed_ns = 0;
	bool connecting;

	if (!tp)
		return;
	packet = packet_take_reset(cpu, sk);
	if (packet && !(packet->flags & TCP_RST))
		return; /* our own answer to it tells of it */
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
}

TRACEPOINT(receive_reset, tcp_receive_reset, struct sock *sk)
{
	struct percpu *cpu = this_cpu();

	if (!cpu)
		return 0;
	ran_note(cpu, RAN_RECEIVE_RESET, sk, NULL);
	on_receive_reset(cpu, sk);
	return 0;
}

TRACEPOINT(receive_reset_again, tcp_receive_reset, struct sock *sk)
{
	struct percpu *cpu = this_cpu();

	if (cpu && !ran_take(cpu, RAN_RECEIVE_RESET, sk, NULL))
		on_receive_reset(cpu, sk);
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

/*
 * The change to CLOSE is not seen where the kernel skips the program for it
 * (see stub.h). The report comes after the close from 6.10 (853c3bd7b791), and
 * before it until then: there an attempt dies of any error, a connection
 * certainly of this one.
 */
static __always_inline void note_error(struct sock *sk, int err, u8 state)
{
	struct tcp_sock *tp = TO_TCP(sk);

	if (!tp)
		return;
	/* the peer's numbers come with its SYN */
	if (state == TCP_CLOSE && !RD(tp->rcv_nxt))
		state = TCP_SYN_SENT;
	/* of an attempt, the connect() may have been skipped as well */
	if (state != TCP_SYN_SENT && !conn_find(sk))
		return; /* what has failed already is only known of those */
	if (state == TCP_CLOSE)
		on_error(sk, err, 0);
	else if (state == TCP_SYN_SENT || err == ETIMEDOUT)
		on_error(sk, err, state);
}

/* Without sk_err, the report is of a soft error, which ends nothing. */
static __always_inline void reported(struct sock *sk)
{
	u8 state = RD(sk->__sk_common.skc_state);
	int err = RD(sk->sk_err);

	if (RD(sk->sk_protocol) != IPPROTO_TCP)
		return;
	if (err)
		note_error(sk, err, state);
	else if (state == TCP_SYN_SENT)
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
