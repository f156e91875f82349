/* SPDX-License-Identifier: Apache-2.0 */
/* New connections and first requests that were not served; last words. */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/rules.h"

#define LATELY_MS 10000

static bool client_brief(const struct view *v)
{
	return v->client && v->brief && v->nothing_in && !v->closing &&
	       v->f->state != TCP_SYN_SENT;
}

static bool brief_unasked(const struct view *v)
{
	return client_brief(v) && v->nothing_out;
}

/*
 * One small segment is read whole or not at all: with a RST at once it was not,
 * so the server had turned the connection away.
 */
static bool turned_away(const struct view *v)
{
	return client_brief(v) && v->f->kind == KIND_RECEIVED && v->one_small &&
	       (v->at_once ||
		(v->reply_ms != NOT_KNOWN && v->reply_ms <= v->rtt_ms + 1)) &&
	       !v->fin && !v->alien;
}

static bool turned_away_burst(const struct view *v)
{
	return turned_away(v) && v->past.brief_10s >= 2;
}

/*
 * The peer's FIN came after our request, all of it acknowledged, and no RST:
 * with the request unread there would have been one.
 */
static bool request_read(const struct view *v)
{
	return v->f->kind == KIND_HANGUP && v->f->sent_bytes > 0 &&
	       v->f->acked_bytes >= v->f->sent_bytes && v->fin_lag_known &&
	       v->fin_lag_ms >= -1 && !v->fin_first;
}

static bool brief_but_read(const struct view *v)
{
	return client_brief(v) && request_read(v);
}

/* Closed without a look at the request: nothing was read, so FIN, not RST. */
static bool closed_at_once(const struct view *v)
{
	bool early = v->fin_first || (v->fin_lag_known && v->fin_lag_ms <= 0) ||
		     v->f->unacked_bytes > 0;

	return client_brief(v) && v->fin && early && !request_read(v) &&
	       v->ahead <= 2 * SEGMENT;
}

static bool brief_burst(const struct view *v)
{
	return client_brief(v) && v->past.brief_10s >= 2;
}

static bool brief_among_lasting(const struct view *v)
{
	return v->client && v->brief && v->past.lasting_10s > 0;
}

static bool greeted_and_ended(const struct view *v)
{
	return v->client && v->brief &&
	       v->protocol.class == PROTOCOL_DATABASE &&
	       v->f->received_bytes > 0 && v->f->received_bytes <= 200 &&
	       v->f->notice != NOTICE_ERROR;
}

static bool said_limit(const struct view *v)
{
	return v->client && v->f->notice == NOTICE_LIMIT;
}

static bool said_shutdown(const struct view *v)
{
	return v->client && v->f->notice == NOTICE_SHUTDOWN;
}

static bool said_killed(const struct view *v)
{
	return v->client && v->f->notice == NOTICE_KILLED;
}

static bool said_error(const struct view *v)
{
	return v->client && v->f->notice == NOTICE_ERROR;
}

/* "Too many connections": a few words, and the end. */
static bool word_and_end(const struct view *v)
{
	return v->client && v->brief && (!v->closing || v->one_small) &&
	       v->protocol.class != PROTOCOL_DATABASE &&
	       v->protocol.class != PROTOCOL_HTTP &&
	       strcmp(v->tls, "handshake") != 0 && v->f->received_bytes > 0 &&
	       v->f->received_bytes <= 200 && v->f->received_segments <= 1;
}

/* Ended before any answer, as by one who lets only so many in. */
static bool not_let_in(const struct view *v)
{
	return client_brief(v) || word_and_end(v);
}

static bool served_lately(const struct facts *f)
{
	return f->since_served_ms != NOT_KNOWN &&
	       f->since_served_ms <= LATELY_MS;
}

/* None of ours is open there, and others were served: no count, a rate. */
static bool others_served(const struct view *v)
{
	return not_let_in(v) && served_lately(v->f) && v->f->place_open >= 0 &&
	       v->f->place_open <= 1;
}

static bool others_stay_open(const struct view *v)
{
	return not_let_in(v) && v->f->place_open >= 2 && !served_lately(v->f);
}

static bool unanswered_while_served(const struct view *v)
{
	return v->client && v->f->kind == KIND_HANGUP && v->due && !v->waited &&
	       !v->fin_first && !v->paused && served_lately(v->f) &&
	       v->past.sudden_10s >= 1;
}

static bool word_and_end_burst(const struct view *v)
{
	return word_and_end(v) && v->past.brief_10s >= 2;
}

static bool told_too_many(const struct view *v)
{
	return v->client && v->f->http_status == 429;
}

static bool told_unavailable(const struct view *v)
{
	return v->client && v->f->http_status == 503 && v->f->age_ms < 2000;
}

static bool fin_after_ack(const struct view *v)
{
	return v->client && v->fin && v->fin_lag_known && !v->fin_first &&
	       v->f->unacked_bytes == 0 && v->fin_lag_ms > 0;
}

static bool fin_after_work(const struct view *v)
{
	return fin_after_ack(v) && v->fin_lag_ms > v->quick_ms && !v->waited;
}

static bool taken_then_closed_burst(const struct view *v)
{
	return v->client && v->brief && v->past.brief_10s >= 2 &&
	       (fin_after_ack(v) || request_read(v));
}

