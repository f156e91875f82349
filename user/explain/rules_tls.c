/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes that fail: how far TLS had come, alerts, TLS against plain. */
#include <string.h>

#include "user/base/base.h"
#include "user/explain/rules.h"

#define LAST_FLIGHT 100 /* ChangeCipherSpec and Finished of a client */

static bool in_handshake(const struct view *v)
{
	/* nobody pauses in a handshake and goes on with it */
	return !strcmp(v->tls, "handshake") && !v->waited &&
	       !(v->paused && v->solicited && v->client);
}

/* A client that dislikes a handshake says so; a probe just goes. */
static bool left_without_alert(const struct view *v)
{
	return in_handshake(v) && v->server && v->f->kind == KIND_RECEIVED &&
	       !(v->f->tls & (TLS_ALERT_IN | TLS_ALERT_OUT));
}

/* Done for our side, and no word of the server's against it. */
static bool finished_unanswered(const struct view *v)
{
	return in_handshake(v) && v->client && (v->f->tls & TLS_MOVED_OUT) &&
	       !(v->f->tls & TLS_ALERT_IN) &&
	       v->f->sent_bytes - v->f->first_out_bytes > LAST_FLIGHT;
}

static bool handshake_proper(const struct view *v)
{
	return in_handshake(v) && !left_without_alert(v) &&
	       !finished_unanswered(v);
}

static bool handshake_period(const struct view *v)
{
	return v->server && !v->empty && v->past.periods >= 3;
}

static bool handshake_waited(const struct view *v)
{
	return !strcmp(v->tls, "handshake") && v->waited &&
	       !(v->f->tls & TLS_MOVED_OUT);
}

static bool got_alert(const struct view *v)
{
	return v->f->tls_alert > 0 && (v->f->tls & TLS_ALERT_IN) &&
	       strcmp(v->tls, "established");
}

static bool is_http(enum rec_label label)
{
	return label == LABEL_HTTP_REQUEST || label == LABEL_HTTP_ANSWER;
}

static bool tls_meets_plain(const struct view *v)
{
	enum rec_label out = v->f->first_out, in = v->f->first_in;

	if (!v->f->labels_known || out == LABEL_NONE || in == LABEL_NONE)
		return false;
	return (out == LABEL_TLS && in != LABEL_TLS) ||
	       (in == LABEL_TLS && is_http(out));
}

static bool plain_to_tls_port(const struct view *v)
{
	uint16_t port = facts_service_port(v->f);

	return v->client && v->nothing_in && v->f->labels_known &&
	       v->f->first_out == LABEL_HTTP_REQUEST &&
	       (port == 443 || port == 8443);
}

/* Its first bytes were not seen; on that port they are a ClientHello. */
static bool tls_port_unanswered(const struct view *v)
{
	uint16_t port = facts_service_port(v->f);

	return v->client && v->nothing_in && v->f->sent_bytes > 0 &&
	       !v->waited && !v->tls[0] && (port == 443 || port == 8443);
}

static bool tls_alike(const struct view *v)
{
	return !strcmp(v->tls, "handshake") && v->past.tls_alike >= 1 &&
	       v->past.tls_other == 0;
}

const struct rule rules_tls[] = {
	{ON_BOTH,
	 in_handshake,
	 "the TLS handshake had not finished",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 5.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.7f},
	  {CAUSE_PEER_CLOSED_EARLY, -0.7f},
	  {CAUSE_GRACEFUL_RACE, -2.0f},
	  {CAUSE_MAX_CONNECTIONS, -0.5f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f}}},
	{ON_BOTH,
	 handshake_proper,
	 NULL,
	 true,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 0.3f}}},
	{ON_BOTH,
	 finished_unanswered,
	 "but our side of it was done",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, -1.5f}}},
	{ON_RECEIVED,
	 left_without_alert,
	 "and the client left it without an alert",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, -1.5f},
	  {CAUSE_HEALTH_CHECK, 2.5f},
	  {CAUSE_PEER_ABORTED, 0.5f}}},
	{ON_RECEIVED,
	 handshake_period,
	 "such handshakes come every {period}",
	 true,
	 {{CAUSE_HEALTH_CHECK, 10.0f}, {CAUSE_TLS_HANDSHAKE_FAILURE, -2.0f}}},
	{ON_BOTH,
	 handshake_waited,
	 "the TLS handshake had not finished",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 6.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.5f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f}}},
	{ON_BOTH,
	 got_alert,
	 "the peer sent the TLS alert {alert}",
	 true,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 3.0f}}},
	{ON_BOTH,
	 tls_meets_plain,
	 "one side spoke TLS and the other did not",
	 true,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 4.0f}}},
	{ON_BOTH,
	 plain_to_tls_port,
	 "we sent plain HTTP to a port where TLS is usual",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 5.2f}}},
	{ON_BOTH,
	 tls_port_unanswered,
	 "what we sent to a port where TLS is usual had no answer",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 6.0f},
	  {CAUSE_MAX_CONNECTIONS, -2.5f},
	  {CAUSE_RATE_LIMIT, -1.5f}}},
	{ON_BOTH,
	 tls_alike,
	 "{tls_alike} handshakes with it failed alike, and nothing else did",
	 false,
	 {{CAUSE_TLS_HANDSHAKE_FAILURE, 1.5f},
	  {CAUSE_MAX_CONNECTIONS, -2.0f},
	  {CAUSE_RATE_LIMIT, -1.5f}}},
};
const size_t rules_tls_count = ARRAY_SIZE(rules_tls);
