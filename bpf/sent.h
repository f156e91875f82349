/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RSTs that this host sends: the handler. The socket may be NULL, a TIME_WAIT
 * mini socket, a listener or a full socket.
 */
#ifndef RSTSCOPE_SENT_H
#define RSTSCOPE_SENT_H

#include "bpf/sock.h"
#include "bpf/segment.h"
#include "bpf/flow.h"
#include "bpf/task.h"
#include "bpf/stack.h"
#include "bpf/compat.h"

static __always_inline struct dst_entry *skb_route(struct sk_buff *skb)
{
	/* bit 0 of _skb_refdst says "not counted" (include/linux/skbuff.h) */
	return (struct dst_entry *)(RD(skb->_skb_refdst) & ~1ul);
}

static __always_inline bool route_is_local_v4(struct sk_buff *skb)
{
	struct rtable *route = (struct rtable *)skb_route(skb);

	return route && BPF_CORE_READ(route, rt_type) == RTN_LOCAL;
}

static __always_inline bool route_is_local_v6(struct sk_buff *skb)
{
	struct rt6_info *route = (struct rt6_info *)skb_route(skb);

	return route && BPF_CORE_READ(route, rt6i_flags) & RTF_LOCAL;
}

static __always_inline bool skb_is_reset(struct sk_buff *skb)
{
	struct tcp_head tcp = {};

	bpf_probe_read_kernel(&tcp, sizeof(tcp),
			      RD(skb->head) + RD(skb->transport_header));
	return tcp.flags & TCP_RST;
}

static __always_inline void skb_netns(struct sk_buff *skb, struct rec_flow *f)
{
	struct dst_entry *dst = skb_route(skb);
	struct net_device *dev = dst ? BPF_CORE_READ(dst, dev) : RD(skb->dev);

	if (dev)
		f->netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
}

static __always_inline void set_segment(struct rec_failure *r,
					const struct segment *seg)
{
	if (!seg->family)
		return;
	r->skb_len = seg->len;
	r->skb_seq = seg->seq;
	r->skb_ack = seg->ack;
	r->skb_flags = seg->flags;
	r->skb_ttl = seg->ttl;
	r->known |= KNOWN_SKB;
}

struct sent_args {
	struct sock *sk;
	struct sk_buff *skb;
	u32 reason;
	bool reason_known;
	bool rejected; /* netfilter sent it */
};

/*
 * RSTs for segments of no socket, and those of a packet filter, are as many as
 * a scanner likes: at most 10 a second and source, and 200 a second and CPU, go
 * into the ring; all are counted.
 */
#define STRAY_WINDOW_NS	 1000000000ull
#define STRAY_PER_SOURCE 10
#define STRAY_PER_CPU	 200

static __always_inline bool stray_cpu_full(struct percpu *cpu, u64 now)
{
	if (now - cpu->stray_window_ns > STRAY_WINDOW_NS) {
		cpu->stray_window_ns = now;
		cpu->stray_emitted = 0;
	}
	return cpu->stray_emitted >= STRAY_PER_CPU;
}

/* What the daemon makes an event of, should no later one carry the count. */
static __always_inline void stray_note(struct rec_stray *stray,
				       const struct rec_flow *f,
				       const struct segment *seg,
				       const struct sent_args *a)
{
	__sync_fetch_and_add(&stray->folded, 1); /* a source has many CPUs */
	stray->flow = *f;
	stray->family = seg->family;
	stray->skb_flags = seg->flags;
	stray->reason = a->reason;
	stray->reason_known = a->reason_known;
}

/* True: emit it; what *counted holds rides along. */
static __always_inline bool stray_admit(struct percpu *cpu,
					const struct sent_args *a,
					const struct segment *seg,
					const struct rec_flow *f,
					struct rec_stray **counted)
{
	struct rec_stray_key key = {.netns = f->netns, .rejected = a->rejected};
	struct rec_stray fresh = {}, *stray;
	u64 now = bpf_ktime_get_ns();
	bool full = stray_cpu_full(cpu, now);

	__builtin_memcpy(key.raddr, f->raddr, sizeof(key.raddr));
	stray = bpf_map_lookup_elem(&strays, &key);
	if (!stray) {
		fresh.window_ns = now;
		fresh.emitted = !full;
		if (full)
			stray_note(&fresh, f, seg, a);
		bpf_map_update_elem(&strays, &key, &fresh, BPF_ANY);
		cpu->stray_emitted += !full;
		return !full;
	}
	if (now - stray->window_ns > STRAY_WINDOW_NS) {
		stray->window_ns = now;
		stray->emitted = 0;
	}
	if (full || stray->emitted >= STRAY_PER_SOURCE) {
		stray_note(stray, f, seg, a);
		return false;
	}
	stray->emitted++;
	cpu->stray_emitted++;
	*counted = stray;
	return true;
}

/*
 * The record of an RST for no full socket; NULL where it is only counted.
 * `told`: the connection is known, so it is no stray.
 */
