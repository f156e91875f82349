// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the calls that move data return, in the caller's own context: who is
 * told of a failure, EOF while an answer is due, and the first bytes.
 * These run on every send and receive of the host.
 */
#include "bpf/stub.h"
#include "bpf/flow.h"
#include "bpf/task.h"
#include "bpf/label.h"
#include "bpf/place.h"
#include "bpf/stack.h"
#include "bpf/mptcp.h"

/* Segments with data in which first bytes are still looked for. */
#define LABEL_SEGMENTS 4

/* Returns that tell of no failure of the connection. */
static __always_inline bool is_ordinary(int ret)
{
	return ret == -EAGAIN || ret == -EINTR || ret <= -ERESTARTSYS;
}

static __always_inline void told(struct conn *conn, int ret, bool sending)
{
	u8 told = ret ? CONN_TOLD : CONN_TOLD_EOF;
	struct rec_told *r;

	if (!conn->failure || (conn->flags & (CONN_TOLD | told)))
		return;
	conn->flags |= told;
	r = emit_reserve(REC_TOLD, sizeof(*r));
	if (!r)
		return;
	r->head.failure = conn->failure;
	r->failed_ns = conn->failed_ns;
	r->ret = ret;
	r->sending = sending;
	task_current(&r->task, HOW_CURRENT);
	emit_submit(r);
	if (ret)
		stack_take(conn->failure);
}

/* An accepted socket's owner is whoever first moves data through it: whoever
 * accepted it, where that is seen, may have passed it on. */
static __always_inline void own(struct conn *conn)
{
	if (!conn->owner.how || conn->owner.how == HOW_ACCEPT)
		task_current(&conn->owner, HOW_CURRENT);
}

/*
 * A pause ended: the one before it had been survived. What ended it is noted
 * once, by the first call after it.
 */
static __always_inline void note_gap(struct sock *sk, u32 gap, u32 end)
{
	struct conn *conn = conn_find(sk);

	if (!conn || conn->gap_end == end)
		return;
	if (conn->gap_jiffies > conn->worked_jiffies)
		conn->worked_jiffies = conn->gap_jiffies;
	conn->gap_jiffies = gap;
	conn->gap_end = end;
}

static __always_inline bool is_pause(u32 gap)
{
	u32 pause = pause_jiffies;

	return pause && gap >= pause && (s32)gap > 0;
}

/* Of an MPTCP socket less is seen: its owner, and what it is told. */
static __always_inline void mptcp_moved(struct sock *sk, int ret, bool sending)
{
	struct conn *conn = mptcp_conn_find(sk);

	if (!conn)
		return;
	if (ret > 0)
		own(conn);
	else if (!is_ordinary(ret) && (ret || !sending))
		told(conn, ret, sending);
}

/* --- sending -------------------------------------------------------------- */

/* Writes that ask for nothing: the FIN after them is in order. */
static __always_inline void note_last_word(struct conn *conn,
					   struct tcp_sock *tp, int bytes)
{
	u8 word = label_last_word(conn, bytes);

	if (!word)
		return;
	conn->goodbye_seq = RD(tp->write_seq);
	conn->flags &= ~(CONN_GOODBYE | CONN_CONTROL);
	conn->flags |= word;
}

static __always_inline void sent_data(struct sock *sk, int ret)
{
	struct tcp_sock *tp = TO_TCP(sk);
	bool first, same_jiffy;
	struct conn *conn;
	u32 sent, gap;

	if (!tp)
		return;
	sent = RD(tp->lsndtime);
	gap = sent - RD(tp->inet_conn.icsk_ack.lrcvtime);
	if (is_pause(gap) && RD(tp->bytes_received))
		note_gap(sk, gap, sent);
	first = RD(tp->data_segs_out) <= LABEL_SEGMENTS;
	same_jiffy = !gap;
	if (!first && !same_jiffy && ret > CONTROL_BYTES)
		return;
	conn = conn_find(sk);
	if (!conn)
		return;
	if (first) {
		own(conn);
		label_note(conn, ret, true);
	}
	if (same_jiffy) {
		conn->asked_seq = RD(tp->write_seq);
		conn->asked_read = RD(tp->copied_seq);
		conn->flags |= CONN_ASKED;
	}
	if (ret <= CONTROL_BYTES)
		note_last_word(conn, tp, ret);
}

static __always_inline void on_sent(struct sock *sk, int ret, int flags)
{
	struct conn *conn;

	if (RD(sk->sk_protocol) == IPPROTO_MPTCP)
		mptcp_moved(sk, ret, true);
	if (RD(sk->sk_protocol) != IPPROTO_TCP)
		return;
	if (ret > 0) {
		sent_data(sk, ret);
		return;
	}
	if (!ret || is_ordinary(ret))
		return;
	conn = conn_find(sk);
	if (conn)
		told(conn, ret, true);
}

TRACEPOINT(send_length, sock_send_length, struct sock *sk, int ret, int flags)
{
	on_sent(sk, ret, flags);
	return 0;
}

/* --- receiving ------------------------------------------------------------ */

static __always_inline void received_data(struct sock *sk, int ret)
{
	struct tcp_sock *tp = TO_TCP(sk);
	bool last_words = RD(sk->__sk_common.skc_state) == TCP_CLOSE_WAIT;
	struct conn *conn;
	u32 came, gap;

	if (!tp)
		return;
	came = RD(tp->inet_conn.icsk_ack.lrcvtime);
	gap = came - RD(tp->lsndtime);
	if (is_pause(gap) && RD(tp->bytes_sent))
		note_gap(sk, gap, came);
	if (RD(tp->data_segs_in) > LABEL_SEGMENTS && !last_words)
		return;
	conn = conn_find(sk);
	if (!conn)
		return;
	own(conn);
	label_note(conn, ret, false);
}

