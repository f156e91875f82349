/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the other end is on this host its own event settles the matter; for a
 * RST of ours, what our closed end had been doing. The wider cause goes first
 * where it shows: an idle timer that fired, a death, a limit; the mechanism is
 * then evidence.
 */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/settled.h"
#include "user/explain/sample.h"
#include "user/explain/tls.h"
#include "user/explain/view.h"

#define SCAN_PORTS 5 /* several services of one host may be down at once */
#define CROSSED_MS 20

static enum cause idle_cause(const struct facts *f)
{
	return facts_protocol(f).class == PROTOCOL_DATABASE
		       ? CAUSE_DB_POOL_IDLE
		       : CAUSE_STALE_KEEPALIVE;
}

/* The cause that the other end's own event has, or how it was closed. */
static enum cause mechanism(const struct fact_closed *c)
{
	int named = c->cause[0] ? cause_by_name(c->cause) : CAUSE_UNKNOWN;

	if (named >= 0 && named != CAUSE_UNKNOWN)
		return (enum cause)named;
	if (c->task.exiting)
		return CAUSE_PROCESS_EXIT;
	if (!c->aborted || c->unread_bytes == NOT_KNOWN)
		return CAUSE_UNKNOWN;
	return c->unread_bytes > 0 ? CAUSE_CLOSE_WITH_UNREAD_DATA
				   : CAUSE_LINGER_ZERO;
}

static const char *how_closed(const struct fact_closed *c)
{
	if (c->did[0])
		return "at the other end, {other} {other_did}";
	if (c->task.exiting)
		return "at the other end, {other} was ending";
	if (!c->aborted)
		return "at the other end, {other} had closed in order";
	return c->unread_bytes > 0
		       ? "at the other end, {other} closed with {other_unread} "
			 "not read"
		       : "at the other end, {other} aborted the connection";
}

/* We are the ones who reused what the other end had given up. */
static bool gave_up_idle(const struct facts *f)
{
	const struct fact_closed *c = &f->other;

	return f->role != ROLE_SERVER && !c->task.exiting && !c->aborted &&
	       c->unread_bytes <= 0 && c->idle_ms >= PAUSE_MS &&
	       !f->unsolicited;
}

/* Its timer fired just as our request came: it never read that. */
static bool gave_up_with_request(const struct facts *f,
				 const struct timeouts *t)
{
	const struct fact_closed *c = &f->other;

	return f->role != ROLE_SERVER && !c->task.exiting && c->aborted &&
	       c->unread_bytes > 0 && f->received_bytes > 0 &&
	       !f->unsolicited && settled_timer(f, t, f->idle_ms);
}

static bool is_proxy(const struct fact_task *task)
{
	static const char *const proxies[] = {"haproxy",  "nginx", "envoy",
					      "varnishd", "squid", "traefik"};

	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++)
		if (!strcmp(task->comm, proxies[i]))
			return true;
	return false;
}

static bool proxy_timed_out(const struct facts *f)
{
	const struct fact_closed *c = &f->other;

	return is_proxy(&c->task) && !c->task.exiting && f->unsolicited &&
	       c->unread_bytes <= 0 && settled_timer(f, NULL, c->idle_ms);
}

static enum cause closed_in_order(const struct facts *f)
{
	const struct fact_closed *c = &f->other;

	if (f->kind == KIND_HANGUP)
		return CAUSE_PEER_CLOSED_EARLY;
	if (f->received_bytes == 0 && facts_brief(f))
		return CAUSE_MAX_CONNECTIONS;
	if (f->state == TCP_FIN_WAIT1 || f->state == TCP_FIN_WAIT2 ||
	    f->state == TCP_CLOSING || f->state == TCP_LAST_ACK ||
	    f->goodbye == TRI_YES)
		return CAUSE_GRACEFUL_RACE;
	return c->task.exiting ? CAUSE_PROCESS_EXIT : CAUSE_LATE_DATA;
}

bool settle_other_end(const struct facts *f, struct settled *out)
{
	const struct fact_closed *c = &f->other;
	enum cause how;

	if (!c->known)
		return false;
	memset(out, 0, sizeof(*out));
	out->timer_ms = NOT_KNOWN;
	out->instead = CAUSE_UNKNOWN;
	how = mechanism(c);
	settled_say(out, how_closed(c));
	if (c->did[0] && c->aborted && c->unread_bytes > 0)
		settled_say(out, "{other_unread} were not read there");
	if (gave_up_idle(f)) {
		out->cause = idle_cause(f);
		out->confidence = 0.93;
		out->timer_ms = c->idle_ms;
		settled_say(out, "it had been idle for {other_idle} then, and "
				 "nothing was unread");
		return true;
	}
	if (gave_up_with_request(f, NULL)) {
		out->cause = idle_cause(f);
		out->confidence = 0.75;
		out->instead = how;
		out->timer_ms = f->idle_ms;
		settled_say(out, "our request came on a connection idle for "
				 "{pause}, and it was not read");
		return true;
	}
	if (proxy_timed_out(f)) {
		out->cause = CAUSE_LB_IDLE_TIMEOUT;
		out->confidence = 0.85;
		out->instead = how;
		out->timer_ms = c->idle_ms;
		settled_say(out, "it is a proxy, and had seen no data for "
				 "{other_idle}");
		return true;
	}
	out->cause = how;
	out->confidence = 0.97;
	if (how == CAUSE_UNKNOWN) {
		out->cause = closed_in_order(f);
		out->confidence =
			out->cause == CAUSE_MAX_CONNECTIONS ? 0.7 : 0.9;
	}
	return true;
}

