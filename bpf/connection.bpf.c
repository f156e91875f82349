// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The life of a connection, from the changes of its state. Every healthy
 * connection runs this: what is not needed for an answer is not done.
 */
#include "bpf/stub.h"
#include "bpf/flow.h"
#include "bpf/task.h"
#include "bpf/describe.h"
#include "bpf/place.h"
#include "bpf/stack.h"
#include "bpf/packet.h"
#include "bpf/mptcp.h"
#include "bpf/error.h"

/* connect() runs in the caller; the local port is not chosen yet. */
static __always_inline void on_connect(struct sock *sk)
{
	struct conn conn;

	__builtin_memset(&conn, 0, sizeof(conn));
	conn.role = ROLE_CLIENT;
	task_current(&conn.owner, HOW_CONNECT);
	if (is_kernel_thread())
		mptcp_join_owner(sk, &conn.owner);
	conn_put(sk, &conn);
	stack_keep_connect(sk);
}

static __always_inline void on_established(struct sock *sk, int from)
{
	struct conn fresh, *conn;
	struct tcp_sock *tp;

	if (from == TCP_SYN_SENT) {
		tally(TALLY_ESTABLISHED_CLIENT, 1);
		conn = conn_find(sk);
		tp = TO_TCP(sk);
		if (!conn || !tp)
			return;
		conn->established_ns = bpf_ktime_get_ns();
		conn->handshake_ttl = packet_take_handshake(sk);
		place_enter(tp, conn);
		return;
	}
	if (from != TCP_SYN_RECV)
		return;
	/* In a softirq: nobody here is the owner (kernel.md, finding 3). */
	tally(TALLY_ESTABLISHED_SERVER, 1);
	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.role = ROLE_SERVER;
	fresh.established_ns = bpf_ktime_get_ns();
	fresh.handshake_ttl = packet_take_handshake(sk);
	conn_put(sk, &fresh);
}

static __always_inline void on_peer_fin(struct sock *sk)
{
	struct tcp_sock *tp = TO_TCP(sk);
	struct conn *conn = conn_find(sk);

	if (!conn || !tp)
		return;
	conn->peer_fin_ns = bpf_ktime_get_ns();
	/* a farewell in the same segment hides the silence before it */
	if (RD(tp->bytes_sent))
		conn->fin_since_send = (u32)bpf_jiffies64() - RD(tp->lsndtime);
}

/* We close first: whoever does it is remembered for data that comes late. */
static __always_inline void on_close(struct sock *sk)
{
	struct tcp_sock *tp = TO_TCP(sk);
	u32 now = bpf_jiffies64();
	struct closed_slot *slot;
	struct rec_flow f = {};
	struct conn *conn;

	if (!tp || !RD(sk->sk_lock.owned))
		return;
	sock_flow(tp, &f);
	slot = flow_slot(&f);
	if (!slot)
		return;
	conn = conn_find(sk);
	slot->flow = f;
	slot->late = 0;
	__builtin_memset(&slot->closed, 0, sizeof(slot->closed));
	task_current(&slot->closed.task, HOW_CLOSE);
	slot->closed.closed_ns = bpf_ktime_get_ns();
	if (conn) {
		slot->closed.established_ns = conn->established_ns;
		slot->closed.role = conn->role;
	}
	slot->closed.since_send_jiffies = jiffies_since(now, RD(tp->lsndtime));
	slot->closed.since_receive_jiffies =
		jiffies_since(now, RD(tp->inet_conn.icsk_ack.lrcvtime));
	slot->closed.unread = RD(tp->rcv_nxt) - RD(tp->copied_seq);
	slot->closed.netns = f.netns;
}

/*
 * listen() runs in the caller. A socket that was not bound gets its port only
 * after this change (what stands in inet_sport is that of its last time, if
 * any): it is known by itself, not by its port.
 */
static __always_inline void on_listen(struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct listener_key key = {
		.netns = RD_NET_INUM(sk),
		.port = RD(sk->__sk_common.skc_num),
	};
	struct conn conn;
	u32 one = 1;

	__builtin_memset(&conn, 0, sizeof(conn));
	conn.role = ROLE_SERVER;
	task_current(&conn.owner, HOW_LISTEN);
	conn_put(sk, &conn);
	if (!key.port)
		tally(TALLY_UNBOUND, 1); /* the daemon looks for it */
	else if (bpf_map_update_elem(&listeners, &key, &conn.owner, BPF_ANY))
		tally(TALLY_CONN_FULL, 1);
	bpf_map_update_elem(&servers, &conn.owner.tgid, &one, BPF_ANY);
}

