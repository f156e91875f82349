/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/sent.h"
#include "user/explain/settled.h"
#include "user/explain/view.h"

#define FIREWALL_IDLE_MS 2000 /* traffic that paused less was no idle one */
#define LONG_IDLE_MS	 60000
#define CRASH_MANY	 2

void settled_say(struct settled *s, const char *text)
{
	if (text && s->texts < SETTLED_TEXTS)
		s->text[s->texts++] = text;
}

static struct settled found(enum cause cause, double confidence,
			    const char *text)
{
	struct settled s = {
		.cause = cause,
		.confidence = confidence,
		.instead = CAUSE_UNKNOWN,
		.timer_ms = NOT_KNOWN,
	};

	settled_say(&s, text);
	return s;
}

bool settled_timer(const struct facts *f, const struct timeouts *t, int64_t ms)
{
	unsigned int endings =
		1u << END_FIN | 1u << END_FIN_AFTER | 1u << END_RST;

	if (ms < PAUSE_MS)
		return false;
	if (whole_seconds(ms))
		return true;
	return t && timeouts_match(t, (double)ms / 1000, 1u << MEASURE_IDLE,
				   endings, facts_service_port(f))
				    .score >= 0.5;
}

static void settle_sent(const struct facts *f, const struct history *h,
			const struct timeouts *t, struct settled *out)
{
	struct sent sent = sent_decide(f);

	*out = found(sent.cause, sent.confidence, sent.text);
	if (sent.cause == CAUSE_PROCESS_EXIT && f->unread_bytes > 0)
		settled_say(out, "{unread} had been received and not read");
	settle_wider(f, h, t, out);
}

/* The port that refused is this host's own. */
static bool peer_is_here(const struct facts *f)
{
	return f->other.known ||
	       (f->tuple_known &&
		!memcmp(f->local.ip, f->peer.ip, sizeof(f->local.ip)));
}

static void settle_refused(const struct facts *f, const struct history *h,
			   struct settled *out)
{
	unsigned int live = h ? history_live_before(h, f) : 0;

	if (f->netfilter_us != NOT_KNOWN) {
		*out = found(CAUSE_FIREWALL_REJECT, 0.93,
			     "a packet filter rule of this host had just "
			     "dropped our SYN");
		return;
	}
	/* On one host a death shows itself; a closed listener is none. */
	if (peer_is_here(f))
		live = h ? history_died_before(h, f) : 0;
	if (live >= CRASH_MANY || (live && peer_is_here(f))) {
		*out = found(CAUSE_SERVER_CRASH, 0.75,
			     "{live} live connections to the endpoint had "
			     "broken in the 10 s before");
		settled_say(out, "now our SYN was refused: nothing listens "
				 "there any more");
		out->instead = CAUSE_CONNECTION_REFUSED;
		return;
	}
	if (f->sock_err > 0 && !f->packet_known)
		*out = found(CAUSE_CONNECTION_REFUSED, 0.7,
			     "our SYN was answered with an ICMP error, as "
			     "reject rules do more often than hosts");
	else
		*out = found(CAUSE_CONNECTION_REFUSED, 0.95,
			     "our SYN was answered with a RST");
	if (live)
		settled_say(out, "{live} live connection to the endpoint had "
				 "broken in the 10 s before");
	if (live)
		out->instead = CAUSE_SERVER_CRASH;
	else if (!f->other.known)
		out->instead = CAUSE_FIREWALL_REJECT;
}

static bool unreachable(const struct facts *f)
{
	/* while connecting the kernel keeps an ICMP error to itself */
	if (f->state == TCP_SYN_SENT && (f->sock_err_soft == EHOSTUNREACH ||
					 f->sock_err_soft == ENETUNREACH))
		return true;
	return f->sock_err == EHOSTUNREACH || f->sock_err == ENETUNREACH ||
	       f->call.errno_nr == EHOSTUNREACH ||
	       f->call.errno_nr == ENETUNREACH;
}

static bool gave_up(const struct facts *f)
{
	return f->sock_err <= 0 && f->call.known &&
	       (f->call.class == CALL_CLOSE || f->call.class == CALL_EXIT);
}

static bool by_keepalive(const struct facts *f)
{
	return f->keepalive_on == TRI_YES && f->probes_out > 0 &&
	       f->unacked_bytes <= 0;
}

