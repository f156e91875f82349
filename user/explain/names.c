/* SPDX-License-Identifier: Apache-2.0 */
/* The names that events, metrics and people use for the engine's enums. */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/verdict.h"

static const char *const cause_names[] = {
	[CAUSE_STALE_KEEPALIVE] = "stale_keepalive",
	[CAUSE_LB_IDLE_TIMEOUT] = "lb_idle_timeout",
	[CAUSE_SERVER_CRASH] = "server_crash",
	[CAUSE_FIREWALL_IDLE_DROP] = "firewall_idle_drop",
	[CAUSE_RATE_LIMIT] = "rate_limit",
	[CAUSE_TLS_HANDSHAKE_FAILURE] = "tls_handshake_failure",
	[CAUSE_DB_POOL_IDLE] = "db_pool_idle",
	[CAUSE_MAX_CONNECTIONS] = "max_connections",
	[CAUSE_VPN_PROXY_LIMIT] = "vpn_proxy_limit",
	[CAUSE_PEER_CLOSED_UNREAD] = "peer_closed_unread",
	[CAUSE_PEER_ABORTED] = "peer_aborted",
	[CAUSE_HALF_OPEN] = "half_open",
	[CAUSE_MIDDLEBOX_INJECTED] = "middlebox_injected",
	[CAUSE_FIREWALL_REJECT] = "firewall_reject",
	[CAUSE_CONNECTION_REFUSED] = "connection_refused",
	[CAUSE_PEER_CLOSED_EARLY] = "peer_closed_early",
	[CAUSE_GRACEFUL_RACE] = "graceful_race",
	[CAUSE_HEALTH_CHECK] = "health_check",
	[CAUSE_PORT_SCAN] = "port_scan",
	[CAUSE_CLOSE_WITH_UNREAD_DATA] = "close_with_unread_data",
	[CAUSE_LINGER_ZERO] = "linger_zero",
	[CAUSE_PROCESS_EXIT] = "process_exit",
	[CAUSE_KEEPALIVE_TIMEOUT] = "keepalive_timeout",
	[CAUSE_USER_TIMEOUT] = "user_timeout",
	[CAUSE_PORT_CLOSED] = "port_closed",
	[CAUSE_LATE_DATA] = "late_data",
	[CAUSE_ACCEPT_OVERFLOW] = "accept_overflow",
	[CAUSE_LISTENER_CLOSED] = "listener_closed",
	[CAUSE_ADMIN_ABORT] = "admin_abort",
	[CAUSE_MEMORY_PRESSURE] = "memory_pressure",
	[CAUSE_BAD_SEGMENT] = "bad_segment",
	[CAUSE_CONNECT_TIMEOUT] = "connect_timeout",
	[CAUSE_PEER_UNREACHABLE] = "peer_unreachable",
	[CAUSE_UNKNOWN] = "unknown",
};
_Static_assert(ARRAY_SIZE(cause_names) == CAUSES, "a cause has no name");

static const char *const blame_names[] = {
	[BLAME_PEER] = "peer",
	[BLAME_LOCAL] = "local",
	[BLAME_PATH] = "path",
	[BLAME_UNKNOWN] = "unknown",
};
_Static_assert(ARRAY_SIZE(blame_names) == BLAMES, "a blame has no name");

static const char *const retry_names[] = {
	[RETRY_SAFE] = "safe",	     [RETRY_IF_IDEMPOTENT] = "if_idempotent",
	[RETRY_UNSAFE] = "unsafe",   [RETRY_USELESS] = "useless",
	[RETRY_UNKNOWN] = "unknown",
};
_Static_assert(ARRAY_SIZE(retry_names) == RETRIES, "a retry has no name");

const char *cause_name(enum cause cause)
{
	return (unsigned int)cause < CAUSES ? cause_names[cause] : "unknown";
}

int cause_by_name(const char *name)
{
	for (int i = 0; i < CAUSES; i++)
		if (cause_names[i][0] == name[0] &&
		    !strcmp(cause_names[i], name))
			return i;
	return -ENOENT;
}

const char *blame_name(enum blame blame)
{
	return (unsigned int)blame < BLAMES ? blame_names[blame] : "unknown";
}

const char *retry_name(enum retry retry)
{
	return (unsigned int)retry < RETRIES ? retry_names[retry] : "unknown";
}
