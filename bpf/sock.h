/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A socket: its tuple, its numbers, and the record kept of its connection.
 * This is the one place that knows how that record is kept.
 *
 * The same readers serve programs that hold a typed pointer (plain loads) and,
 * with SOCK_PROBE_READ, those that hold a bare address (probe reads): stub.h.
 */
#ifndef RSTSCOPE_SOCK_H
#define RSTSCOPE_SOCK_H

#include "bpf/compat.h"
#include "bpf/emit.h"

#ifdef SOCK_PROBE_READ
#define RD(expr)                                                               \
	({                                                                     \
		typeof(expr) __v;                                              \
		bpf_core_read(&__v, sizeof(__v), &(expr));                     \
		__v;                                                           \
	})
#define RD_BITFIELD(s, field) BPF_CORE_READ_BITFIELD_PROBED(s, field)
#define RD_NET_INUM(sk)	      BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum)
#define TO_TCP(sk)	      ((struct tcp_sock *)(sk))
#else
#define RD(expr)	      (expr)
#define RD_BITFIELD(s, field) BPF_CORE_READ_BITFIELD(s, field)
#define RD_NET_INUM(sk)	      ((sk)->__sk_common.skc_net.net->ns.inum)
#define TO_TCP(sk)	      bpf_skc_to_tcp_sock(sk)
#endif

/* --- the tuple ------------------------------------------------------------ */

static __always_inline void copy_ip6(u8 *to, const u32 *from)
{
	u32 *words = (u32 *)to;

	words[0] = from[0];
	words[1] = from[1];
	words[2] = from[2];
	words[3] = from[3];
}

static __always_inline bool is_mapped(const u32 *ip)
{
	return !ip[0] && !ip[1] && ip[2] == bpf_htonl(0xffff);
}

static __always_inline u8 sock_flow_v6(struct sock *sk, struct rec_flow *f)
{
	u32 local[4], remote[4];

#ifdef SOCK_PROBE_READ
	bpf_core_read(local, sizeof(local),
		      &sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32);
	bpf_core_read(remote, sizeof(remote),
		      &sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32);
#else
#pragma unroll
	for (int i = 0; i < 4; i++) {
		local[i] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		remote[i] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[i];
	}
#endif
	if (is_mapped(remote)) {
		*(u32 *)f->laddr = local[3];
		*(u32 *)f->raddr = remote[3];
		return 4;
	}
	copy_ip6(f->laddr, local);
	copy_ip6(f->raddr, remote);
	return 6;
}

/*
 * The flow of a full socket, zeroed before; returns 4 or 6. The local port
 * comes from inet_sport: skc_num is already 0 once the socket is unhashed
 * (kernel.md, finding 1).
 */
static __always_inline u8 sock_flow(struct tcp_sock *tp, struct rec_flow *f)
{
	struct sock *sk = (struct sock *)tp;
	u16 sport = RD(tp->inet_conn.icsk_inet.inet_sport);
	u8 family = 4;

	if (RD(sk->__sk_common.skc_family) == AF_INET) {
		*(u32 *)f->laddr = RD(sk->__sk_common.skc_rcv_saddr);
		*(u32 *)f->raddr = RD(sk->__sk_common.skc_daddr);
	} else {
		family = sock_flow_v6(sk, f);
	}
	f->ports = (u32)bpf_ntohs(sport) << 16 |
		   bpf_ntohs(RD(sk->__sk_common.skc_dport));
	f->netns = RD_NET_INUM(sk);
	return family;
}

static __always_inline void tuple_set(struct rec_failure *r,
				      const struct rec_flow *f, u8 family)
{
	r->family = family;
	__builtin_memcpy(r->laddr, f->laddr, 16);
	__builtin_memcpy(r->raddr, f->raddr, 16);
	r->lport = f->ports >> 16;
	r->rport = f->ports;
	r->netns = f->netns;
	r->known |= KNOWN_TUPLE;
}

static __always_inline void sock_tuple(struct tcp_sock *tp,
				       struct rec_failure *r)
{
	struct rec_flow f = {};
	u8 family = sock_flow(tp, &f);

	tuple_set(r, &f, family);
}

/* --- the numbers ---------------------------------------------------------- */

static __always_inline u32 jiffies_since(u32 now, u32 then)
{
	return then ? now - then : REC_NEVER; /* 0: it never happened */
}