/* The port may have been given back already: skc_num is 0 then. */
static __always_inline void on_listener_closed(struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	struct listener_key key = {
		.netns = RD_NET_INUM(sk),
		.port = bpf_ntohs(RD(((struct inet_sock *)sk)->inet_sport)),
	};

	bpf_map_delete_elem(&listeners, &key);
}

/*
 * The caller gives up a connection attempt: that is how most programs time out.
 * One whose SYN was never repeated, and that no ICMP answered, tells nothing.
 */
static __always_inline void on_abandoned(struct sock *sk)
{
	struct tcp_sock *tp = TO_TCP(sk);
	struct conn *conn = conn_find(sk);
	struct rec_failure *r;

	if (!tp || !conn || conn->failure || !RD(sk->sk_lock.owned))
		return;
	if (!conn->soft_err && !RD(tp->inet_conn.icsk_retransmits))
		return;
	r = emit_reserve(REC_ERROR, sizeof(*r));
	if (!r)
		return;
	r->head.failure = next_failure();
	r->state = TCP_SYN_SENT;
	describe(r, tp, conn);
	r->sock.err = conn->soft_err;
	conn->failure = r->head.failure;
	conn->flags |= CONN_TOLD; /* by its own hand */
	emit_submit(r);
	stack_take(conn->failure);
}

static __always_inline void on_closed(struct sock *sk, int from)
{
	struct tcp_sock *tp;
	int err = RD(sk->sk_err);

	/* TCP sets it before it closes the socket */
	if (err)
		on_error(sk, err, from);
	else if (from == TCP_SYN_SENT)
		on_abandoned(sk);
	if (from != TCP_LISTEN)
		return;
	tp = TO_TCP(sk);
	if (tp)
		on_listener_closed(tp);
}

TRACEPOINT(set_state, inet_sock_set_state, const struct sock *csk, int from,
	   int to)
{
	struct sock *sk = (struct sock *)csk;
	struct tcp_sock *tp;

	if (RD(sk->sk_protocol) != IPPROTO_TCP)
		return 0;
	switch (to) {
	case TCP_SYN_SENT:
		on_connect(sk);
		break;
	case TCP_ESTABLISHED:
		on_established(sk, from);
		break;
	case TCP_CLOSE_WAIT:
		on_peer_fin(sk);
		break;
	case TCP_FIN_WAIT1:
		on_close(sk);
		break;
	case TCP_LISTEN:
		tp = TO_TCP(sk);
		if (tp)
			on_listen(tp);
		break;
	case TCP_CLOSE:
		on_closed(sk, from);
		break;
	}
	return 0;
}

/* A failed connection that nobody was told of: its closer was its owner. */
static __always_inline void report_closed(const struct conn *conn)
{
	struct rec_told *r;

	r = emit_reserve(REC_CLOSED, sizeof(*r));
	if (!r)
		return;
	r->head.failure = conn->failure;
	r->failed_ns = conn->failed_ns;
	task_current(&r->task, HOW_CURRENT);
	emit_submit(r);
}

TRACEPOINT(destroy_sock, tcp_destroy_sock, struct sock *sk)
{
	struct conn *conn = conn_find(sk);
	struct tcp_sock *tp;

	if (!conn)
		return 0;
	if (conn->failure && !(conn->flags & CONN_TOLD) &&
	    RD(sk->sk_lock.owned) && !is_kernel_thread())
		report_closed(conn);
	if (conn->flags & CONN_PLACED) {
		tp = TO_TCP(sk);
		/* the peer's FIN counts as one byte */
		if (tp)
			place_leave(tp, !conn->failure &&
						RD(tp->bytes_received) > 1);
	}
	conn_forget(sk);
	return 0;
}

/* Who takes a connection from the queue owns it until it passes it on. */
static __always_inline void on_accepted(struct sock *sk)
{
	struct conn *conn = sk ? conn_find(sk) : NULL;

	if (conn && !conn->owner.how)
		task_current(&conn->owner, HOW_ACCEPT);
}

#ifdef SOCK_PROBE_READ
SEC("?kretprobe/inet_csk_accept")
int BPF_KRETPROBE(accepted_kretprobe, struct sock *sk)
{
	on_accepted(sk);
	return 0;
}
#else
SEC("?fexit/inet_csk_accept")
int accepted(u64 *ctx)
{
	on_accepted(accepted_sock(ctx));
	return 0;
}
#endif