static __always_inline struct rec_failure *
stray_reserve(struct percpu *cpu, const struct sent_args *a,
	      const struct segment *seg, const struct rec_flow *f, bool told)
{
	struct rec_stray *counted = NULL;
	struct rec_failure *r;

	if (!told && !stray_admit(cpu, a, seg, f, &counted)) {
		emit_folded(REC_SENT);
		return NULL;
	}
	r = emit_reserve(REC_SENT, sizeof(*r));
	if (!r)
		return NULL; /* what was counted waits for the next one */
	r->head.failure = next_failure();
	tuple_set(r, f, seg->family);
	set_segment(r, seg);
	if (counted) {
		r->folded = counted->folded;
		counted->folded = 0;
	}
	return r;
}

static __always_inline void set_reason(struct rec_failure *r,
				       const struct sent_args *a)
{
	if (!a->reason_known)
		return;
	r->reason = a->reason;
	r->known |= KNOWN_REASON;
}

/* A segment of no full socket: late data for a closed one, or a stray. */
static __always_inline void sent_stray(struct percpu *cpu,
				       const struct sent_args *a, u8 state)
{
	struct closed_slot *slot;
	struct segment seg = {};
	struct rec_failure *r;
	struct rec_flow f = {};

	tally(TALLY_STRAY, 1);
	if (!a->skb)
		return;
	skb_parse(a->skb, &seg, &f);
	skb_netns(a->skb, &f);
	slot = flow_find(&f, false);
	if (slot && slot->late++) {
		emit_folded(REC_SENT); /* its first one was told */
		return;
	}
	r = stray_reserve(cpu, a, &seg, &f, slot != NULL);
	if (!r)
		return;
	r->state = state;
	r->sock.flags = state == TCP_TIME_WAIT ? SOCKF_TIMEWAIT : 0;
	set_reason(r, a);
	if (slot) {
		r->closer = slot->closed;
		r->known |= KNOWN_CLOSER;
	}
	listener_describe(r);
	flow_describe_other(r);
	emit_submit(r);
}

/* Remembers who aborted the flow: the peer may go on sending to it. */
static __always_inline void note_abort(const struct rec_failure *r)
{
	struct closed_slot *slot;
	struct rec_flow f;

	flow_of(r, &f);
	slot = flow_slot(&f);
	if (!slot)
		return;
	slot->late = 1; /* this RST tells of it: later ones are counted */
	slot->flow = f;
	__builtin_memset(&slot->closed, 0, sizeof(slot->closed));
	slot->closed.task = r->known & KNOWN_TASK ? r->task : r->owner;
	slot->closed.task.how = HOW_CLOSE;
	slot->closed.closed_ns = r->head.time_ns;
	slot->closed.established_ns = r->established_ns;
	slot->closed.since_send_jiffies = r->sock.since_send_jiffies;
	slot->closed.since_receive_jiffies = r->sock.since_receive_jiffies;
	slot->closed.unread = r->sock.unread;
	slot->closed.aborted = 1;
	slot->closed.role = r->role;
	slot->closed.netns = r->netns;
}

/*
 * The received event that this RST shows to be a false one: data came after our
 * close, the kernel called tcp_reset() itself and answers now. 0: none.
 */
#define FALSE_RESET_NS 50000000ull
static __always_inline u64 false_reset(struct percpu *cpu, struct conn *conn,
				       const struct sent_args *a)
{
	u64 failure = 0;

	if (!is_abort_on_data(a->reason_known, a->reason, a->skb != NULL))
		return 0;
	if (conn && conn->failure &&
	    bpf_ktime_get_ns() - conn->failed_ns < FALSE_RESET_NS)
		failure = conn->failure;
	else if (!conn && cpu->reset_sk == (u64)a->sk)
		failure = cpu->reset_failure;
	if (failure)
		tally(TALLY_FALSE_RECEIVED, 1);
	return failure;
}

/*
 * Whether current made this RST: it holds the socket, or it closes a listener
 * with a child that nobody accepted, which is not locked (kernel.md, section
 * 2).
 */
static __always_inline bool acts_itself(const struct rec_failure *r)
{
	u32 flags = r->sock.flags;

	if (flags & SOCKF_OWNED)
		return true;
	return r->state == TCP_CLOSE && !(r->known & KNOWN_SKB) &&
	       !(flags & (SOCKF_HAS_SOCKET | SOCKF_DEAD));
}

