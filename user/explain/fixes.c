/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to change, per cause, and for the program where its name is known.
 * Settings are named as the components spell them. Rows stand in the order in
 * which they are given; only advice that was checked is in the table.
 */
#include <string.h>

#include "user/base/base.h"
#include "user/explain/advice.h"

enum timer_need { ANY_TIMER, TIMER, NO_TIMER };
enum whose { ANYONE, OURS, THEIRS };

struct fix {
	enum cause cause;
	const char *program; /* start of its name; NULL: any */
	enum whose whose;
	enum timer_need timer;
	const char *text;
};

static const struct fix fixes[] = {
	/* stale_keepalive: our side is the client */
	{CAUSE_STALE_KEEPALIVE, NULL, OURS, TIMER,
	 "the server closes after {timer} idle, this client reused after "
	 "{pause}: set the client's idle limit below {timer}, or raise the "
	 "server's above the client's"},
	{CAUSE_STALE_KEEPALIVE, NULL, OURS, NO_TIMER,
	 "set the client's idle limit below the server's: this connection had "
	 "been idle for {pause}"},
	{CAUSE_STALE_KEEPALIVE, "node", OURS, TIMER,
	 "Node client: agentkeepalive with freeSocketTimeout below {timer} "
	 "(as axios httpAgent and httpsAgent); the core http.Agent ignores "
	 "that option"},
	{CAUSE_STALE_KEEPALIVE, "node", OURS, NO_TIMER,
	 "Node client: agentkeepalive with a freeSocketTimeout (as axios "
	 "httpAgent and httpsAgent); the core http.Agent ignores that option"},
	{CAUSE_STALE_KEEPALIVE, "node", OURS, ANY_TIMER,
	 "fetch and undici: lower keepAliveTimeout, or use RetryAgent; the "
	 "code is in err.cause.code"},
	{CAUSE_STALE_KEEPALIVE, "node", OURS, ANY_TIMER,
	 "core http: retry once if req.reusedSocket"},
	{CAUSE_STALE_KEEPALIVE, "java", OURS, ANY_TIMER,
	 "Apache HttpClient: setValidateAfterInactivity, evictIdleConnections; "
	 "OkHttp: ConnectionPool; JDK: jdk.httpclient.keepalive.timeout"},
	{CAUSE_STALE_KEEPALIVE, "python", OURS, ANY_TIMER,
	 "httpx: Limits(keepalive_expiry=); aiohttp: keepalive_timeout; "
	 "urllib3: Retry(allowed_methods=), it has no idle limit"},
	{CAUSE_STALE_KEEPALIVE, "gunicorn", OURS, ANY_TIMER,
	 "httpx: Limits(keepalive_expiry=); aiohttp: keepalive_timeout; "
	 "urllib3: Retry(allowed_methods=), it has no idle limit"},
	{CAUSE_STALE_KEEPALIVE, "nginx", OURS, ANY_TIMER,
	 "nginx: keepalive_timeout in the upstream block below the backend's"},
	{CAUSE_STALE_KEEPALIVE, "haproxy", OURS, ANY_TIMER,
	 "HAProxy: retry-on conn-failure empty-response"},
	{CAUSE_STALE_KEEPALIVE, "envoy", OURS, ANY_TIMER,
	 "Envoy: common_http_protocol_options.idle_timeout of the cluster "
	 "below the backend's"},
	{CAUSE_STALE_KEEPALIVE, "pilot-agent", OURS, ANY_TIMER,
	 "Istio: DestinationRule idleTimeout below the backend's"},
	/* its server */
	{CAUSE_STALE_KEEPALIVE, "node", THEIRS, ANY_TIMER,
	 "Node server: raise server.keepAliveTimeout above the client's idle "
	 "limit (65_000 or more behind a balancer of 60 s)"},
	{CAUSE_STALE_KEEPALIVE, "gunicorn", THEIRS, ANY_TIMER,
	 "gunicorn: raise keepalive"},
	{CAUSE_STALE_KEEPALIVE, "uvicorn", THEIRS, ANY_TIMER,
	 "uvicorn: raise --timeout-keep-alive"},
	{CAUSE_STALE_KEEPALIVE, "java", THEIRS, ANY_TIMER,
	 "Tomcat: raise keepAliveTimeout"},
	{CAUSE_STALE_KEEPALIVE, "nginx", THEIRS, ANY_TIMER,
	 "nginx: raise keepalive_timeout above the client's idle limit"},
	{CAUSE_STALE_KEEPALIVE, "haproxy", THEIRS, ANY_TIMER,
	 "HAProxy: raise timeout http-keep-alive"},
	{CAUSE_STALE_KEEPALIVE, NULL, OURS, ANY_TIMER,
	 "retry once, on a fresh connection: the pool's next ones may be "
	 "stale too"},
	/* lb_idle_timeout */
	{CAUSE_LB_IDLE_TIMEOUT, NULL, ANYONE, TIMER,
	 "raise the balancer's idle timeout above {timer}, or carry traffic "
	 "more often: SO_KEEPALIVE with TCP_KEEPIDLE below half of it, on "
	 "each hop (it does not cross a proxy)"},
	{CAUSE_LB_IDLE_TIMEOUT, NULL, ANYONE, NO_TIMER,
	 "raise the balancer's idle timeout, or carry traffic more often; "
	 "keepalive does not cross a proxy, set it on each hop"},
	{CAUSE_LB_IDLE_TIMEOUT, "node", OURS, ANY_TIMER,
	 "Node: socket.setKeepAlive(true, ms)"},
	{CAUSE_LB_IDLE_TIMEOUT, NULL, ANYONE, ANY_TIMER,
	 "AWS ALB: idle_timeout.timeout_seconds; NLB: "
	 "tcp.idle_timeout.seconds; Azure: turn TCP Reset on"},
	/* firewall_idle_drop */
	{CAUSE_FIREWALL_IDLE_DROP, NULL, ANYONE, TIMER,
	 "probe below half of {timer}: SO_KEEPALIVE and TCP_KEEPIDLE on the "
	 "socket (the sysctl alone does nothing)"},
	{CAUSE_FIREWALL_IDLE_DROP, NULL, ANYONE, NO_TIMER,
	 "probe well within the {pause} that it was idle: SO_KEEPALIVE and "
	 "TCP_KEEPIDLE on the socket (the sysctl alone does nothing)"},
	{CAUSE_FIREWALL_IDLE_DROP, "node", OURS, ANY_TIMER,
	 "Node: socket.setKeepAlive(true, ms); pg: keepAlive and "
	 "keepAliveInitialDelayMillis; mysql2: keepAliveInitialDelay; "
	 "node-redis: pingInterval"},
	{CAUSE_FIREWALL_IDLE_DROP, NULL, ANYONE, ANY_TIMER,
	 "bound the wait with TCP_USER_TIMEOUT"},
	{CAUSE_FIREWALL_IDLE_DROP, NULL, ANYONE, ANY_TIMER,
	 "NLB: tcp.idle_timeout.seconds; EC2: TcpEstablishedTimeout"},
	/* db_pool_idle */
	{CAUSE_DB_POOL_IDLE, NULL, ANYONE, TIMER,
	 "set the pool's idle limit below {timer} (the server's "
	 "wait_timeout, idle_session_timeout or timeout); this connection "
	 "had been idle for {pause}"},
	{CAUSE_DB_POOL_IDLE, NULL, ANYONE, NO_TIMER,
	 "set the pool's idle limit below the server's (wait_timeout, "
	 "idle_session_timeout); this connection had been idle for {pause}"},
	{CAUSE_DB_POOL_IDLE, "java", OURS, ANY_TIMER,
	 "HikariCP: maxLifetime and keepaliveTime below it"},
	{CAUSE_DB_POOL_IDLE, "python", OURS, ANY_TIMER,
	 "SQLAlchemy: pool_pre_ping, pool_recycle"},
	{CAUSE_DB_POOL_IDLE, "node", OURS, ANY_TIMER,
	 "node-postgres: idleTimeoutMillis, and a handler for the pool's "
	 "error event; mysql2: idleTimeout, maxIdle; MongoDB: maxIdleTimeMS"},
	{CAUSE_DB_POOL_IDLE, "pgbouncer", ANYONE, ANY_TIMER,
	 "PgBouncer: server_idle_timeout, server_lifetime, "
	 "client_idle_timeout"},
	{CAUSE_DB_POOL_IDLE, NULL, ANYONE, ANY_TIMER,
	 "keep the pool's maximum age below any firewall's limit, and test "
	 "connections on checkout"},
	/* deaths */
	{CAUSE_SERVER_CRASH, NULL, ANYONE, ANY_TIMER,
	 "look at how the server ended: its exit status, signal, OOM kill"},
	{CAUSE_SERVER_CRASH, NULL, ANYONE, ANY_TIMER,
	 "in a deploy: drain before exit (preStop longer than endpoint "
	 "propagation, Connection: close or GOAWAY, a grace period longer "
	 "than both)"},
	{CAUSE_SERVER_CRASH, NULL, ANYONE, ANY_TIMER,
	 "back off exponentially with jitter, then break the circuit"},
	{CAUSE_PROCESS_EXIT, NULL, ANYONE, ANY_TIMER,
	 "drain before exit: stop accepting, answer what is under way, then "
	 "end; a grace period longer than both"},
	{CAUSE_PROCESS_EXIT, "node", ANYONE, ANY_TIMER,
	 "Node server: closeIdleConnections() on shutdown"},
	/* limits */
	{CAUSE_MAX_CONNECTIONS, NULL, ANYONE, ANY_TIMER,
	 "raise the server's connection limit, or its backlog (listen "
	 "argument and net.core.somaxconn)"},
	{CAUSE_MAX_CONNECTIONS, NULL, ANYONE, ANY_TIMER,
	 "pool connections on the client"},
	{CAUSE_ACCEPT_OVERFLOW, NULL, ANYONE, ANY_TIMER,
	 "raise the backlog: the listen argument and net.core.somaxconn"},
	{CAUSE_ACCEPT_OVERFLOW, "node", ANYONE, ANY_TIMER,
	 "Node: server.listen's backlog is 511 where not given"},
	{CAUSE_RATE_LIMIT, NULL, ANYONE, ANY_TIMER,
	 "back off, honour 429, and reuse connections"},
	{CAUSE_TLS_HANDSHAKE_FAILURE, NULL, ANYONE, ANY_TIMER,
	 "try version, SNI and certificate by hand: openssl s_client -connect "
	 "HOST:PORT -servername NAME"},
	{CAUSE_CLOSE_WITH_UNREAD_DATA, NULL, ANYONE, ANY_TIMER,
	 "read the request to its end before closing, or half-close and "
	 "drain ({unread} were left)"},
	{CAUSE_PEER_CLOSED_UNREAD, NULL, ANYONE, ANY_TIMER,
	 "the server should read the request to its end before closing, or "
	 "half-close and drain"},
	{CAUSE_PEER_CLOSED_UNREAD, NULL, OURS, ANY_TIMER,
	 "for large requests send Expect: 100-continue"},
	{CAUSE_CONNECTION_REFUSED, NULL, ANYONE, ANY_TIMER,
	 "back off exponentially with jitter, then break the circuit"},
};

