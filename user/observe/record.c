// SPDX-License-Identifier: Apache-2.0
#include "user/observe/record.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"

#define NSEC_PER_MSEC 1000000ull

/* --- one group of fields after the other ---------------------------------- */

static int64_t jiffies_ms(uint32_t jiffies, const struct record_context *ctx)
{
	return jiffies == REC_NEVER ? NOT_KNOWN
				    : (int64_t)(jiffies * ctx->jiffy_ms + 0.5);
}

static int64_t span_ms(uint64_t from_ns, uint64_t to_ns)
{
	if (!from_ns || to_ns < from_ns)
		return NOT_KNOWN;
	return (int64_t)((to_ns - from_ns) / NSEC_PER_MSEC);
}

static int64_t smaller(int64_t a, int64_t b)
{
	if (a == NOT_KNOWN)
		return b;
	return b == NOT_KNOWN || a < b ? a : b;
}

static void set_tuple(const struct rec_failure *r, struct facts *f)
{
	if (!(r->known & KNOWN_TUPLE))
		return;
	f->tuple_known = true;
	f->family = r->family;
	f->netns = r->netns ? (int64_t)r->netns : NOT_KNOWN;
	memcpy(f->local.ip, r->laddr, sizeof(f->local.ip));
	memcpy(f->peer.ip, r->raddr, sizeof(f->peer.ip));
	f->local.port = r->lport;
	f->peer.port = r->rport;
}

static bool sent_fin(int state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 ||
	       state == TCP_CLOSING || state == TCP_LAST_ACK;
}

static int64_t unread_bytes(uint32_t unread)
{
	return unread == REC_NEVER ? NOT_KNOWN : (int64_t)unread;
}

/*
 * bytes_sent counts what was sent again, bytes_acked our SYN (of a client) and
 * our FIN, bytes_received and rcv_nxt the peer's FIN, write_seq and snd_nxt our
 * SYN and FIN.
 */
static void set_bytes(const struct rec_failure *r, struct facts *f)
{
	const struct rec_sock *s = &r->sock;
	bool handshake = f->state == TCP_SYN_SENT || f->state == TCP_SYN_RECV;
	uint64_t sent = s->bytes_sent, acked = s->bytes_acked;
	uint64_t received = s->bytes_received;

	if (s->bytes_retrans <= sent)
		sent -= s->bytes_retrans;
	if (f->peer_fin == TRI_YES && received)
		received--;
	if (acked && f->role == ROLE_CLIENT)
		acked--;
	f->sent_bytes = (int64_t)sent;
	f->received_bytes = (int64_t)received;
	f->acked_bytes = (int64_t)(acked > sent ? sent : acked);
	f->unsent_bytes = s->unsent;
	f->unacked_bytes = s->unacked;
	if (handshake)
		f->unacked_bytes = 0;
	else if (sent_fin(f->state) && f->unsent_bytes)
		f->unsent_bytes--; /* it waits behind what is not sent */
	else if (sent_fin(f->state) && f->unacked_bytes)
		f->unacked_bytes--;
	if (handshake)
		return;
	f->unread_bytes = unread_bytes(s->unread);
	if (f->peer_fin == TRI_YES && f->unread_bytes > 0)
		f->unread_bytes--;
}

/* Ticks are coarse: what happened on a connection is no older than it is. */
static int64_t since_ms(uint32_t jiffies, const struct record_context *ctx,
			const struct facts *f)
{
	int64_t ms = jiffies_ms(jiffies, ctx);

	return f->age_ms != NOT_KNOWN && ms > f->age_ms ? f->age_ms : ms;
}

/*
 * Since the oldest write that is not acknowledged. first_tx_mstamp is finer,
 * but may be that of a retransmission; neither time is older than the write.
 */
static int64_t request_ms(const struct rec_sock *s,
			  const struct record_context *ctx,
			  const struct facts *f)
{
	int64_t busy = NOT_KNOWN, first_tx = NOT_KNOWN;

	if (s->since_first_tx_us != REC_NEVER)
		first_tx = s->since_first_tx_us / 1000;
	if (s->packets_out)
		busy = since_ms(s->since_busy_jiffies, ctx, f);
	if (first_tx == NOT_KNOWN ||
	    (double)busy > (double)first_tx + 2 * ctx->jiffy_ms)
		return busy;
	return first_tx;
}

