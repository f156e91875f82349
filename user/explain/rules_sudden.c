/* SPDX-License-Identifier: Apache-2.0 */
/* Ends that no timer explains: refusals to serve, aborts, deaths, probes. */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/rules.h"

#define MID_TRANSFER_MS 100
#define LARGE_ANSWER	65536
#define SWEEP_MS	1300
#define FLIGHT_SEGMENTS 4
#define ONE_MOMENT_MS	100
#define LATELY_MS	10000
#define JIFFY_MS	10 /* the coarsest */
#define TLS_GOODBYE_MOST 69 /* an alert record of any cipher */

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
	       v->at_once && !v->fin && !v->alien;
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
	return f->since_served_ms != NOT_KNOWN && f->since_served_ms <= LATELY_MS;
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
	       v->past.sudden_10s >= 2;
}

static bool word_and_end_burst(const struct view *v)
{
	return word_and_end(v) && v->past.brief_10s >= 2;
}

static bool first_request_reset(const struct view *v)
{
	return v->client && v->at_once && !v->paused && v->nothing_in &&
	       v->f->sent_bytes > 0 && !v->fin;
}

/* A request on a connection in use met a RST with no pause before it. */
static bool later_request_reset(const struct view *v)
{
	return v->client && v->at_once && !v->paused && v->used && v->due &&
	       !v->fin && !v->closing && !v->brief;
}

static bool request_taken(const struct view *v)
{
	return v->client && v->due && !v->paused && !v->waited && !v->fin &&
	       !v->solicited && v->f->sent_bytes > 0;
}

/* What the answer found on its way, rather than what we wrote after it. */
static bool was_under_way(const struct view *v)
{
	const struct facts *f = v->f;

	if (v->fin_first)
		return v->ahead > SEGMENT;
	return f->since_request_ms == NOT_KNOWN ||
	       f->since_receive_ms == NOT_KNOWN ||
	       f->since_request_ms + JIFFY_MS >= f->since_receive_ms;
}

static bool early_answer(const struct view *v)
{
	int status = v->f->http_status;

	return v->client && status >= 400 && status != 429 && status != 503 &&
	       v->ahead > 0 && was_under_way(v);
}

static bool told_too_many(const struct view *v)
{
	return v->client && v->f->http_status == 429;
}

static bool told_unavailable(const struct view *v)
{
	return v->client && v->f->http_status == 503 && v->f->age_ms < 2000;
}

static bool uploading(const struct view *v)
{
	return v->client && v->solicited && !v->paused &&
	       v->ahead > 2 * SEGMENT;
}

static bool downloading(const struct view *v)
{
	const struct facts *f = v->f;

	return v->client && !v->due && !v->closing && !v->fin &&
	       f->received_segments >= 3 && f->received_bytes > 2 * SEGMENT &&
	       f->since_receive_ms >= 0 &&
	       f->since_receive_ms <= MID_TRANSFER_MS;
}

static bool client_complete(const struct view *v)
{
	return v->client && !v->solicited && v->f->answered == TRI_YES &&
	       !v->paused && v->used && v->f->sent_bytes > 0 &&
	       !(v->brief && v->f->unread_bytes > 0);
}

/* The client had closed in order, and all that met its RST is our own end. */
static bool goodbyes_crossed(const struct view *v)
{
	bool over = v->closing || (v->server && v->fin);

	return over && !strcmp(v->tls, "established") && v->ahead > 0 &&
	       v->ahead <= TLS_GOODBYE_MOST && v->f->received_bytes > 0;
}

/* It was still sending. */
static bool told_by_write(const struct view *v)
{
	return v->f->call.known && v->f->call.class == CALL_WRITE &&
	       v->f->call.delay_us >= 0 && v->f->call.delay_us <= 50000;
}

/* The RST answers our only flight: by one who had what it wanted. */
static bool answered_with_rst(const struct view *v)
{
	const struct facts *f = v->f;

	return v->server && v->solicited && !v->alien && !v->fin &&
	       !v->closing && f->unsent_bytes <= 0 && f->sent_bytes > 0 &&
	       f->sent_segments > 0 && f->sent_segments <= FLIGHT_SEGMENTS &&
	       f->received_bytes > 0 && v->at_once && !told_by_write(v);
}

static bool serving_bulk(const struct view *v)
{
	return !answered_with_rst(v) && v->server && v->solicited &&
	       !v->alien && v->ahead > 0 &&
	       v->f->sent_bytes > 0 && !goodbyes_crossed(v);
}