static __always_inline u32 sock_flag_bits(struct sock *sk)
{
	u64 flags = RD(sk->__sk_common.skc_flags);
	u32 out = 0;

	if (RD(sk->sk_lock.owned))
		out |= SOCKF_OWNED;
	if (RD(sk->sk_socket))
		out |= SOCKF_HAS_SOCKET;
	if (flags & (1 << SOCK_DEAD))
		out |= SOCKF_DEAD;
	if (flags & (1 << SOCK_DONE))
		out |= SOCKF_DONE;
	if (flags & (1 << SOCK_KEEPOPEN))
		out |= SOCKF_KEEPOPEN;
	if ((flags & (1 << SOCK_LINGER)) && !RD(sk->sk_lingertime))
		out |= SOCKF_LINGER0;
	return out;
}

static __always_inline void sock_times(struct tcp_sock *tp, u64 now_ns,
				       struct rec_sock *s)
{
	u32 now = bpf_jiffies64();
	u64 sent_us = RD(tp->first_tx_mstamp);
	u64 now_us = now_ns / 1000;

	s->since_send_jiffies = jiffies_since(now, RD(tp->lsndtime));
	s->since_receive_jiffies =
		jiffies_since(now, RD(tp->inet_conn.icsk_ack.lrcvtime));
	s->since_ack_jiffies = jiffies_since(now, RD(tp->rcv_tstamp));
	s->since_busy_jiffies = jiffies_since(now, RD(tp->chrono_start));
	s->since_first_tx_us = sent_us && now_us - sent_us < REC_NEVER
				       ? now_us - sent_us
				       : REC_NEVER;
}

static __always_inline void sock_numbers(struct tcp_sock *tp,
					 struct rec_failure *r)
{
	struct sock *sk = (struct sock *)tp;
	struct rec_sock *s = &r->sock;
	u32 rcv_nxt = RD(tp->rcv_nxt), snd_nxt = RD(tp->snd_nxt);
	u32 challenge;

	s->bytes_sent = RD(tp->bytes_sent);
	s->bytes_acked = RD(tp->bytes_acked);
	s->bytes_received = RD(tp->bytes_received);
	s->bytes_retrans = RD(tp->bytes_retrans);
	s->unread = IS_MPTCP(tp) ? REC_NEVER : rcv_nxt - RD(tp->copied_seq);
	s->unacked = snd_nxt - RD(tp->snd_una);
	s->unsent = RD(tp->write_seq) - snd_nxt;
	s->packets_out = RD(tp->packets_out);
	s->data_segs_out = RD(tp->data_segs_out);
	s->data_segs_in = RD(tp->data_segs_in);
	s->srtt_us = RD(tp->srtt_us) >> 3;
	s->answer_bytes = rcv_nxt - RD(tp->snd_wl1);
	s->user_timeout_ms = RD(tp->inet_conn.icsk_user_timeout);
	s->keepalive_time_jiffies = RD(tp->keepalive_time);
	s->err = RD(sk->sk_err);
	s->err_soft = RD(sk->sk_err_soft);
	s->linger2 = RD(tp->linger2);
	s->total_retrans = RD(tp->total_retrans);
	s->retransmits = RD(tp->inet_conn.icsk_retransmits);
	s->probes_out = RD(tp->inet_conn.icsk_probes_out);
	s->backoff = RD(tp->inet_conn.icsk_backoff);
	s->shutdown = RD(sk->sk_shutdown);
	s->flags = sock_flag_bits(sk);
	if (IS_MPTCP(tp))
		s->flags |= SOCKF_MPTCP;
	sock_times(tp, r->head.time_ns, s);
	r->rcv_nxt = rcv_nxt;
	r->snd_una = RD(tp->snd_una);
	challenge = RD(tp->last_oow_ack_time);
	if (challenge)
		r->since_challenge_jiffies = (u32)bpf_jiffies64() - challenge;
	r->known |= KNOWN_SOCK;
}

static __always_inline void sock_listener(struct tcp_sock *tp,
					  struct rec_failure *r)
{
	struct sock *sk = (struct sock *)tp;

	r->sock.accept_backlog = RD(sk->sk_ack_backlog);
	r->sock.accept_max = RD(sk->sk_max_ack_backlog);
	r->sock.accept_pending =
		RD(tp->inet_conn.icsk_accept_queue.qlen.counter);
	r->sock.flags |= SOCKF_LISTENER;
}

/* --- the record of a connection ------------------------------------------- */

static __always_inline struct conn *conn_find(const void *sk)
{
	u64 key = (u64)sk;

	return bpf_map_lookup_elem(&conns, &key);
}

static __always_inline int conn_put(const void *sk, const struct conn *conn)
{
	u64 key = (u64)sk;
	int err = bpf_map_update_elem(&conns, &key, conn, BPF_ANY);

	if (err)
		tally(TALLY_CONN_FULL, 1);
	return err;
}

static __always_inline void conn_forget(const void *sk)
{
	u64 key = (u64)sk;

	bpf_map_delete_elem(&conns, &key);
}

