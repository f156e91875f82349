/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cause engine answers: one cause with a calibrated confidence, the
 * evidence for and against, what else it may be, and what to do about it.
 */
#ifndef RSTSCOPE_VERDICT_H
#define RSTSCOPE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of causes.md; cause_name() gives the names. */
enum cause {
	CAUSE_STALE_KEEPALIVE,
	CAUSE_LB_IDLE_TIMEOUT,
	CAUSE_SERVER_CRASH,
	CAUSE_FIREWALL_IDLE_DROP,
	CAUSE_RATE_LIMIT,
	CAUSE_TLS_HANDSHAKE_FAILURE,
	CAUSE_DB_POOL_IDLE,
	CAUSE_MAX_CONNECTIONS,
	CAUSE_VPN_PROXY_LIMIT,
	CAUSE_PEER_CLOSED_UNREAD,
	CAUSE_PEER_ABORTED,
	CAUSE_HALF_OPEN,
	CAUSE_MIDDLEBOX_INJECTED,
	CAUSE_FIREWALL_REJECT,
	CAUSE_CONNECTION_REFUSED,
	CAUSE_PEER_CLOSED_EARLY,
	CAUSE_GRACEFUL_RACE,
	CAUSE_HEALTH_CHECK,
	CAUSE_PORT_SCAN,
	CAUSE_CLOSE_WITH_UNREAD_DATA,
	CAUSE_LINGER_ZERO,
	CAUSE_PROCESS_EXIT,
	CAUSE_KEEPALIVE_TIMEOUT,
	CAUSE_USER_TIMEOUT,
	CAUSE_PORT_CLOSED,
	CAUSE_LATE_DATA,
	CAUSE_ACCEPT_OVERFLOW,
	CAUSE_LISTENER_CLOSED,
	CAUSE_ADMIN_ABORT,
	CAUSE_MEMORY_PRESSURE,
	CAUSE_BAD_SEGMENT,
	CAUSE_CONNECT_TIMEOUT,
	CAUSE_PEER_UNREACHABLE,
	CAUSE_UNKNOWN,
	CAUSES,
};

enum blame { BLAME_PEER, BLAME_LOCAL, BLAME_PATH, BLAME_UNKNOWN, BLAMES };

enum retry {
	RETRY_SAFE,
	RETRY_IF_IDEMPOTENT,
	RETRY_UNSAFE,
	RETRY_USELESS,
	RETRY_UNKNOWN,
	RETRIES,
};

#define VERDICT_EVIDENCE     12
#define VERDICT_ALTERNATIVES 4
#define VERDICT_FIXES	     5
#define VERDICT_TEXT	     240

struct evidence {
	char fact[VERDICT_TEXT];
	bool supports;
};

struct verdict {
	enum cause cause;
	double confidence; /* 0..1 */
	enum blame blame;
	bool benign;
	bool timeout_known;
	bool timeout_learned;
	double timeout_seconds;
	char timeout_component[80];
	unsigned int evidences;
	struct evidence evidence[VERDICT_EVIDENCE];
	unsigned int alternatives;
	struct {
		enum cause cause;
		double confidence;
	} alternative[VERDICT_ALTERNATIVES];
	enum retry retry;
	unsigned int fixes;
	char fix[VERDICT_FIXES][VERDICT_TEXT];
};

/* Name as in causes.md / event.schema.json; never NULL. */
const char *cause_name(enum cause cause);
/* The cause of that name, or -ENOENT. */
int cause_by_name(const char *name);
const char *blame_name(enum blame blame);
const char *retry_name(enum retry retry);

#endif