#define RTO_MIN_MS   200
#define BACKOFF_MOST 12

/*
 * How long our data had met silence. since_request_ms may only tell of the
 * last retransmission; the backoff and the timeout that ended it tell of all.
 */
static int64_t silent_ms(const struct facts *f)
{
	int64_t n =
		f->retransmits < BACKOFF_MOST ? f->retransmits : BACKOFF_MOST;
	int64_t backoff = n > 0 ? RTO_MIN_MS * ((1ll << n) - 1) : 0;
	int64_t ms = f->since_request_ms;

	ms = backoff > ms ? backoff : ms;
	return f->user_timeout_ms > ms ? f->user_timeout_ms : ms;
}

static int64_t idle_before_silence_ms(const struct facts *f)
{
	int64_t more = silent_ms(f) - f->since_request_ms;

	if (f->idle_ms == NOT_KNOWN || f->since_request_ms == NOT_KNOWN ||
	    more <= 0)
		return f->idle_ms;
	return f->idle_ms > more ? f->idle_ms - more : 0;
}

/* Our data met silence: an outage, or a path that forgot the connection. */
static void settle_silence(const struct facts *f, struct settled *out)
{
	enum protocol_class class = facts_protocol(f).class;
	int64_t idle_ms = idle_before_silence_ms(f);

	if (idle_ms < FIREWALL_IDLE_MS) {
		*out = found(CAUSE_USER_TIMEOUT, 0.93,
			     "{unacked} were never acknowledged, in traffic "
			     "that had not paused");
	} else {
		double sure = idle_ms >= LONG_IDLE_MS ? 0.85 : 0.7;

		*out = found(class == PROTOCOL_DATABASE
				     ? CAUSE_DB_POOL_IDLE
				     : CAUSE_FIREWALL_IDLE_DROP,
			     class == PROTOCOL_DATABASE ? sure - 0.1 : sure,
			     "the connection had been idle when we sent again: "
			     "{pause} before the last try");
		settled_say(out, "what we sent met silence: {retransmits} "
				 "retransmissions without an ACK");
		out->instead = class == PROTOCOL_DATABASE
				       ? CAUSE_FIREWALL_IDLE_DROP
				       : CAUSE_USER_TIMEOUT;
	}
	if (f->user_timeout_ms > 0)
		settled_say(out, "TCP_USER_TIMEOUT, {user_timeout}, ended the "
				 "wait");
	else
		settled_say(out, "the limit of retransmissions ended the wait");
}

static void settle_timeout(const struct facts *f, struct settled *out)
{
	if (f->sock_err == ECONNABORTED || f->call.errno_nr == ECONNABORTED)
		*out = found(CAUSE_ADMIN_ABORT, 0.93,
			     "the socket ended with ECONNABORTED: it was "
			     "destroyed on this host");
	else if (unreachable(f))
		*out = found(CAUSE_PEER_UNREACHABLE, 0.97,
			     "ICMP, ARP or routing reported the peer "
			     "unreachable");
	else if (f->state == TCP_SYN_SENT)
		*out = found(CAUSE_CONNECT_TIMEOUT, 0.97,
			     gave_up(f) ? "our SYNs had not been answered when "
					  "the program gave up"
					: "our SYNs were never answered");
	else if (by_keepalive(f))
		*out = found(CAUSE_KEEPALIVE_TIMEOUT, 0.95,
			     "{probes} keepalive probes went unanswered");
	else if (f->sock_err_soft > 0 && f->unacked_bytes > 0)
		*out = found(CAUSE_PEER_UNREACHABLE, 0.85,
			     "an ICMP error had come while our data went "
			     "unacknowledged");
	else if (!f->sock_known && f->unacked_bytes == NOT_KNOWN)
		*out = found(CAUSE_USER_TIMEOUT, 0.5,
			     "the connection timed out; how is not known");
	else
		settle_silence(f, out);
}

bool settle(const struct facts *f, const struct history *h,
	    const struct timeouts *t, struct settled *out)
{
	switch (f->kind) {
	case KIND_SENT:
		settle_sent(f, h, t, out);
		return true;
	case KIND_REFUSED:
		settle_refused(f, h, out);
		return true;
	case KIND_TIMEOUT:
		settle_timeout(f, out);
		return true;
	default:
		return settle_other_end(f, out);
	}
}