/*
 * Whether data came after our last write: 1, 0, or -1 where we wrote nothing.
 * The kernel's two times decide but where they fall into one jiffy; then a
 * write that was made after a receipt in the same jiffy has been noted, and
 * otherwise it was the receipt that made them equal.
 */
static __always_inline int conn_answered(const struct conn *conn,
					 struct tcp_sock *tp)
{
	u32 sent = RD(tp->lsndtime);
	u32 received = RD(tp->inet_conn.icsk_ack.lrcvtime);
	u32 end = RD(tp->rcv_nxt);

	if (!RD(tp->bytes_sent))
		return -1;
	if (!RD(tp->bytes_received))
		return 0;
	if (sent != received)
		return (s32)(received - sent) > 0;
	if (!(conn->flags & CONN_ASKED) || conn->asked_seq != RD(tp->write_seq))
		return 1;
	if (RD(((struct sock *)tp)->__sk_common.skc_flags) & (1 << SOCK_DONE))
		end--; /* rcv_nxt counts the FIN */
	return end != conn->asked_read;
}

static __always_inline void conn_set_answered(const struct conn *conn,
					      struct tcp_sock *tp,
					      struct rec_failure *r)
{
	int answered = conn_answered(conn, tp);

	if (answered < 0)
		return;
	r->answered = answered;
	r->known |= KNOWN_ASKED;
}

static __always_inline void conn_labels(const struct conn *conn,
					struct rec_failure *r)
{
	r->first_out = conn->first_out;
	r->first_in = conn->first_in;
	r->first_out_len = conn->first_out_len;
	r->first_in_len = conn->first_in_len;
	r->tls = conn->tls;
	r->tls_alert = conn->tls_alert;
	r->http_status = conn->http_status;
	if (conn->first_out || conn->first_in)
		r->known |= KNOWN_LABELS;
}

/* Nothing was written after the farewell or control message; a FIN may have. */
static __always_inline bool said_last(const struct conn *conn,
				      struct tcp_sock *tp)
{
	return RD(tp->write_seq) - conn->goodbye_seq <= 1;
}

/* What the connection's record adds to a failure. */
static __always_inline void conn_describe(const struct conn *conn,
					  struct tcp_sock *tp,
					  struct rec_failure *r)
{
	r->role = conn->role;
	r->peer_fin_ns = conn->peer_fin_ns;
	if (conn->established_ns) {
		r->established_ns = conn->established_ns;
		r->known |= KNOWN_BIRTH;
	}
	if (conn->owner.how) {
		r->owner = conn->owner;
		r->known |= KNOWN_OWNER;
	}
	if (conn->flags & CONN_SEEDED)
		r->flags |= SOCKF_SEEDED;
	if (conn->failure) {
		r->flags |= SOCKF_AGAIN;
		r->voids = conn->failure;
	}
	r->gap_jiffies = conn->gap_jiffies;
	if (conn->gap_jiffies)
		r->since_gap_jiffies = (u32)bpf_jiffies64() - conn->gap_end;
	r->worked_jiffies = conn->worked_jiffies;
	r->fin_since_send_jiffies = conn->fin_since_send;
	r->notice = conn->notice;
	r->handshake_ttl = conn->handshake_ttl;
	if (conn->handshake_ttl)
		r->known |= KNOWN_HANDSHAKE_TTL;
	if ((conn->flags & CONN_GOODBYE) && said_last(conn, tp))
		r->flags |= SOCKF_GOODBYE;
	conn_labels(conn, r);
}

/*
 * Marks the connection as failed, so that the call that is told can be joined;
 * one that the table did not hold is put there now. failed_ns: the record's
 * time, 0 where the ring took none.
 */
static __always_inline void conn_fail(struct conn *conn, const void *sk,
				      u64 failure, u64 failed_ns)
{
	struct conn fresh;

	if (!failed_ns)
		failed_ns = bpf_ktime_get_ns();
	if (conn) {
		if (conn->failure)
			return; /* the first failure is the one to be told */
		conn->failure = failure;
		conn->failed_ns = failed_ns;
		return;
	}
	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.failure = failure;
	fresh.failed_ns = failed_ns;
	fresh.flags = CONN_LATE;
	conn_put(sk, &fresh);
}

/* The listener of that port gives an owner where the connection has none. */
static __always_inline void listener_describe(struct rec_failure *r)
{
	struct listener_key key = {.netns = r->netns, .port = r->lport};
	struct rec_task *task;

	if (r->role == ROLE_CLIENT)
		return; /* its port is its own */
	task = bpf_map_lookup_elem(&listeners, &key);
	if (!task)
		return;
	r->known |= KNOWN_LISTENER;
	if (r->known & KNOWN_OWNER)
		return;
	r->owner = *task;
	r->known |= KNOWN_OWNER;
}

#endif