static void widen(struct settled *s, enum cause cause, double confidence,
		  const char *text)
{
	s->instead = s->cause;
	s->cause = cause;
	s->confidence = confidence;
	settled_say(s, text);
}

static void widen_late(const struct facts *f, const struct history *h,
		       const struct timeouts *t, struct settled *s)
{
	const struct fact_closed *c = &f->closer;

	if (!c->known) {
		if (h && history_death(h, &f->owner, f->time_us))
			widen(s, CAUSE_PROCESS_EXIT, 0.9,
			      "the process that had the connection had just "
			      "ended");
		return;
	}
	if (c->task.exiting || (h && history_death(h, &c->task, f->time_us))) {
		widen(s, CAUSE_PROCESS_EXIT, 0.95,
		      "{closer} had ended, which closed our side");
		return;
	}
	if (f->role == ROLE_CLIENT || c->aborted || c->unread_bytes > 0 ||
	    !settled_timer(f, t, c->idle_ms))
		return;
	widen(s, idle_cause(f), 0.75,
	      "{closer} had closed it after {closer_idle} idle, as an idle "
	      "timer does; then the peer used it again");
	s->timer_ms = c->idle_ms;
}

static bool handshake_failed(const struct facts *f)
{
	if (strcmp(facts_tls(f), "handshake"))
		return false;
	return (f->tls & (TLS_ALERT_OUT | TLS_ALERT_IN)) ||
	       (f->tls & TLS_HELLO_IN && f->tls & TLS_HELLO_OUT);
}

/* The other side spoke plain HTTP to our TLS, or the reverse. */
static bool protocols_differ(const struct facts *f)
{
	bool plain_in = f->first_in == LABEL_HTTP_REQUEST ||
			f->first_in == LABEL_HTTP_ANSWER;

	if (!f->labels_known)
		return false;
	return (f->first_out == LABEL_TLS && plain_in) ||
	       (f->first_in == LABEL_TLS && f->first_out != LABEL_TLS &&
		f->first_out != LABEL_NONE);
}

static bool said_so(const struct facts *f)
{
	return (f->tls & (TLS_ALERT_OUT | TLS_ALERT_IN)) || protocols_differ(f);
}

static void widen_close(const struct facts *f, struct settled *s)
{
	if (!handshake_failed(f) && !protocols_differ(f))
		return;
	/* without an alert it may be one that just left */
	widen(s, CAUSE_TLS_HANDSHAKE_FAILURE, said_so(f) ? 0.85 : 0.6,
	      "the TLS handshake had not finished");
}

/* A request came in the very moment in which our idle timer closed. */
static void widen_unread(const struct facts *f, const struct timeouts *t,
			 struct settled *s)
{
	widen_close(f, s);
	if (s->cause != CAUSE_CLOSE_WITH_UNREAD_DATA ||
	    f->role != ROLE_SERVER || f->sent_bytes <= 0 ||
	    f->since_receive_ms == NOT_KNOWN ||
	    f->since_receive_ms > CROSSED_MS || f->since_send_ms < f->idle_ms ||
	    !settled_timer(f, t, f->idle_ms))
		return;
	widen(s, idle_cause(f), 0.6,
	      "the request came after {pause} idle, in the moment in which an "
	      "idle timer closes");
	s->timer_ms = f->idle_ms;
}

static void widen_probe(const struct facts *f, const struct history *h,
			struct settled *s)
{
	if (!h || f->role != ROLE_CLIENT || !facts_carried_nothing(f) ||
	    !facts_brief(f))
		return;
	s->confidence = 0.79;
	s->instead = CAUSE_HEALTH_CHECK;
	if (history_period_s(h, f) > 0)
		widen(s, CAUSE_HEALTH_CHECK, 0.9,
		      "such empty connections of ours go out every {period}");
}

void settle_wider(const struct facts *f, const struct history *h,
		  const struct timeouts *t, struct settled *s)
{
	switch (s->cause) {
	case CAUSE_LATE_DATA:
		widen_late(f, h, t, s);
		break;
	case CAUSE_CLOSE_WITH_UNREAD_DATA:
		widen_unread(f, t, s);
		break;
	case CAUSE_LINGER_ZERO:
		if (said_so(f))
			widen_close(f, s);
		if (s->cause == CAUSE_LINGER_ZERO)
			widen_probe(f, h, s);
		break;
	case CAUSE_PORT_CLOSED:
		if (h && history_ports_hit(h, f) >= SCAN_PORTS)
			widen(s, CAUSE_PORT_SCAN, 0.9,
			      "the same host tried {ports} of our ports within "
			      "10 s");
		break;
	default:
		break;
	}
}