static void set_times(const struct rec_failure *r,
		      const struct record_context *ctx, struct facts *f)
{
	const struct rec_sock *s = &r->sock;

	/* the kernel seeds these times at establishment */
	if (f->sent_bytes > 0)
		f->since_send_ms = since_ms(s->since_send_jiffies, ctx, f);
	if (f->received_bytes > 0)
		f->since_receive_ms =
			since_ms(s->since_receive_jiffies, ctx, f);
	f->since_ack_ms = since_ms(s->since_ack_jiffies, ctx, f);
	/* at an error the queue has been purged, first_tx_mstamp is left */
	if (f->unacked_bytes > 0 &&
	    (s->packets_out || r->head.kind == REC_ERROR)) {
		f->since_request_ms = request_ms(s, ctx, f);
	}
}

static void set_gaps(const struct rec_failure *r,
		     const struct record_context *ctx, struct facts *f)
{
	if (r->gap_jiffies) {
		f->gap_ms = jiffies_ms(r->gap_jiffies, ctx);
		f->since_gap_ms = jiffies_ms(r->since_gap_jiffies, ctx);
	}
	if (r->since_challenge_jiffies)
		f->since_challenge_ms =
			jiffies_ms(r->since_challenge_jiffies, ctx);
	if (r->worked_jiffies)
		f->worked_idle_ms = jiffies_ms(r->worked_jiffies, ctx);
	if (r->fin_since_send_jiffies)
		f->fin_since_send_ms =
			jiffies_ms(r->fin_since_send_jiffies, ctx);
}

static void set_sock(const struct rec_failure *r,
		     const struct record_context *ctx, struct facts *f)
{
	const struct rec_sock *s = &r->sock;

	f->sock_flags = s->flags | r->flags;
	if (!(r->known & KNOWN_SOCK))
		return;
	f->sock_known = true;
	f->rcv_nxt = r->rcv_nxt;
	f->snd_una = r->snd_una;
	set_bytes(r, f);
	set_times(r, ctx, f);
	f->sent_segments = s->data_segs_out;
	f->received_segments = s->data_segs_in;
	f->srtt_us = s->srtt_us ? (int64_t)s->srtt_us : NOT_KNOWN;
	f->retransmits = s->retransmits;
	f->total_retransmits = s->total_retrans;
	f->probes_out = s->probes_out;
	f->keepalive_on = s->flags & SOCKF_KEEPOPEN ? TRI_YES : TRI_NO;
	f->linger0 = s->flags & SOCKF_LINGER0 ? TRI_YES : TRI_NO;
	f->user_timeout_ms = s->user_timeout_ms;
	if (s->keepalive_time_jiffies)
		f->keepalive_ms = jiffies_ms(s->keepalive_time_jiffies, ctx);
	f->shutdown = s->shutdown;
	f->sock_err = s->err;
	f->sock_err_soft = s->err_soft;
	f->unsolicited =
		!f->unacked_bytes && !f->unsent_bytes && !s->probes_out;
	set_gaps(r, ctx, f);
}

static void set_peer_fin(const struct rec_failure *r, struct facts *f)
{
	if (r->peer_fin_ns || (r->sock.flags & SOCKF_DONE)) {
		f->peer_fin = TRI_YES;
		f->peer_fin_before_ms =
			span_ms(r->peer_fin_ns, r->head.time_ns);
	} else if (r->known & KNOWN_SOCK) {
		f->peer_fin = TRI_NO;
	}
}

static void set_labels(const struct rec_failure *r, struct facts *f)
{
	if (r->known & KNOWN_ASKED)
		f->answered = r->answered ? TRI_YES : TRI_NO;
	if (r->known & KNOWN_SOCK)
		f->goodbye = r->flags & SOCKF_GOODBYE ? TRI_YES : TRI_NO;
	if (!(r->known & KNOWN_LABELS))
		return;
	f->labels_known = true;
	f->first_out = r->first_out < LABELS ? r->first_out : LABEL_OTHER;
	f->first_in = r->first_in < LABELS ? r->first_in : LABEL_OTHER;
	if (f->first_out)
		f->first_out_bytes = r->first_out_len;
	if (f->first_in)
		f->first_in_bytes = r->first_in_len;
	f->tls = r->tls;
	if (r->tls_alert)
		f->tls_alert = r->tls_alert - 1;
	if (r->http_status)
		f->http_status = r->http_status;
	f->notice = r->notice < NOTICES ? r->notice : NOTICE_ERROR;
}

static void set_rst(const struct rec_failure *r, struct facts *f)
{
	int64_t ahead = r->rst_ack_ahead;

	f->packet_known = true;
	f->rst_ttl = r->rst_ttl;
	f->rst_window = r->rst_window;
	f->rst_ack = r->rst_flags & TH_ACK ? TRI_YES : TRI_NO;
	/* a SYN's answer has the first sequence number that is seen */
	if (r->state != TCP_SYN_SENT) {
		f->rst_seq_ahead = r->rst_seq_ahead;
		f->rst_seq_ahead_known = true;
	}
	if (f->rst_ack == TRI_YES && (r->known & KNOWN_SOCK))
		f->rst_ack_fits = ahead >= 0 && ahead <= r->sock.unacked
					  ? TRI_YES
					  : TRI_NO;
}

