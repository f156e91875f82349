/* SPDX-License-Identifier: Apache-2.0 */
/* Idle connections that we came back to. */
#include "user/base/base.h"
#include "user/explain/rules.h"

#define FIREWALL_MIN_MS 240000 /* forgetting sooner is rare: timeouts.tsv */

static bool has_role_client(const struct view *v)
{
	return v->client;
}

/* We sent on a connection that had been idle and had carried answers. */
static bool reused(const struct view *v)
{
	return has_role_client(v) && v->paused && v->solicited && !v->probed &&
	       v->used && v->reply_ms != NOT_KNOWN;
}

static bool reused_after_fin(const struct view *v)
{
	return has_role_client(v) && v->fin_first && v->used && v->paused;
}

/*
 * The peer had closed with no pause before: not an idle timer. We came to it
 * later all the same, or at once, in the middle of traffic.
 */
static bool wrote_after_close(const struct view *v)
{
	return has_role_client(v) && v->fin_first && v->used && !v->paused;
}

static bool wrote_long_after(const struct view *v)
{
	return wrote_after_close(v) && v->left_ms >= PAUSE_MS;
}

static bool kept_long_after(const struct view *v)
{
	return wrote_long_after(v) && v->kept;
}

static bool wrote_right_after(const struct view *v)
{
	return wrote_after_close(v) && v->left_ms < PAUSE_MS;
}

static bool crossed(const struct view *v)
{
	return reused(v) && !v->fin && v->at_once && v->f->retransmits <= 0;
}

static bool fin_crossed(const struct view *v)
{
	return reused(v) && v->fin && !v->fin_first && v->fin_lag_known &&
	       v->fin_lag_ms <= v->quick_ms;
}

static bool fin_crossed_unacked(const struct view *v)
{
	return fin_crossed(v) && v->f->unacked_bytes > 0;
}

static bool timer_may_end(const struct view *v)
{
	return reused(v) || reused_after_fin(v);
}

/*
 * Without a FIN the peer must have closed within a round trip of our send: not
 * likely unless the idle time is some timer's.
 */
static bool crossed_no_timer(const struct view *v)
{
	return crossed(v) && !v->whole_idle && v->idle_match.score < 0.5 &&
	       v->past.idle.n < 2;
}

static bool crossed_not_http(const struct view *v)
{
	return crossed(v) && !v->kept;
}

static bool reused_http(const struct view *v)
{
	return timer_may_end(v) && v->kept;
}

static bool reused_chatty(const struct view *v)
{
	return timer_may_end(v) && v->chatty;
}

static bool idle_database(const struct view *v)
{
	return v->client && v->paused && !v->waited &&
	       v->protocol.class == PROTOCOL_DATABASE && v->used;
}

static bool labelled_database(const struct view *v)
{
	return idle_database(v) && !v->protocol.by_port;
}

/* We wrote long after a database had closed with no pause before. */
static bool database_long_after(const struct view *v)
{
	return wrote_long_after(v) && v->protocol.class == PROTOCOL_DATABASE;
}

static bool said_idle(const struct view *v)
{
	return v->client && v->f->notice == NOTICE_IDLE;
}

static bool reuse_fits_table(const struct view *v)
{
	return timer_may_end(v) && v->idle_match.score >= 0.5 &&
	       !v->death_burst;
}

static bool reuse_whole_second(const struct view *v)
{
	/* one of several that ended together is one by chance */
	return timer_may_end(v) && v->whole_idle && !v->death_burst;
}

/* Its FIN shows the moment; a death that hits a known timer's is rare. */
static bool fin_at_known_timer(const struct view *v)
{
	return reused_after_fin(v) && v->kept && v->whole_idle &&
	       v->idle_match.score >= 0.7 && !v->past.together;
}

static bool reuse_cluster(const struct view *v)
{
	return timer_may_end(v) && v->past.idle.n >= 2 &&
	       v->past.failures_1s < 2;
}

static bool reuse_cluster_many(const struct view *v)
{
	return reuse_cluster(v) && v->past.idle.n >= 3;
}

