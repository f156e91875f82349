// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Connections that something else ended: a RST that was received, and errors
 * that came without one (refusals by ICMP, timeouts, unreachable peers).
 */
#include "bpf/sock.h"
#include "bpf/flow.h"
#include "bpf/task.h"

/* Our segment was dropped by netfilter on this host just before: a REJECT. */
#define NETFILTER_RECENT_NS 3000000ull
static __always_inline void netfilter_describe(struct rec_failure *r)
{
	struct dropped_slot *slot;
	struct rec_flow f;
	u64 hash, age;
	u32 index;

	flow_of(r, &f);
	hash = flow_hash(&f);
	index = hash & (DROPPED_SLOTS - 1);
	slot = bpf_map_lookup_elem(&dropped, &index);
	if (!slot || slot->hash != hash)
		return;
	age = r->head.time_ns - slot->time_ns;
	if (age > NETFILTER_RECENT_NS)
		return;
	r->netfilter_us = age / 1000;
	r->known |= KNOWN_NETFILTER;
}

/*
 * The options of the segment in hand were parsed into rx_opt before it was seen
 * to be a RST (tcp_validate_incoming). Where timestamps were agreed, a Linux
 * that aborts its socket sends them; one that knows no socket, a REJECT rule or
 * a forger does not.
 */
static __always_inline void rst_options(struct rec_failure *r,
					struct tcp_sock *tp)
{
	if (r->state == TCP_SYN_SENT ||
	    !BPF_CORE_READ_BITFIELD(tp, rx_opt.tstamp_ok))
		return;
	r->rst_timestamps = BPF_CORE_READ_BITFIELD(tp, rx_opt.saw_tstamp);
	r->known |= KNOWN_RST_OPTIONS;
}

static __always_inline void describe(struct rec_failure *r,
				     struct tcp_sock *tp, struct conn *conn)
{
	sock_tuple(tp, r);
	sock_numbers(tp, r);
	if (conn) {
		conn_describe(conn, r);
		conn_set_answered(conn, tp, r);
	} else {
		r->flags |= SOCKF_NO_RECORD;
	}
	listener_describe(r);
	flow_describe_other(r);
	netfilter_describe(r);
	if (r->sock.flags & SOCKF_OWNED) {
		task_current(&r->task, HOW_CURRENT);
		r->known |= KNOWN_TASK;
	}
}

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
	u64 failure;

	if (!tp || !cpu)
		return 0;
	tally(TALLY_RECEIVED, 1);
	failure = next_failure();
	conn = conn_find(sk);
	r = emit_reserve(REC_RECEIVED, sizeof(*r));
	if (r) {
		r->head.failure = failure;
		r->state = sk->__sk_common.skc_state;
		describe(r, tp, conn);
		rst_options(r, tp);
		if (may_be_false(r->state, r->sock.shutdown))
			r->flags |= SOCKF_MAYBE_FALSE;
		emit_submit(r);
	}
	conn_fail(conn, sk, failure, bpf_ktime_get_ns());
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
 * From 5.14. Fires right after the change to CLOSE. A soft error (sk_err 0) ends
 * nothing.
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
	u64 failure;

	if (!err || is_reset_error(err) || !cpu ||
	    sk->sk_protocol != IPPROTO_TCP ||
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
		r->state = state_before(cpu, sk, conn);
		describe(r, tp, conn);
		emit_submit(r);
	}
	conn_fail(conn, sk, failure, bpf_ktime_get_ns());
	return 0;
}