static void set_packets(const struct rec_failure *r,
			const struct record_context *ctx, struct facts *f)
{
	if (r->known & KNOWN_PACKET)
		set_rst(r, f);
	if (r->known & KNOWN_RST_OPTIONS)
		f->rst_timestamps = r->rst_timestamps ? TRI_YES : TRI_NO;
	if (r->known & KNOWN_HANDSHAKE_TTL)
		f->handshake_ttl = r->handshake_ttl;
	if (r->known & KNOWN_SKB) {
		f->skb_known = true;
		f->skb_bytes = r->skb_len;
		f->skb_seq = r->skb_seq;
		f->skb_ack = r->skb_ack;
		f->skb_flags = r->skb_flags;
	}
	if (r->known & KNOWN_NETFILTER)
		f->netfilter_us = r->netfilter_us;
	if (!(r->known & KNOWN_REASON))
		return;
	f->reason = r->reason;
	if (r->reason < ARRAY_SIZE(ctx->reasons))
		text_copy(f->reason_name, sizeof(f->reason_name),
			  ctx->reasons[r->reason]);
}

static void set_closed(const struct rec_closed *c, uint64_t now_ns,
		       const struct record_context *ctx,
		       struct fact_closed *out)
{
	int64_t send = NOT_KNOWN, receive = NOT_KNOWN;

	out->known = true;
	record_task(&c->task, &out->task);
	record_call(&c->task, ctx, &out->call);
	out->aborted = c->aborted;
	out->before_ms = span_ms(c->closed_ns, now_ns);
	out->age_ms = span_ms(c->established_ns, c->closed_ns);
	send = jiffies_ms(c->since_send_jiffies, ctx);
	receive = jiffies_ms(c->since_receive_jiffies, ctx);
	out->idle_ms = smaller(send, receive);
	out->unread_bytes = unread_bytes(c->unread);
	out->event = NOT_KNOWN;
}

static const char *closed_how(const struct fact_closed *c)
{
	if (c->task.exiting)
		return c->task.exit_signal > 0 ? "was killed" : "exited";
	if (c->aborted)
		return "aborted the connection";
	if (c->call.known && !strcmp(c->call.name, "shutdown"))
		return "shut the connection down";
	return "closed the connection";
}

static void set_ends(const struct rec_failure *r,
		     const struct record_context *ctx, struct facts *f)
{
	if (r->known & KNOWN_CLOSER)
		set_closed(&r->closer, r->head.time_ns, ctx, &f->closer);
	/* the socket is gone, its role was kept with the close */
	if (f->role == ROLE_UNKNOWN && f->closer.known &&
	    r->closer.role <= ROLE_SERVER)
		f->role = r->closer.role;
	if (r->known & KNOWN_OTHER)
		set_closed(&r->other, r->head.time_ns, ctx, &f->other);
	if (f->closer.known)
		text_copy(f->closer.did, sizeof(f->closer.did),
			  closed_how(&f->closer));
	if (f->other.known)
		text_copy(f->other.did, sizeof(f->other.did),
			  closed_how(&f->other));
}

/* --- the whole ------------------------------------------------------------ */

static enum failure_kind kind_of(const struct rec_failure *r)
{
	switch (r->head.kind) {
	case REC_RECEIVED:
		return r->state == TCP_SYN_SENT ? KIND_REFUSED : KIND_RECEIVED;
	case REC_HANGUP:
		return KIND_HANGUP;
	case REC_ERROR:
		return r->sock.err == ECONNREFUSED ? KIND_REFUSED
						   : KIND_TIMEOUT;
	default:
		return KIND_SENT;
	}
}

