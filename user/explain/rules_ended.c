/* SPDX-License-Identifier: Apache-2.0 */
/* Timers that end what nobody was using: silences, slow answers, lifetimes. */
#include "user/base/base.h"
#include "user/explain/rules.h"

#define BUSY_MIN_MS 2500
#define APART_MS    300 /* an age that is more than the idle time */

static bool unsolicited_idle(const struct view *v)
{
	return v->client && v->paused && !v->solicited && !v->due &&
	       v->f->kind == KIND_RECEIVED && !v->closing && !v->fin;
}

static bool alien_idle(const struct view *v)
{
	return unsolicited_idle(v) && v->alien;
}

static bool server_unsolicited_idle(const struct view *v)
{
	return v->server && !v->alien && v->paused && !v->solicited &&
	       !v->closing && !v->empty && v->f->kind == KIND_RECEIVED;
}

static bool server_idle_served(const struct view *v)
{
	return server_unsolicited_idle(v) && v->f->sent_bytes > 0 &&
	       v->f->since_send_ms <= v->f->since_receive_ms;
}

static bool server_idle_whole(const struct view *v)
{
	return server_unsolicited_idle(v) && v->whole_idle;
}

static bool waited_long(const struct view *v)
{
	return v->waited && !v->closing && !v->fin_first;
}

static bool idle_or_waited(const struct view *v)
{
	return unsolicited_idle(v) || waited_long(v);
}

static bool ends_whole_second(const struct view *v)
{
	return (unsolicited_idle(v) && v->whole_idle) ||
	       (waited_long(v) && whole_seconds(v->reply_ms));
}

static bool waited_whole_second(const struct view *v)
{
	return waited_long(v) && whole_seconds(v->reply_ms);
}

static bool ends_fit_table(const struct view *v)
{
	return idle_or_waited(v) && v->idle_match.score >= 0.5;
}

static bool ends_cluster(const struct view *v)
{
	return idle_or_waited(v) && v->past.idle.n >= 2;
}

static bool ends_cluster_many(const struct view *v)
{
	return ends_cluster(v) && v->past.idle.n >= 3;
}

/* Busy until the end: then an idle timer cannot have done it. */
static bool busy(const struct view *v)
{
	return !v->paused && !v->waited && v->age_ms >= BUSY_MIN_MS;
}

static bool busy_whole_age(const struct view *v)
{
	return v->client && busy(v) && v->whole_age && !v->closing;
}

static bool age_cluster(const struct view *v)
{
	const struct past *p = &v->past;

	if (p->age.n < 2 || v->brief || v->server)
		return false;
	if (!p->idle.n || !v->paused)
		return true;
	/* busy in its first moments only: age and idle time are one */
	if (v->age_ms < v->idle_ms + APART_MS)
		return false;
	return p->age.n > p->idle.n ||
	       (p->age.spread < 0.5 * p->idle.spread &&
		(double)v->age_ms / 1000 > 1.3 * p->idle.seconds);
}

static bool age_cluster_many(const struct view *v)
{
	return age_cluster(v) && v->past.age.n >= 3;
}

static bool through_proxy(const struct view *v)
{
	return v->client && v->protocol.class == PROTOCOL_PROXY;
}

static bool proxy_lets_none(const struct view *v)
{
	return through_proxy(v) && v->brief;
}

