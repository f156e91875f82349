/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "user/base/base.h"
#include "user/explain/advice.h"

static const enum blame blames[CAUSES] = {
	[CAUSE_STALE_KEEPALIVE] = BLAME_PEER,
	[CAUSE_LB_IDLE_TIMEOUT] = BLAME_PATH,
	[CAUSE_SERVER_CRASH] = BLAME_PEER,
	[CAUSE_FIREWALL_IDLE_DROP] = BLAME_PATH,
	[CAUSE_RATE_LIMIT] = BLAME_PEER,
	[CAUSE_TLS_HANDSHAKE_FAILURE] = BLAME_UNKNOWN,
	[CAUSE_DB_POOL_IDLE] = BLAME_PEER,
	[CAUSE_MAX_CONNECTIONS] = BLAME_PEER,
	[CAUSE_VPN_PROXY_LIMIT] = BLAME_PATH,
	[CAUSE_PEER_CLOSED_UNREAD] = BLAME_PEER,
	[CAUSE_PEER_ABORTED] = BLAME_PEER,
	[CAUSE_HALF_OPEN] = BLAME_PEER,
	[CAUSE_MIDDLEBOX_INJECTED] = BLAME_PATH,
	[CAUSE_FIREWALL_REJECT] = BLAME_PATH,
	[CAUSE_CONNECTION_REFUSED] = BLAME_PEER,
	[CAUSE_PEER_CLOSED_EARLY] = BLAME_PEER,
	[CAUSE_GRACEFUL_RACE] = BLAME_PEER,
	[CAUSE_HEALTH_CHECK] = BLAME_PEER,
	[CAUSE_PORT_SCAN] = BLAME_PEER,
	[CAUSE_CLOSE_WITH_UNREAD_DATA] = BLAME_LOCAL,
	[CAUSE_LINGER_ZERO] = BLAME_LOCAL,
	[CAUSE_PROCESS_EXIT] = BLAME_LOCAL,
	[CAUSE_KEEPALIVE_TIMEOUT] = BLAME_PATH,
	[CAUSE_USER_TIMEOUT] = BLAME_PATH,
	[CAUSE_PORT_CLOSED] = BLAME_PEER,
	[CAUSE_LATE_DATA] = BLAME_PEER,
	[CAUSE_ACCEPT_OVERFLOW] = BLAME_LOCAL,
	[CAUSE_LISTENER_CLOSED] = BLAME_LOCAL,
	[CAUSE_ADMIN_ABORT] = BLAME_LOCAL,
	[CAUSE_MEMORY_PRESSURE] = BLAME_LOCAL,
	[CAUSE_BAD_SEGMENT] = BLAME_PEER,
	[CAUSE_CONNECT_TIMEOUT] = BLAME_PATH,
	[CAUSE_PEER_UNREACHABLE] = BLAME_PATH,
	[CAUSE_UNKNOWN] = BLAME_UNKNOWN,
};

enum blame blame_for(const struct view *view, enum cause cause)
{
	const struct facts *f = view->f;
	enum blame blame = blames[cause];

	if (cause == CAUSE_FIREWALL_REJECT && f->netfilter_us != NOT_KNOWN)
		return BLAME_LOCAL;
	if (cause == CAUSE_TLS_HANDSHAKE_FAILURE) {
		if (f->tls & TLS_ALERT_OUT)
			return BLAME_LOCAL; /* we refused */
		return f->tls & TLS_ALERT_IN ? BLAME_PEER : BLAME_UNKNOWN;
	}
	if (f->kind != KIND_SENT)
		return blame == BLAME_LOCAL && cause != CAUSE_ADMIN_ABORT
			       ? BLAME_PEER
		       : blame == BLAME_LOCAL && f->kind == KIND_RECEIVED
			       ? BLAME_PEER
			       : blame;
	/* The same cause, seen from the end that closed. */
	if (cause == CAUSE_STALE_KEEPALIVE || cause == CAUSE_DB_POOL_IDLE ||
	    cause == CAUSE_MAX_CONNECTIONS || cause == CAUSE_HEALTH_CHECK)
		return BLAME_LOCAL;
	return blame;
}

static bool is_benign(enum cause cause)
{
	return cause == CAUSE_GRACEFUL_RACE || cause == CAUSE_HEALTH_CHECK ||
	       cause == CAUSE_PORT_SCAN;
}

/* The server's own event shows that the request was never read. */
static bool request_unread_there(const struct facts *f)
{
	return f->other.known && f->other.unread_bytes > 0 &&
	       (f->other.unread_bytes >= f->sent_bytes ||
		(f->received_bytes > 0 && f->unacked_bytes > 0 &&
		 f->other.unread_bytes >= f->unacked_bytes));
}

static bool fails_again(const struct view *view, enum cause cause)
{
	if (cause == CAUSE_TLS_HANDSHAKE_FAILURE ||
	    cause == CAUSE_FIREWALL_REJECT)
		return true;
	return cause == CAUSE_CONNECTION_REFUSED && view->past.refused >= 2;
}

enum retry retry_for(const struct view *view, enum cause cause)
{
	const struct facts *f = view->f;

	if (f->kind == KIND_SENT || view->server)
		return RETRY_UNKNOWN;
	if (fails_again(view, cause))
		return RETRY_USELESS;
	if (f->kind == KIND_REFUSED || cause == CAUSE_CONNECT_TIMEOUT)
		return RETRY_SAFE;
	if (f->sent_bytes == 0 || view->fin_first || request_unread_there(f))
		return RETRY_SAFE;
	/* it was idle: no request was under way */
	if (f->unsolicited && view->paused && f->answered == TRI_YES)
		return RETRY_SAFE;
	if (cause == CAUSE_GRACEFUL_RACE || f->sent_bytes == NOT_KNOWN)
		return RETRY_UNKNOWN;
	if (f->kind != KIND_HANGUP && f->answered == TRI_YES)
		return RETRY_UNSAFE;
	/* One segment holds a whole request: then none of it was taken. */
	if (f->kind != KIND_TIMEOUT && view->at_once && f->unacked_bytes > 0 &&
	    f->unacked_bytes <= SEGMENT && f->answered == TRI_NO &&
	    (view->used || f->acked_bytes <= 1))
		return RETRY_SAFE;
	if (f->answered == TRI_UNKNOWN && f->kind != KIND_HANGUP)
		return RETRY_UNKNOWN;
	return RETRY_IF_IDEMPOTENT;
}

void advise(const struct view *view, struct verdict *v)
{
	v->blame = blame_for(view, v->cause);
	v->benign = is_benign(v->cause);
	v->retry = retry_for(view, v->cause);
	if (!v->benign)
		fixes_for(view, v);
}