const struct rule rules_young[] = {
	{ON_BOTH,
	 client_brief,
	 "it ended {age} after it was set up, with nothing received",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 2.3f},
	  {CAUSE_RATE_LIMIT, 1.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, 0.6f},
	  {CAUSE_PEER_ABORTED, -1.0f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -4.0f},
	  {CAUSE_SERVER_CRASH, -0.5f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
	{ON_RECEIVED,
	 brief_unasked,
	 "before we had sent anything",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 0.8f}, {CAUSE_PEER_CLOSED_UNREAD, -0.4f}}},
	{ON_RECEIVED,
	 turned_away,
	 "all that we had sent was one small segment, and it was not read",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 1.8f},
	  {CAUSE_RATE_LIMIT, 0.8f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.0f}}},
	{ON_RECEIVED,
	 turned_away_burst,
	 NULL,
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 0.5f}, {CAUSE_PEER_CLOSED_UNREAD, -0.5f}}},
	{ON_BOTH,
	 closed_at_once,
	 "the peer closed the new connection without reading the request",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 2.2f},
	  {CAUSE_RATE_LIMIT, 0.7f},
	  {CAUSE_PEER_CLOSED_EARLY, -0.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.0f}}},
	{ON_HANGUP,
	 brief_but_read,
	 "but the request had been read",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, -2.0f}}},
	{ON_BOTH,
	 brief_burst,
	 "{brief} other connections to it ended as young within 10 s",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 3.2f},
	  {CAUSE_RATE_LIMIT, 2.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.3f}}},
	{ON_BOTH,
	 brief_among_lasting,
	 NULL,
	 false,
	 {{CAUSE_SERVER_CRASH, 1.0f}}},
	{ON_BOTH,
	 greeted_and_ended,
	 "the database sent {received} at once and closed, as it does when "
	 "its connections are used up",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 4.0f}, {CAUSE_PEER_CLOSED_UNREAD, -0.5f}}},
	{ON_BOTH,
	 word_and_end,
	 "the peer sent {received} and ended the new connection at once",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 4.0f},
	  {CAUSE_RATE_LIMIT, 1.2f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.5f},
	  {CAUSE_GRACEFUL_RACE, -1.5f}}},
	{ON_BOTH,
	 others_served,
	 "another connection to it was served {served_ago} before, and none of "
	 "ours was open: no limit of their number",
	 false,
	 {{CAUSE_RATE_LIMIT, 2.8f}, {CAUSE_MAX_CONNECTIONS, -1.5f}}},
	{ON_BOTH,
	 others_stay_open,
	 "{others_open} other connections of ours to it were open",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 2.5f}, {CAUSE_RATE_LIMIT, -1.0f}}},
	{ON_HANGUP,
	 unanswered_while_served,
	 "such ends go on while others are served",
	 false,
	 {{CAUSE_RATE_LIMIT, 3.0f},
	  {CAUSE_PEER_CLOSED_EARLY, -1.0f},
	  {CAUSE_SERVER_CRASH, -1.5f}}},
	{ON_BOTH,
	 said_limit,
	 "the server's last words were that it has too many connections",
	 true,
	 {{CAUSE_MAX_CONNECTIONS, 8.0f}}},
	{ON_BOTH,
	 said_shutdown,
	 "the server's last words were that it shuts down or ends its sessions",
	 false,
	 {{CAUSE_SERVER_CRASH, 7.0f},
	  {CAUSE_ADMIN_ABORT, 4.5f},
	  {CAUSE_DB_POOL_IDLE, -2.0f}}},
	{ON_BOTH,
	 said_killed,
	 "the server's last words were that an administrator ended the session",
	 true,
	 {{CAUSE_ADMIN_ABORT, 11.0f}}},
	{ON_BOTH,
	 said_error,
	 "the server's last words were an error of its protocol",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.0f},
	  {CAUSE_PEER_CLOSED_EARLY, 1.0f},
	  {CAUSE_DB_POOL_IDLE, -1.0f}}},
	{ON_BOTH,
	 word_and_end_burst,
	 "{brief} other connections to it ended as young within 10 s",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 1.5f}, {CAUSE_RATE_LIMIT, 0.8f}}},
	{ON_BOTH,
	 told_too_many,
	 "the server had answered with status 429",
	 true,
	 {{CAUSE_RATE_LIMIT, 7.0f}}},
	{ON_BOTH,
	 told_unavailable,
	 "the server had answered with status 503",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 2.0f}, {CAUSE_RATE_LIMIT, 1.5f}}},
	{ON_HANGUP,
	 fin_after_ack,
	 "the peer acknowledged our request before it closed: it had read it",
	 false,
	 {{CAUSE_PEER_CLOSED_EARLY, 1.2f},
	  {CAUSE_STALE_KEEPALIVE, -1.2f},
	  {CAUSE_DB_POOL_IDLE, -1.0f}}},
	{ON_HANGUP,
	 fin_after_work,
	 "its FIN came {fin_lag} after our request: it was at work on it",
	 false,
	 {{CAUSE_PEER_CLOSED_EARLY, 1.5f},
	  {CAUSE_SERVER_CRASH, 0.8f},
	  {CAUSE_STALE_KEEPALIVE, -3.0f},
	  {CAUSE_DB_POOL_IDLE, -2.5f},
	  {CAUSE_MAX_CONNECTIONS, -2.0f}}},
	{ON_HANGUP,
	 taken_then_closed_burst,
	 NULL,
	 false,
	 {{CAUSE_RATE_LIMIT, 2.2f},
	  {CAUSE_PEER_CLOSED_EARLY, -0.8f},
	  {CAUSE_MAX_CONNECTIONS, -2.2f}}},
};
const size_t rules_young_count = ARRAY_SIZE(rules_young);