static bool cluster_chatty(const struct view *v)
{
	return reuse_cluster(v) && v->chatty;
}

static bool longer_worked(const struct view *v)
{
	return timer_may_end(v) &&
	       v->worked_ms - v->idle_ms > v->idle_ms / 5 + 300;
}

static bool reused_after_long(const struct view *v)
{
	return reused(v) && !v->fin && v->idle_ms >= FIREWALL_MIN_MS;
}

const struct rule rules_idle[] = {
	{ON_BOTH,
	 reused,
	 "the connection had been idle for {pause} when we sent again",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 2.5f},
	  {CAUSE_FIREWALL_IDLE_DROP, 1.5f},
	  {CAUSE_HALF_OPEN, 1.4f},
	  {CAUSE_DB_POOL_IDLE, 0.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.8f},
	  {CAUSE_PEER_ABORTED, -1.5f},
	  {CAUSE_MAX_CONNECTIONS, -3.0f},
	  {CAUSE_RATE_LIMIT, -2.0f},
	  {CAUSE_GRACEFUL_RACE, -1.5f}}},
	{ON_BOTH,
	 reused_after_fin,
	 "the peer's FIN had come {fin_before} before the end, after {idle} "
	 "without traffic; we sent after it",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 3.5f},
	  {CAUSE_DB_POOL_IDLE, 1.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, 2.0f},
	  {CAUSE_SERVER_CRASH, 1.8f},
	  {CAUSE_HALF_OPEN, -4.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -4.0f},
	  {CAUSE_MIDDLEBOX_INJECTED, -3.0f},
	  {CAUSE_PEER_ABORTED, -2.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.5f},
	  {CAUSE_PEER_CLOSED_EARLY, -2.0f},
	  {CAUSE_FIREWALL_REJECT, -3.0f}}},
	{ON_BOTH,
	 wrote_after_close,
	 "the peer had closed {idle} after the last exchange, and we wrote "
	 "{left} after its FIN",
	 false,
	 {{CAUSE_SERVER_CRASH, 2.0f},
	  {CAUSE_VPN_PROXY_LIMIT, 0.8f},
	  {CAUSE_UNKNOWN, -0.5f},
	  {CAUSE_HALF_OPEN, -4.0f},
	  {CAUSE_MIDDLEBOX_INJECTED, -3.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.0f},
	  {CAUSE_PEER_ABORTED, -1.5f}}},
	{ON_BOTH,
	 wrote_long_after,
	 NULL,
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.0f}, {CAUSE_GRACEFUL_RACE, 0.5f}}},
	{ON_BOTH,
	 kept_long_after,
	 "{protocol}: a client that keeps connections used one that the server "
	 "had closed after its answer",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.2f}}},
	{ON_BOTH,
	 database_long_after,
	 NULL,
	 false,
	 {{CAUSE_DB_POOL_IDLE, 2.5f}, {CAUSE_STALE_KEEPALIVE, -1.5f}}},
	{ON_BOTH,
	 wrote_right_after,
	 "it was in use: no idle timer",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, -0.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.5f},
	  {CAUSE_DB_POOL_IDLE, -1.5f},
	  {CAUSE_PEER_ABORTED, 0.8f},
	  {CAUSE_PEER_CLOSED_EARLY, 0.5f}}},
	{ON_RECEIVED,
	 crossed,
	 "the RST came {reply} after our send, within a round trip, with no "
	 "FIN before it",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.0f},
	  {CAUSE_HALF_OPEN, 0.8f},
	  {CAUSE_FIREWALL_IDLE_DROP, 0.5f},
	  {CAUSE_PEER_ABORTED, -1.0f}}},
	{ON_RECEIVED,
	 crossed_no_timer,
	 "but the idle time is no known timer's, and the peer would have had "
	 "to close in the same moment",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, -1.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.0f},
	  {CAUSE_DB_POOL_IDLE, -0.5f},
	  {CAUSE_FIREWALL_IDLE_DROP, 0.8f},
	  {CAUSE_HALF_OPEN, 0.8f}}},
	{ON_RECEIVED,
	 crossed_not_http,
	 NULL,
	 false,
	 {{CAUSE_STALE_KEEPALIVE, -0.7f}}},
	{ON_BOTH,
	 fin_crossed,
	 "the peer's FIN came {fin_lag} after our send: both crossed",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 2.0f},
	  {CAUSE_DB_POOL_IDLE, 1.0f},
	  {CAUSE_HALF_OPEN, -4.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -3.0f},
	  {CAUSE_PEER_ABORTED, -1.0f}}},
	{ON_BOTH,
	 fin_crossed_unacked,
	 "its FIN did not acknowledge our request",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.0f}, {CAUSE_PEER_CLOSED_EARLY, -1.5f}}},
	{ON_BOTH,
	 reused_http,
	 "{protocol}, whose connections are kept alive",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.0f},
	  {CAUSE_HALF_OPEN, -0.5f},
	  {CAUSE_FIREWALL_IDLE_DROP, -0.3f}}},
	{ON_BOTH,
	 reused_chatty,
	 "no protocol of requests that is kept alive: the end of an idle "
	 "session",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 3.0f}, {CAUSE_STALE_KEEPALIVE, -3.0f}}},
	{ON_BOTH,
	 idle_database,
	 "{protocol}, whose sessions are pooled",
	 false,
	 {{CAUSE_DB_POOL_IDLE, 4.0f},
	  {CAUSE_STALE_KEEPALIVE, -3.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.5f},
	  {CAUSE_FIREWALL_IDLE_DROP, -1.0f}}},
	{ON_BOTH, labelled_database, NULL, false, {{CAUSE_DB_POOL_IDLE, 0.8f}}},
	{ON_BOTH,
	 said_idle,
	 "the server's last words were that the session had been idle for too "
	 "long",
	 true,
	 {{CAUSE_DB_POOL_IDLE, 8.0f}}},
	{ON_BOTH,
	 reuse_fits_table,
	 "idle for {idle}: {component} closes after {timer}",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.2f},
	  {CAUSE_DB_POOL_IDLE, 0.7f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.6f}}},
	{ON_BOTH,
	 reuse_whole_second,
	 "{idle} is a whole number of seconds, as timers are",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 0.8f},
	  {CAUSE_DB_POOL_IDLE, 0.8f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.8f},
	  {CAUSE_HALF_OPEN, -0.3f},
	  {CAUSE_SERVER_CRASH, -0.3f}}},
	{ON_BOTH,
	 fin_at_known_timer,
	 NULL,
	 true,
	 {{CAUSE_STALE_KEEPALIVE, 0.5f}}},
	{ON_BOTH,
	 reuse_cluster,
	 "{idles} failures of this destination had an idle time near "
	 "{idle_cluster}",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 1.5f},
	  {CAUSE_DB_POOL_IDLE, 1.2f},
	  {CAUSE_LB_IDLE_TIMEOUT, 1.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, 0.5f},
	  {CAUSE_SERVER_CRASH, -2.0f},
	  {CAUSE_HALF_OPEN, -1.5f}}},
	{ON_BOTH,
	 reuse_cluster_many,
	 NULL,
	 true,
	 {{CAUSE_STALE_KEEPALIVE, 0.5f}, {CAUSE_DB_POOL_IDLE, 0.5f}}},
	{ON_BOTH, cluster_chatty, NULL, false, {{CAUSE_LB_IDLE_TIMEOUT, 0.7f}}},
	{ON_BOTH,
	 longer_worked,
	 "connections idle for {worked} still worked",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, -1.2f},
	  {CAUSE_DB_POOL_IDLE, -1.2f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.2f},
	  {CAUSE_FIREWALL_IDLE_DROP, -1.2f},
	  {CAUSE_SERVER_CRASH, 0.5f}}},
	{ON_RECEIVED,
	 reused_after_long,
	 "{pause} idle and no FIN: what is on the path may have forgotten it",
	 false,
	 {{CAUSE_FIREWALL_IDLE_DROP, 2.0f}, {CAUSE_HALF_OPEN, 0.5f}}},
};
const size_t rules_idle_count = ARRAY_SIZE(rules_idle);
