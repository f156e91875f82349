/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and transfers that the peer broke off. */
#include "user/base/base.h"
#include "user/explain/rules.h"

#define MID_TRANSFER_MS 100
#define JIFFY_MS	10 /* the coarsest */

static bool first_request_reset(const struct view *v)
{
	return v->client && v->at_once && !v->paused && v->nothing_in &&
	       v->f->sent_bytes > 0 && !v->fin;
}

/* A request on a connection in use met a RST with no pause before it. */
static bool later_request_reset(const struct view *v)
{
	return v->client && v->at_once && !v->paused && v->used && v->due &&
	       !v->fin && !v->closing && !v->brief;
}

static bool request_taken(const struct view *v)
{
	return v->client && v->due && !v->paused && !v->waited && !v->fin &&
	       !(v->brief && v->one_small) && !v->solicited &&
	       v->f->sent_bytes > 0;
}

/* What the answer found on its way, rather than what we wrote after it. */
static bool was_under_way(const struct view *v)
{
	const struct facts *f = v->f;

	if (v->fin_first)
		return v->ahead > SEGMENT;
	return f->since_request_ms == NOT_KNOWN ||
	       f->since_receive_ms == NOT_KNOWN ||
	       f->since_request_ms + JIFFY_MS >= f->since_receive_ms;
}

static bool early_answer(const struct view *v)
{
	int status = v->f->http_status;

	return v->client && status >= 400 && status != 429 && status != 503 &&
	       v->ahead > 0 && was_under_way(v);
}

static bool uploading(const struct view *v)
{
	return v->client && v->solicited && !v->paused &&
	       v->ahead > 2 * SEGMENT;
}

static bool downloading(const struct view *v)
{
	const struct facts *f = v->f;

	return v->client && !v->due && !v->closing && !v->fin &&
	       f->received_segments >= 3 && f->received_bytes > 2 * SEGMENT &&
	       f->since_receive_ms >= 0 &&
	       f->since_receive_ms <= MID_TRANSFER_MS;
}

const struct rule rules_sudden[] = {
	{ON_RECEIVED,
	 first_request_reset,
	 "the RST came {reply} after our first request, with no answer",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.2f},
	  {CAUSE_MAX_CONNECTIONS, 0.5f},
	  {CAUSE_RATE_LIMIT, 0.3f},
	  {CAUSE_FIREWALL_REJECT, 0.7f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f}}},
	{ON_RECEIVED,
	 later_request_reset,
	 "the RST came {reply} after a request, on a connection in use",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.0f},
	  {CAUSE_FIREWALL_REJECT, 1.0f},
	  {CAUSE_RATE_LIMIT, 0.5f},
	  {CAUSE_STALE_KEEPALIVE, -1.0f}}},
	{ON_RECEIVED,
	 request_taken,
	 "our request was acknowledged, then reset {reply} later unanswered",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.2f},
	  {CAUSE_SERVER_CRASH, 0.3f},
	  {CAUSE_PEER_ABORTED, 0.5f}}},
	{ON_RECEIVED,
	 early_answer,
	 "the answer, status {http}, came while {ahead} of our request were "
	 "still under way",
	 true,
	 {{CAUSE_PEER_CLOSED_UNREAD, 3.5f}, {CAUSE_PEER_ABORTED, -1.0f}}},
	{ON_RECEIVED,
	 uploading,
	 "{ahead} of ours were under way",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 1.5f},
	  {CAUSE_PEER_ABORTED, 1.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
	{ON_RECEIVED,
	 downloading,
	 "the answer was still coming: {received} so far",
	 false,
	 {{CAUSE_PEER_ABORTED, 2.2f},
	  {CAUSE_SERVER_CRASH, 0.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -0.8f}}},
};
const size_t rules_sudden_count = ARRAY_SIZE(rules_sudden);