/* A client that has read all of a large answer has nothing unread to reset. */
static bool served_much(const struct view *v)
{
	return v->server && !v->solicited && !v->closing &&
	       v->f->sent_bytes >= LARGE_ANSWER;
}

static bool told_by_write_serving(const struct view *v)
{
	return v->server && !v->closing && !v->paused && !v->fin &&
	       !v->empty && told_by_write(v);
}

static bool served_complete(const struct view *v)
{
	const struct facts *f = v->f;

	return v->server && !v->solicited && f->sent_bytes > 0 &&
	       f->received_bytes > 0 && f->since_send_ms >= 0 &&
	       f->since_send_ms <= f->since_receive_ms && !v->paused &&
	       !told_by_write(v);
}

static bool client_gave_up(const struct view *v)
{
	const struct facts *f = v->f;

	if (!v->server || v->solicited || f->received_bytes <= 0)
		return false;
	return f->sent_bytes == 0 || (f->since_send_ms > f->since_receive_ms &&
				      f->since_receive_ms >= 0);
}

/* We left because the server had: a few words, and the end. */
static bool sent_away(const struct view *v)
{
	return v->client && v->brief && v->one_small &&
	       v->f->received_bytes > 0 && v->f->received_bytes <= 200;
}

static bool we_closed_first(const struct view *v)
{
	if (sent_away(v))
		return false;
	return v->closing || v->f->closer.known;
}

static bool closed_with_data_under_way(const struct view *v)
{
	return v->f->state == TCP_FIN_WAIT1 && v->f->unacked_bytes > 1 &&
	       !goodbyes_crossed(v);
}

static bool said_goodbye(const struct view *v)
{
	return v->f->goodbye == TRI_YES && strcmp(v->tls, "handshake") &&
	       (v->solicited || v->fin || !v->paused);
}

static bool probe_of_us(const struct view *v)
{
	return v->server && v->empty && v->brief;
}

static bool empty_unbrief(const struct view *v)
{
	return v->server && v->empty && !v->brief && v->f->age_ms >= 0;
}

static bool probe_period(const struct view *v)
{
	return v->server && v->empty && v->past.periods >= 3 &&
	       v->past.ports_hit < 3;
}

static bool many_ports(const struct view *v)
{
	return v->server && v->empty && v->past.ports_hit >= 3;
}

static bool refused_after(const struct view *v)
{
	return v->client && v->past.refused > 0;
}

/* With others in one moment, and not as one idle timer ends them. */
static bool one_together(const struct view *v)
{
	return v->client && !v->brief && v->past.together == 1 &&
	       !v->timer_burst;
}

static bool burst_lasting(const struct view *v)
{
	return v->client && !v->brief && v->past.together >= 2 &&
	       !v->timer_burst;
}

static bool together_alike(const struct view *v)
{
	return v->client && v->timer_burst;
}

static bool together_unlike(const struct view *v)
{
	return v->client && v->death_burst;
}

/* A timer that is looked at once a second does as much. */
static bool together_in_a_sweep(const struct view *v)
{
	return together_unlike(v) && v->past.together_idle_ms <= SWEEP_MS &&
	       !v->past.together_busy;
}

/* One that was idle went with one that was in use. */
static bool together_in_use(const struct view *v)
{
	return v->client && v->past.together >= 2 && !v->brief &&
	       v->past.together_busy && v->past.together_idle_ms != NOT_KNOWN &&
	       v->past.together_end_ms <= ONE_MOMENT_MS;
}

static bool database_sweep(const struct view *v)
{
	return v->client && !v->timer_burst && v->past.together &&
	       v->past.together_idle_ms != NOT_KNOWN &&
	       v->past.together_idle_ms <= SWEEP_MS &&
	       !v->past.together_busy &&
	       v->protocol.class == PROTOCOL_DATABASE;
}

/* No timer that is looked at once a second does that. */
static bool together_far_apart(const struct view *v)
{
	return together_unlike(v) && v->past.together >= 2 &&
	       v->past.together_idle_ms > SWEEP_MS;
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
	       fin_after_ack(v);
}

