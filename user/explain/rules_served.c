/* SPDX-License-Identifier: Apache-2.0 */
/* Complete exchanges, answers that were left, probes. */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/rules.h"
#include "user/explain/sample.h"

#define LARGE_ANSWER	 65536
#define FLIGHT_SEGMENTS	 4
#define TLS_GOODBYE_MOST 69 /* an alert record of any cipher */

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
	       !v->alien && v->ahead > 0 && v->f->sent_bytes > 0 &&
	       !goodbyes_crossed(v);
}

/* A client that has read all of a large answer has nothing unread to reset. */
static bool served_much(const struct view *v)
{
	return v->server && !v->solicited && !v->closing &&
	       v->f->sent_bytes >= LARGE_ANSWER;
}

static bool told_by_write_serving(const struct view *v)
{
	return v->server && !v->closing && !v->paused && !v->fin && !v->empty &&
	       told_by_write(v);
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

/* A TLS handshake and nothing more, left with a RST. */
static bool handshake_and_gone(const struct view *v)
{
	return v->server && !v->empty && !v->closing && !v->fin &&
	       facts_carried_nothing(v->f);
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

const struct rule rules_served[] = {
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
	 handshake_and_gone,
	 "the client made the TLS handshake, and reset it without a request",
	 false,
	 {{CAUSE_HEALTH_CHECK, 4.0f},
	  {CAUSE_PEER_ABORTED, -1.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
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
};
const size_t rules_served_count = ARRAY_SIZE(rules_served);