static __always_inline void sent_full(struct percpu *cpu,
				      const struct sent_args *a, u8 state)
{
	struct tcp_sock *tp = TO_TCP(a->sk);
	struct conn *conn = conn_find(a->sk);
	u64 failure = next_failure(), voids;
	struct closed_slot *slot;
	struct segment seg = {};
	struct rec_flow ignored = {};
	struct rec_failure *r;
	bool own;

	if (!tp)
		return;
	r = emit_reserve(REC_SENT, sizeof(*r));
	if (!r)
		return;
	r->head.failure = failure;
	r->state = state;
	voids = false_reset(cpu, conn, a);
	sock_tuple(tp, r);
	sock_numbers(tp, r);
	if (conn) {
		conn_describe(conn, tp, r);
		r->flags &= ~SOCKF_AGAIN;
	} else {
		r->flags |= SOCKF_NO_RECORD;
	}
	r->voids = voids; /* an orphan has left the connection table by now */
	if (a->skb) {
		skb_parse(a->skb, &seg, &ignored);
		set_segment(r, &seg);
	}
	set_reason(r, a);
	own = acts_itself(r);
	if (own) {
		task_current(&r->task, HOW_CURRENT);
		r->known |= KNOWN_TASK;
	}
	listener_describe(r);
	slot = flow_describe_closer(r);
	flow_describe_other(r);
	if (!a->skb)
		note_abort(r);
	else if (slot)
		slot->late = 1; /* later RSTs for that flow are only counted */
	emit_submit(r);
	if (own && !a->skb)
		stack_take(failure);
}

/*
 * What was under way when we aborted the flow meets the listener of its port.
 * Later on, its ports may be those of another connection.
 */
#define IN_FLIGHT_NS 5000000000ull
static __always_inline bool flow_in_flight(const struct rec_flow *f)
{
	struct closed_slot *slot = flow_find(f, false);

	return slot && slot->late &&
	       bpf_ktime_get_ns() - slot->closed.closed_ns < IN_FLIGHT_NS;
}

/* A listener that refuses a finished handshake, or a stray ACK it met. */
static __always_inline void sent_listener(const struct sent_args *a)
{
	struct sock *sk = a->sk;
	struct tcp_sock *tp;
	struct conn *conn;
	struct segment seg = {};
	struct rec_failure *r;
	struct rec_flow f = {};

	if (a->skb) {
		skb_parse(a->skb, &seg, &f);
		f.netns = RD_NET_INUM(sk);
		if (flow_in_flight(&f)) {
			emit_folded(REC_SENT);
			return;
		}
	}
	r = emit_reserve(REC_SENT, sizeof(*r));
	if (!r)
		return;
	r->head.failure = next_failure();
	if (a->skb) {
		tuple_set(r, &f, seg.family);
		set_segment(r, &seg);
	}
	r->state = TCP_LISTEN;
	r->role = ROLE_SERVER;
	tp = TO_TCP(sk);
	if (tp)
		sock_listener(tp, r);
	set_reason(r, a);
	conn = conn_find(sk);
	if (conn && conn->owner.how) {
		r->owner = conn->owner;
		r->known |= KNOWN_OWNER | KNOWN_LISTENER;
	}
	listener_describe(r);
	flow_describe_closer(r);
	emit_submit(r);
}

static __always_inline void handle_sent(struct percpu *cpu,
					const struct sent_args *a)
{
	struct sock *sk = a->sk;
	u8 state = TCP_CLOSE;

	tally(TALLY_SENT_FIRST + (a->reason < 39 ? a->reason : 39), 1);
	if (sk)
		state = RD(sk->__sk_common.skc_state);
	if (!sk || state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV)
		sent_stray(cpu, a, state);
	else if (state == TCP_LISTEN)
		sent_listener(a);
	else
		sent_full(cpu, a, state);
}

/*
 * Until 6.9 the tracepoint is silent where there is no full socket: the
 * functions tcp_v?_send_reset() are called, and answer no RST, and nothing that
 * was not for this host (6.10 fires it everywhere, 19822a980e19).
 */
static __always_inline void sent_unseen(struct sock *sk, struct sk_buff *skb,
					bool local)
{
	u8 state = sk ? RD(sk->__sk_common.skc_state) : TCP_CLOSE;
	struct sent_args a = {.sk = sk, .skb = skb};
	struct percpu *cpu = this_cpu();

	if (!cpu)
		return;
	if (!sk)
		cpu->answered_skb = (u64)skb;
	if (sk ? state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV : !local)
		return;
	if (!skb_is_reset(skb))
		handle_sent(cpu, &a);
}

/*
 * A segment of no socket is freed, on the same CPU, after it was answered. A
 * kprobe may not have seen that: its program is not run where it interrupts
 * another kprobe (bpf_prog_active, or kprobe_running()).
 */
static __always_inline void sent_skipped(struct sk_buff *skb,
					 const struct segment *seg)
{
	bool local = seg->family == 4 ? route_is_local_v4(skb)
				      : route_is_local_v6(skb);
	struct sent_args a = {.skb = skb};
	struct percpu *cpu = this_cpu();

	if (!cpu)
		return;
	if (cpu->answered_skb != (u64)skb && local &&
	    SKB_TCP_SEQ(skb) == seg->seq && !(seg->flags & TCP_RST)) {
		tally(TALLY_ANSWER_SKIPPED, 1);
		handle_sent(cpu, &a);
	}
	cpu->answered_skb = 0; /* the next one may lie at the same address */
}

#endif