const struct rule rules_sudden[] = {
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
	 {{CAUSE_MAX_CONNECTIONS, -2.5f}}},
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
	 {{CAUSE_MAX_CONNECTIONS, 1.5f}, {CAUSE_RATE_LIMIT, -1.0f}}},
	{ON_HANGUP,
	 unanswered_while_served,
	 "such ends go on while others are served",
	 false,
	 {{CAUSE_RATE_LIMIT, 2.5f}, {CAUSE_SERVER_CRASH, -1.5f}}},
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
	{ON_RECEIVED,
	 first_request_reset,
	 "the RST came {reply} after our first request, with no answer",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.2f},
	  {CAUSE_MAX_CONNECTIONS, 0.5f},
	  {CAUSE_RATE_LIMIT, 0.3f},
	  {CAUSE_FIREWALL_REJECT, 0.7f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f}}},
	{ON_RECEIVED,
	 later_request_reset,
	 "the RST came {reply} after a request, on a connection in use",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.0f},
	  {CAUSE_FIREWALL_REJECT, 1.0f},
	  {CAUSE_RATE_LIMIT, 0.5f},
	  {CAUSE_STALE_KEEPALIVE, -1.0f}}},
	{ON_RECEIVED,
	 request_taken,
	 "our request was acknowledged, then reset {reply} later unanswered",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.2f},
	  {CAUSE_SERVER_CRASH, 0.3f},
	  {CAUSE_PEER_ABORTED, 0.5f}}},
	{ON_RECEIVED,
	 early_answer,
	 "the answer, status {http}, came while {ahead} of our request were "
	 "still under way",
	 true,
	 {{CAUSE_PEER_CLOSED_UNREAD, 3.5f}, {CAUSE_PEER_ABORTED, -1.0f}}},
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
	{ON_RECEIVED,
	 uploading,
	 "{ahead} of ours were under way",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.5f},
	  {CAUSE_PEER_ABORTED, 1.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
	{ON_RECEIVED,
	 downloading,
	 "the answer was still coming: {received} so far",
	 false,
	 {{CAUSE_PEER_ABORTED, 2.2f},
	  {CAUSE_SERVER_CRASH, 0.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.8f}}},
	{ON_RECEIVED,
	 client_complete,
	 "our last request had been answered and nothing was under way",
	 false,
	 {{CAUSE_GRACEFUL_RACE, 2.6f}, {CAUSE_PEER_CLOSED_UNREAD, 0.2f}}},
	{ON_RECEIVED,
	 serving_bulk,
	 "the client left while {ahead} of our answer were under way",
	 false,
	 {{CAUSE_PEER_ABORTED, 2.8f},
	  {CAUSE_PEER_CLOSED_UNREAD, 0.8f},
	  {CAUSE_GRACEFUL_RACE, -1.5f}}},
	{ON_RECEIVED,
	 goodbyes_crossed,
	 "the peer had closed in order; the {ahead} of ours that met its RST "
	 "are no more than TLS's farewell",
	 true,
	 {{CAUSE_GRACEFUL_RACE, 5.5f},
	  {CAUSE_STALE_KEEPALIVE, -2.0f},
	  {CAUSE_PEER_ABORTED, -1.0f}}},
	{ON_RECEIVED,
	 answered_with_rst,
	 "the RST answered the only flight of our answer: the client had what "
	 "it wanted",
	 false,
	 {{CAUSE_GRACEFUL_RACE, 4.0f}, {CAUSE_PEER_CLOSED_UNREAD, 0.5f}}},
	{ON_RECEIVED,
	 served_much,
	 "with {sent} of answer, all acknowledged but hardly all read",
	 false,
	 {{CAUSE_PEER_ABORTED, 2.8f}, {CAUSE_GRACEFUL_RACE, -1.0f}}},
	{ON_RECEIVED,
	 told_by_write_serving,
	 "we were still writing when it came",
	 false,
	 {{CAUSE_PEER_ABORTED, 1.5f}, {CAUSE_GRACEFUL_RACE, -1.0f}}},
	{ON_RECEIVED,
	 served_complete,
	 "our answer had been acknowledged to its end",
	 false,
	 {{CAUSE_GRACEFUL_RACE, 4.0f}, {CAUSE_PEER_ABORTED, -0.5f}}},
	{ON_RECEIVED,
	 client_gave_up,
	 "the client left before our answer",
	 false,
	 {{CAUSE_PEER_ABORTED, 2.6f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.5f},
	  {CAUSE_STALE_KEEPALIVE, -3.0f}}},
	{ON_RECEIVED,
	 we_closed_first,
	 "our side had closed first",
	 true,
	 {{CAUSE_GRACEFUL_RACE, 4.5f},
	  {CAUSE_STALE_KEEPALIVE, -3.0f},
	  {CAUSE_PEER_ABORTED, -1.0f}}},
	{ON_RECEIVED,
	 closed_with_data_under_way,
	 "{unacked} of ours were not acknowledged yet",
	 false,
	 {{CAUSE_GRACEFUL_RACE, -3.0f}, {CAUSE_PEER_CLOSED_UNREAD, 2.0f}}},
	{ON_BOTH,
	 said_goodbye,
	 "our last write was the protocol's farewell",
	 true,
	 {{CAUSE_GRACEFUL_RACE, 5.0f},
	  {CAUSE_STALE_KEEPALIVE, -2.0f},
	  {CAUSE_DB_POOL_IDLE, -3.0f}}},
	{ON_RECEIVED,
	 probe_of_us,
	 "the client opened and reset it within {age} and sent nothing",
	 true,
	 {{CAUSE_HEALTH_CHECK, 7.5f},
	  {CAUSE_PORT_SCAN, 4.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.0f}}},
	{ON_RECEIVED,
	 empty_unbrief,
	 "the client reset it after {age} and never sent anything",
	 false,
	 {{CAUSE_HEALTH_CHECK, 2.5f}, {CAUSE_PEER_ABORTED, 1.5f}}},
	{ON_RECEIVED,
	 probe_period,
	 "such empty connections come every {period}",
	 true,
	 {{CAUSE_HEALTH_CHECK, 3.0f}, {CAUSE_PORT_SCAN, -2.0f}}},
	{ON_RECEIVED,
	 many_ports,
	 "the same host tried {ports} of our ports within 10 s",
	 true,
	 {{CAUSE_PORT_SCAN, 6.0f}, {CAUSE_HEALTH_CHECK, -1.0f}}},
	{ON_BOTH,
	 refused_after,
	 "{refused} new connections to the endpoint were refused right then",
	 true,
	 {{CAUSE_SERVER_CRASH, 6.5f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f},
	  {CAUSE_DB_POOL_IDLE, -5.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -3.5f},
	  {CAUSE_VPN_PROXY_LIMIT, -3.0f},
	  {CAUSE_MAX_CONNECTIONS, -2.5f},
	  {CAUSE_RATE_LIMIT, -2.0f},
	  {CAUSE_PEER_CLOSED_EARLY, -1.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.5f},
	  {CAUSE_PEER_ABORTED, -1.5f}}},
	{ON_BOTH,
	 burst_lasting,
	 "{together} other connections to it were ended in the same moment",
	 false,
	 {{CAUSE_SERVER_CRASH, 3.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.5f},
	  {CAUSE_MAX_CONNECTIONS, -1.0f},
	  {CAUSE_PEER_CLOSED_EARLY, -1.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.5f},
	  {CAUSE_PEER_ABORTED, -0.5f},
	  {CAUSE_STALE_KEEPALIVE, -0.7f}}},
	{ON_BOTH,
	 one_together,
	 "another connection to it was ended in the same moment",
	 false,
	 {{CAUSE_SERVER_CRASH, 1.5f}}},
	{ON_BOTH,
	 together_unlike,
	 "they had been idle for different times: no idle timer",
	 false,
	 {{CAUSE_SERVER_CRASH, 2.2f},
	  {CAUSE_STALE_KEEPALIVE, -2.5f},
	  {CAUSE_DB_POOL_IDLE, -3.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, -2.0f}}},
	{ON_BOTH,
	 together_in_a_sweep,
	 NULL,
	 false,
	 {{CAUSE_SERVER_CRASH, -1.0f},
	  {CAUSE_STALE_KEEPALIVE, 1.0f},
	  {CAUSE_DB_POOL_IDLE, 2.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, 1.0f}}},
	{ON_BOTH,
	 together_in_use,
	 "some had been idle and some were in use: no idle timer",
	 false,
	 {{CAUSE_SERVER_CRASH, 1.5f},
	  {CAUSE_STALE_KEEPALIVE, -2.0f},
	  {CAUSE_DB_POOL_IDLE, -3.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.5f}}},
	{ON_BOTH,
	 database_sweep,
	 "but they differ by less than a second: a timer that is looked at now "
	 "and then does as much",
	 false,
	 {{CAUSE_SERVER_CRASH, -1.5f}, {CAUSE_DB_POOL_IDLE, 1.0f}}},
	{ON_BOTH,
	 together_far_apart,
	 NULL,
	 true,
	 {{CAUSE_SERVER_CRASH, 1.5f}}},
	{ON_BOTH,
	 together_alike,
	 "{together} other connections were ended with it, each as long idle: a "
	 "timer",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 0.5f},
	  {CAUSE_DB_POOL_IDLE, 0.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.5f}}},
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
const size_t rules_sudden_count = ARRAY_SIZE(rules_sudden);
