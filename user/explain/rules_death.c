/* SPDX-License-Identifier: Apache-2.0 */
/* Deaths: several ends in one moment, and nobody there afterwards. */
#include "user/base/base.h"
#include "user/explain/rules.h"

#define SWEEP_MS      1300
#define ONE_MOMENT_MS 100

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
	       v->past.together_idle_ms <= SWEEP_MS && !v->past.together_busy &&
	       v->protocol.class == PROTOCOL_DATABASE;
}

/* No timer that is looked at once a second does that. */
static bool together_far_apart(const struct view *v)
{
	return together_unlike(v) && v->past.together >= 2 &&
	       v->past.together_idle_ms > SWEEP_MS;
}

const struct rule rules_death[] = {
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
	{ON_BOTH, together_far_apart, NULL, true, {{CAUSE_SERVER_CRASH, 1.5f}}},
	{ON_BOTH,
	 together_alike,
	 "{together} other connections were ended with it, each as long idle: "
	 "a "
	 "timer",
	 false,
	 {{CAUSE_STALE_KEEPALIVE, 0.5f},
	  {CAUSE_DB_POOL_IDLE, 0.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.5f}}},
};
const size_t rules_death_count = ARRAY_SIZE(rules_death);