static bool starts(const char *name, const char *program)
{
	return !strncmp(name, program, strlen(program));
}

static const struct fact_task *our_task(const struct facts *f)
{
	if (f->told.pid != NOT_KNOWN)
		return &f->told;
	if (f->task.pid != NOT_KNOWN)
		return &f->task;
	return &f->owner;
}

/* Component names of the timeouts table, for a peer on another host. */
static bool component_is(const struct view *view, const char *program)
{
	static const struct {
		const char *program, *component;
	} known[] = {
		{"node", "Node.js"},	{"gunicorn", "gunicorn"},
		{"uvicorn", "uvicorn"}, {"java", "Tomcat"},
		{"nginx", "nginx"},
	};

	if (!view->idle_match.row ||
	    view->idle_match.row->checked == CHECKED_MEMORY)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].program, program))
			return starts(view->component, known[i].component);
	return false;
}

static bool ours(const struct view *view, const char *program)
{
	return starts(our_task(view->f)->comm, program);
}

static bool theirs(const struct view *view, const char *program)
{
	const struct fact_closed *other = &view->f->other;

	return other->known ? starts(other->task.comm, program)
			    : component_is(view, program);
}

/* Whose end is meant: of a RST of ours, we are the server that closed. */
static bool concerns(const struct view *view, const struct fix *fix)
{
	bool swapped = view->server;

	if (!fix->program)
		return fix->whose == ANYONE || (fix->whose == OURS) != swapped;
	switch (fix->whose) {
	case OURS:
		return swapped ? theirs(view, fix->program)
			       : ours(view, fix->program);
	case THEIRS:
		return swapped ? ours(view, fix->program)
			       : theirs(view, fix->program);
	default:
		return ours(view, fix->program) || theirs(view, fix->program);
	}
}

static bool timer_suits(const struct verdict *v, enum timer_need need)
{
	return need == ANY_TIMER || (need == TIMER) == v->timeout_known;
}

void fixes_for(const struct view *view, struct verdict *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
		const struct fix *fix = &fixes[i];

		if (fix->cause != v->cause || v->fixes == VERDICT_FIXES ||
		    !timer_suits(v, fix->timer) || !concerns(view, fix))
			continue;
		tell(view, fix->text, v->fix[v->fixes],
		     sizeof(v->fix[v->fixes]));
		v->fixes++;
	}
}