static void set_people(const struct rec_failure *r,
		       const struct record_context *ctx, struct facts *f)
{
	if (r->known & KNOWN_TASK)
		record_task(&r->task, &f->task);
	if (r->known & KNOWN_OWNER)
		record_task(&r->owner, &f->owner);
	if (r->known & KNOWN_LISTENER)
		f->listening = TRI_YES;
	/* a RST that answers a segment was made by no call */
	if (f->kind == KIND_SENT && (r->known & KNOWN_TASK) &&
	    !(r->known & KNOWN_SKB))
		record_call(&r->task, ctx, &f->call);
	if (f->state != TCP_SYN_SENT || !(r->known & KNOWN_OWNER) ||
	    r->owner.how != HOW_CONNECT || f->kind == KIND_SENT)
		return;
	/* given up by its own hand: no call was told anything */
	if (f->kind == KIND_TIMEOUT && !r->sock.err) {
		record_call(&r->task, ctx, &f->call);
		f->told = f->task;
		return;
	}
	record_call(&r->owner, ctx, &f->call);
	f->call.class = CALL_CONNECT;
	f->call.errno_nr = f->kind == KIND_REFUSED ? ECONNREFUSED : r->sock.err;
}

static void shift_back(int64_t *ms, int64_t by_ms)
{
	if (*ms != NOT_KNOWN)
		*ms = *ms > by_ms ? *ms - by_ms : 0;
}

/*
 * A hang-up's record is made when the reader is told; it happened when the FIN
 * came, or when we wrote to a connection whose FIN had come before.
 */
static void set_hangup(const struct rec_failure *r,
		       const struct record_context *ctx, struct facts *f)
{
	uint64_t happened = r->peer_fin_ns, now = r->head.time_ns;
	int64_t ago_ms;

	if (r->known & KNOWN_TASK) {
		record_task(&r->task, &f->told);
		record_call(&r->task, ctx, &f->call);
		f->call.class = CALL_READ;
	}
	if (!happened || happened > now)
		return;
	ago_ms = span_ms(happened, now);
	if (f->since_send_ms != NOT_KNOWN && f->since_send_ms < ago_ms) {
		ago_ms = f->since_send_ms;
		happened = now - (uint64_t)ago_ms * NSEC_PER_MSEC;
	}
	f->mono_ns = happened;
	f->peer_fin_before_ms = span_ms(r->peer_fin_ns, happened);
	f->call.delay_us = (int64_t)((now - happened) / 1000);
	if (r->known & KNOWN_BIRTH)
		f->age_ms = span_ms(r->established_ns, happened);
	shift_back(&f->since_send_ms, ago_ms);
	shift_back(&f->since_receive_ms, ago_ms);
	shift_back(&f->since_ack_ms, ago_ms);
	shift_back(&f->since_request_ms, ago_ms);
	shift_back(&f->closer.before_ms, ago_ms);
	shift_back(&f->other.before_ms, ago_ms);
}

static void set_place(const struct rec_failure *r, struct facts *f)
{
	if (!(r->known & KNOWN_PLACE))
		return;
	f->place_open = r->place_open;
	f->place_made = r->place_made;
	f->place_served = r->place_served;
	f->since_served_ms = span_ms(r->place_served_ns, r->head.time_ns);
}

static void set_listener(const struct rec_failure *r, struct facts *f)
{
	if (!(r->sock.flags & SOCKF_LISTENER))
		return;
	f->accept_backlog = r->sock.accept_backlog;
	f->accept_max = r->sock.accept_max;
	f->accept_pending = r->sock.accept_pending;
	f->listening = TRI_YES;
}

/* Unsigned in between: a recording may hold any time. */
int64_t record_time_us(uint64_t mono_ns, const struct record_context *ctx)
{
	return (int64_t)(mono_ns + (uint64_t)ctx->unix_offset_ns) / 1000;
}

void record_facts(const struct rec_failure *r, const struct record_context *ctx,
		  struct facts *f)
{
	facts_init(f);
	f->failure = r->head.failure;
	f->mono_ns = r->head.time_ns;
	f->kind = kind_of(r);
	f->count = 1 + (int64_t)r->folded;
	f->state = r->state ? r->state : NOT_KNOWN;
	f->role = r->role <= ROLE_SERVER ? r->role : ROLE_UNKNOWN;
	f->again = r->flags & SOCKF_AGAIN;
	f->seeded = r->flags & SOCKF_SEEDED;
	set_tuple(r, f);
	if (r->known & KNOWN_BIRTH)
		f->age_ms = span_ms(r->established_ns, r->head.time_ns);
	set_peer_fin(r, f);
	set_sock(r, ctx, f);
	set_labels(r, f);
	set_packets(r, ctx, f);
	set_listener(r, f);
	set_place(r, f);
	set_ends(r, ctx, f);
	if (f->role == ROLE_UNKNOWN && f->closer.known &&
	    r->closer.role <= ROLE_SERVER)
		f->role = r->closer.role;
	set_people(r, ctx, f);
	if (f->kind == KIND_HANGUP)
		set_hangup(r, ctx, f);
	f->idle_ms = facts_idle_ms(f);
	f->time_us = record_time_us(f->mono_ns, ctx);
}
