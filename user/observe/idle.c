// SPDX-License-Identifier: Apache-2.0
/* How long a connection had been silent: what a timer saw. */
#include <stdlib.h>

#include "user/observe/facts.h"

static int64_t smaller(int64_t a, int64_t b)
{
	if (a == NOT_KNOWN)
		return b;
	return b == NOT_KNOWN || a < b ? a : b;
}

#define ONE_EXCHANGE_MS 1000
#define UPLOAD_SEGMENTS 8 /* more are no request: each ACK is traffic */
#define SAME_SEGMENT_MS 10

/*
 * Whether the peer's last data came with its FIN: a farewell (an error message,
 * an alert). The silence that a timer saw ended there.
 */
static bool came_with_fin(const struct facts *f)
{
	return f->peer_fin_before_ms != NOT_KNOWN &&
	       f->since_receive_ms != NOT_KNOWN &&
	       llabs(f->since_receive_ms - f->peer_fin_before_ms) <=
		       SAME_SEGMENT_MS;
}

/*
 * How long before our last request the connection had been silent. What came
 * before it is the peer's last data, or, where we only ever send, the ACK of
 * what we sent before; an ACK less than a second older than the send belongs to
 * the same request (its head was acknowledged before its body left), that of a
 * FIN is no traffic, and where keepalive is on an ACK may be that of a probe.
 */
static int64_t idle_before_request(const struct facts *f, int64_t sent_ms)
{
	int64_t before = f->since_receive_ms;

	if (came_with_fin(f) && f->fin_since_send_ms >= ONE_EXCHANGE_MS)
		before = f->peer_fin_before_ms + f->fin_since_send_ms;
	if (before == NOT_KNOWN && f->acked_bytes > 0 &&
	    f->sent_segments > UPLOAD_SEGMENTS && f->since_ack_ms >= 0)
		return f->since_ack_ms > sent_ms ? f->since_ack_ms - sent_ms
						 : 0;
	if (before == NOT_KNOWN)
		before = f->age_ms;
	if (before == NOT_KNOWN)
		return NOT_KNOWN;
	if (f->keepalive_on != TRI_YES && f->acked_bytes > 0 &&
	    f->since_ack_ms != NOT_KNOWN && f->since_ack_ms < before &&
	    f->since_ack_ms > sent_ms + ONE_EXCHANGE_MS &&
	    (f->peer_fin_before_ms == NOT_KNOWN ||
	     llabs(f->since_ack_ms - f->peer_fin_before_ms) > SAME_SEGMENT_MS))
		before = f->since_ack_ms;
	return before > sent_ms ? before - sent_ms : 0;
}

int64_t facts_idle_ms(const struct facts *f)
{
	int64_t last = smaller(f->since_send_ms, f->since_receive_ms);
	int64_t sent = f->since_request_ms;

	if (!f->sock_known)
		return f->closer.known ? f->closer.idle_ms : NOT_KNOWN;
	if (f->kind == KIND_SENT && f->unread_bytes > 0 &&
	    f->since_receive_ms != NOT_KNOWN) {
		int64_t before = f->since_send_ms;

		if (before == NOT_KNOWN)
			before = f->age_ms;
		return before > f->since_receive_ms
			       ? before - f->since_receive_ms
		       : before == NOT_KNOWN ? NOT_KNOWN
					     : 0;
	}
	/* a server's last word wants no answer */
	if (sent == NOT_KNOWN && f->answered == TRI_NO &&
	    f->role != ROLE_SERVER)
		sent = f->since_send_ms;
	if (sent != NOT_KNOWN)
		return idle_before_request(f, sent);
	/* unsolicited: a farewell that came with the FIN was no traffic */
	if (came_with_fin(f) && f->fin_since_send_ms >= ONE_EXCHANGE_MS)
		return f->fin_since_send_ms;
	return last == NOT_KNOWN ? f->age_ms : last;
}