/*
 * EOF is a hang-up if we asked last and nothing came. It is none for a server
 * whose client leaves, after a farewell or a mere control message, in protocols
 * where the last word needs no answer, and at the end of a one-way transfer.
 */
#define ONE_WAY_SEGMENTS 16

static __always_inline bool is_hangup(const struct conn *conn,
				      struct tcp_sock *tp)
{
	u8 label = conn->first_out;

	if (conn->role == ROLE_SERVER || conn->failure)
		return false;
	if (conn_answered(conn, tp) != 0)
		return false;
	if ((conn->flags & (CONN_GOODBYE | CONN_CONTROL)) &&
	    said_last(conn, tp))
		return false;
	if (label == LABEL_SSH || label == LABEL_AMQP || label == LABEL_MQTT)
		return false;
	/* bytes_received counts the FIN, too */
	return RD(tp->bytes_received) > 1 ||
	       RD(tp->data_segs_out) <= ONE_WAY_SEGMENTS ||
	       label == LABEL_HTTP_REQUEST;
}

static __always_inline void hang_up(struct sock *sk, struct tcp_sock *tp,
				    struct conn *conn)
{
	struct rec_failure *r;
	u64 failure = next_failure(), failed_ns = 0;

	r = emit_reserve(REC_HANGUP, sizeof(*r));
	if (r) {
		r->head.failure = failure;
		failed_ns = r->head.time_ns;
		r->state = TCP_CLOSE_WAIT;
		sock_tuple(tp, r);
		sock_numbers(tp, r);
		conn_describe(conn, tp, r);
		place_describe(r);
		conn_set_answered(conn, tp, r);
		flow_describe_other(r);
		task_current(&r->task, HOW_CURRENT);
		r->known |= KNOWN_TASK;
		emit_submit(r);
		stack_take(failure);
	}
	conn_fail(conn, sk, failure, failed_ns);
	conn->flags |= CONN_TOLD_EOF;
}

static __always_inline void received_eof(struct sock *sk)
{
	struct conn *conn = conn_find(sk);
	struct tcp_sock *tp;

	if (!conn)
		return;
	if (conn->failure) {
		told(conn, 0, false);
		return;
	}
	tp = TO_TCP(sk);
	if (tp && RD(sk->__sk_common.skc_state) == TCP_CLOSE_WAIT &&
	    is_hangup(conn, tp))
		hang_up(sk, tp, conn);
}

static __always_inline void on_received(struct sock *sk, int ret, int flags)
{
	struct conn *conn;

	if (RD(sk->sk_protocol) == IPPROTO_MPTCP)
		mptcp_moved(sk, ret, false);
	if (RD(sk->sk_protocol) != IPPROTO_TCP)
		return;
	if (ret > 0) {
		if (!(flags & MSG_PEEK))
			received_data(sk, ret);
		return;
	}
	if (!ret) {
		received_eof(sk);
		return;
	}
	if (is_ordinary(ret))
		return;
	conn = conn_find(sk);
	if (conn)
		told(conn, ret, false);
}

TRACEPOINT(recv_length, sock_recv_length, struct sock *sk, int ret, int flags)
{
	on_received(sk, ret, flags);
	return 0;
}

/* --- without those tracepoints -------------------------------------------- */

/*
 * The tracepoints stand behind sock->ops->sendmsg and recvmsg from 6.3
 * (6e6eda44b939). Those are, for TCP as for UDP, the functions below, whose
 * arguments are the same from 5.10 to 6.18; inet_sendpage, for sendfile and
 * splice, is there until 6.4 (dc97391e6610). No tracepoint stands behind a
 * splice from a socket.
 */
#ifdef SOCK_PROBE_READ

/* What a call was asked, from its entry to its return. */
static __always_inline void call_enter(struct socket *sock, int flags)
{
	struct call call = {.sk = (u64)RD(sock->sk), .flags = flags};
	u64 id = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&calls, &id, &call, BPF_ANY);
}

static __always_inline bool call_leave(struct call *out)
{
	u64 id = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &id);

	if (!call)
		return false;
	*out = *call;
	bpf_map_delete_elem(&calls, &id);
	return true;
}

#define CALL(function, handler, given, args...)                                \
	SEC("?kprobe/" #function)                                              \
	int BPF_KPROBE(function##_kprobe, struct socket *sock, args)           \
	{                                                                      \
		call_enter(sock, given);                                       \
		return 0;                                                      \
	}                                                                      \
	SEC("?kretprobe/" #function)                                           \
	int BPF_KRETPROBE(function##_kretprobe, int ret)                       \
	{                                                                      \
		struct call call;                                              \
                                                                               \
		if (call_leave(&call))                                         \
			handler((struct sock *)call.sk, ret, call.flags);      \
		return 0;                                                      \
	}

#else

#define CALL(function, handler, given, args...)                                \
	SEC("?fexit/" #function)                                               \
	int BPF_PROG(function##_fexit, struct socket *sock, args, int ret)     \
	{                                                                      \
		handler(sock->sk, ret, given);                                 \
		return 0;                                                      \
	}

#endif

CALL(inet_sendmsg, on_sent, 0, void *msg, u64 size)
CALL(inet6_sendmsg, on_sent, 0, void *msg, u64 size)
CALL(inet_sendpage, on_sent, 0, void *page, int offset, u64 size, int flags)
CALL(inet_recvmsg, on_received, flags, void *msg, u64 size, int flags)
CALL(inet6_recvmsg, on_received, flags, void *msg, u64 size, int flags)
CALL(tcp_splice_read, on_received, 0, void *at, void *pipe, u64 size, u32 flags)