const struct rule rules_ended[] = {
	{ON_RECEIVED,
	 unsolicited_idle,
	 "nothing was under way; the connection had been idle for {idle}",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 2.4f},
	  {CAUSE_VPN_PROXY_LIMIT, 0.8f},
	  {CAUSE_DB_POOL_IDLE, 0.5f},
	  {CAUSE_MIDDLEBOX_INJECTED, 0.5f},
	  {CAUSE_ADMIN_ABORT, 1.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, 0.3f},
	  {CAUSE_PEER_ABORTED, -0.8f},
	  {CAUSE_STALE_KEEPALIVE, -2.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -3.0f},
	  {CAUSE_HALF_OPEN, -3.0f},
	  {CAUSE_GRACEFUL_RACE, -0.5f}}},
	{ON_RECEIVED,
	 alien_idle,
	 NULL,
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, -1.4f}}},
	{ON_RECEIVED,
	 server_unsolicited_idle,
	 "the client ended a connection that was idle for {idle}",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 1.8f},
	  {CAUSE_STALE_KEEPALIVE, -2.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -3.0f},
	  {CAUSE_HALF_OPEN, -3.0f}}},
	{ON_RECEIVED,
	 server_idle_served,
	 "our answer had been acknowledged to its end",
	 false,
	 {{CAUSE_GRACEFUL_RACE, 2.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.8f},
	  {CAUSE_PEER_ABORTED, -0.5f}}},
	{ON_RECEIVED,
	 server_idle_whole,
	 "it ended after a whole number of seconds, as timers do",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 2.0f}}},
	{ON_BOTH,
	 waited_long,
	 "our request had waited {reply} for its answer",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 1.4f},
	  {CAUSE_SERVER_CRASH, 0.5f},
	  {CAUSE_PEER_ABORTED, 0.4f},
	  {CAUSE_STALE_KEEPALIVE, -3.0f},
	  {CAUSE_DB_POOL_IDLE, -2.0f},
	  {CAUSE_MAX_CONNECTIONS, -3.0f},
	  {CAUSE_RATE_LIMIT, -2.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
	{ON_BOTH,
	 ends_whole_second,
	 "it ended after a whole number of seconds, as timers do",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 1.2f}, {CAUSE_DB_POOL_IDLE, 0.6f}}},
	{ON_BOTH,
	 waited_whole_second,
	 NULL,
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 1.0f}, {CAUSE_PEER_CLOSED_EARLY, -0.5f}}},
	{ON_BOTH,
	 ends_fit_table,
	 "the time fits {component}, which ends after {timer}",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 0.6f}}},
	{ON_BOTH,
	 ends_cluster,
	 "{idles} connections of this destination ended after about "
	 "{idle_cluster}",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, 2.4f},
	  {CAUSE_DB_POOL_IDLE, 1.0f},
	  {CAUSE_SERVER_CRASH, -2.0f},
	  {CAUSE_PEER_CLOSED_EARLY, -1.0f}}},
	{ON_BOTH,
	 ends_cluster_many,
	 NULL,
	 true,
	 {{CAUSE_LB_IDLE_TIMEOUT, 0.8f}}},
	{ON_BOTH,
	 busy,
	 "it carried traffic until the end: no idle timer",
	 false,
	 {{CAUSE_LB_IDLE_TIMEOUT, -2.0f},
	  {CAUSE_STALE_KEEPALIVE, -3.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -3.0f},
	  {CAUSE_DB_POOL_IDLE, -2.0f},
	  {CAUSE_VPN_PROXY_LIMIT, 0.7f}}},
	{ON_BOTH,
	 busy_whole_age,
	 "its age then, {end_age}, is a whole number of seconds",
	 false,
	 {{CAUSE_VPN_PROXY_LIMIT, 1.3f}}},
	{ON_BOTH,
	 age_cluster,
	 "{ages} connections of this destination ended at an age near "
	 "{age_cluster}, whatever their traffic",
	 false,
	 {{CAUSE_VPN_PROXY_LIMIT, 4.0f},
	  {CAUSE_PEER_CLOSED_EARLY, -1.0f},
	  {CAUSE_PEER_ABORTED, -1.2f},
	  {CAUSE_GRACEFUL_RACE, -1.2f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.0f},
	  {CAUSE_STALE_KEEPALIVE, -1.0f}}},
	{ON_BOTH,
	 age_cluster_many,
	 NULL,
	 true,
	 {{CAUSE_VPN_PROXY_LIMIT, 1.5f}}},
	{ON_BOTH,
	 through_proxy,
	 "it went through a proxy ({protocol})",
	 false,
	 {{CAUSE_VPN_PROXY_LIMIT, 1.8f}}},
	{ON_BOTH,
	 proxy_lets_none,
	 "which ended it {age} after it was set up",
	 false,
	 {{CAUSE_VPN_PROXY_LIMIT, 3.2f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.8f},
	  {CAUSE_PEER_CLOSED_EARLY, -0.5f}}},
};
const size_t rules_ended_count = ARRAY_SIZE(rules_ended);
