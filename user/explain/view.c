/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/sample.h"
#include "user/explain/tls.h"
#include "user/explain/view.h"

/*
 * How far the kernel's jiffies and the probe's nanoseconds may disagree on the
 * order of a FIN and a write (HZ is 100 to 1000).
 */
#define CLOCKS_DIFFER_MS 6

bool whole_seconds(int64_t ms)
{
	int64_t over;

	if (ms < 950)
		return false;
	over = ms % 1000;
	return over <= 60 || over >= 990;
}

static void look_at_fin(struct view *v)
{
	const struct facts *f = v->f;

	v->fin = f->peer_fin == TRI_YES || f->state == TCP_CLOSE_WAIT ||
		 f->state == TCP_LAST_ACK;
	if (!v->fin || f->peer_fin_before_ms == NOT_KNOWN ||
	    v->reply_ms == NOT_KNOWN)
		return;
	v->fin_lag_known = true;
	v->fin_lag_ms = v->reply_ms - f->peer_fin_before_ms;
	v->fin_first = v->fin_lag_ms < -CLOCKS_DIFFER_MS;
	v->left_ms = v->fin_first ? -v->fin_lag_ms : 0;
}

static void look_at_traffic(struct view *v)
{
	const struct facts *f = v->f;

	if (f->unacked_bytes > 0)
		v->ahead += f->unacked_bytes;
	if (f->unsent_bytes > 0)
		v->ahead += f->unsent_bytes;
	v->solicited = !f->unsolicited;
	v->probed = f->probes_out > 0 && f->unacked_bytes <= 0;
	v->one_small = f->sent_segments == 1 && f->sent_bytes < SEGMENT &&
		       f->unsent_bytes <= 0;
	v->nothing_in = f->received_bytes == 0;
	v->nothing_out = f->sent_bytes == 0;
	v->empty = v->nothing_in && v->nothing_out;
	v->brief = facts_brief(f);
	v->used = f->received_bytes > 0;
	v->due = f->kind == KIND_HANGUP || f->answered == TRI_NO;
	v->at_once = v->solicited && v->reply_ms != NOT_KNOWN &&
		     v->reply_ms <= v->quick_ms;
	v->waited = v->due && v->client && v->reply_ms >= PAUSE_MS &&
		    f->unacked_bytes <= 0;
	v->closing = f->state == TCP_FIN_WAIT1 || f->state == TCP_FIN_WAIT2 ||
		     f->state == TCP_CLOSING || f->state == TCP_LAST_ACK ||
		     f->state == TCP_TIME_WAIT;
	/*
	 * A stack that has no such connection answers without an ACK and
	 * without timestamps; so do reject rules, and forgers seldom know the
	 * timestamps. After a FIN it is the ordinary answer to late data.
	 */
	v->alien = !v->fin && !v->closing &&
		   (f->rst_timestamps == TRI_NO ||
		    (f->packet_known && f->rst_ack == TRI_NO));
}

static void look_at_time(struct view *v)
{
	const struct facts *f = v->f;

	v->rtt_ms = f->srtt_us > 1000 ? f->srtt_us / 1000 : 1;
	v->quick_ms = 3 * v->rtt_ms + 20;
	v->reply_ms = f->since_request_ms != NOT_KNOWN ? f->since_request_ms
						       : f->since_send_ms;
	v->idle_ms = facts_idle_at_end_ms(f);
	v->pause_ms = f->idle_ms > v->idle_ms ? f->idle_ms : v->idle_ms;
	v->worked_ms = f->worked_idle_ms;
	v->paused = v->idle_ms >= PAUSE_MS;
	v->whole_idle = whole_seconds(v->idle_ms);
	v->age_ms = facts_age_at_end_ms(f);
	v->whole_age = whole_seconds(v->age_ms);
}

static void look_at_protocol(struct view *v)
{
	const struct facts *f = v->f;

	v->kept = v->protocol.class == PROTOCOL_HTTP;
	if (v->kept || v->protocol.class == PROTOCOL_DATABASE)
		return;
	/* Or seen in the clear, and known by nothing. */
	v->chatty =
		v->protocol.class == PROTOCOL_QUEUE ||
		v->protocol.class == PROTOCOL_OTHER ||
		(f->labels_known && v->protocol.class == PROTOCOL_UNKNOWN &&
		 (f->first_out == LABEL_OTHER ||
		  (f->first_out == LABEL_NONE && f->first_in == LABEL_OTHER)));
}

/*
 * Which of the two spreads is the smaller one tells a timer from a death. An
 * idle timer that is looked at once a second ends in one moment what was idle
 * for up to a second longer: only a wider spread excludes it.
 */
static void look_at_burst(struct view *v)
{
	const struct past *p = &v->past;

	if (!p->together || p->together_idle_ms == NOT_KNOWN)
		return;
	v->timer_burst =
		!p->together_busy &&
		10.0 * p->together_idle_ms <= 7.0 * p->together_end_ms + 300;
	v->death_burst = p->together_idle_ms > 2.0 * p->together_end_ms + 150;
}

static void look_at_timers(struct view *v, const struct timeouts *timeouts)
{
	unsigned int measures = 1u << MEASURE_IDLE;
	unsigned int endings =
		1u << END_FIN | 1u << END_FIN_AFTER | 1u << END_RST;
	int64_t ms = v->idle_ms;

	if (v->waited) {
		measures |= 1u << MEASURE_RESPONSE | 1u << MEASURE_REQUEST;
		ms = v->reply_ms > ms ? v->reply_ms : ms;
	}
	if (v->f->kind == KIND_TIMEOUT || v->f->retransmits > 0)
		endings = 1u << END_SILENT | 1u << END_SILENT_RST;
	if (!timeouts || ms < PAUSE_MS)
		return;
	v->idle_match = timeouts_match(timeouts, (double)ms / 1000, measures,
				       endings, facts_service_port(v->f));
	/* A web server's timer means nothing to a database or a chat. */
	if (v->idle_match.row &&
	    (v->chatty || v->protocol.class == PROTOCOL_DATABASE) &&
	    !timeout_row_has_port(v->idle_match.row, facts_service_port(v->f)))
		v->idle_match = (struct timeout_match){NULL, 0};
	if (!v->idle_match.row)
		return;
	v->component = v->idle_match.row->component;
	v->timer_s = v->idle_match.row->low;
}

void view_init(struct view *v, const struct facts *f,
	       const struct history *history, const struct timeouts *timeouts)
{
	memset(v, 0, sizeof(*v));
	v->f = f;
	v->component = "";
	v->protocol = facts_protocol(f);
	v->tls = facts_tls(f);
	v->client = f->role != ROLE_SERVER;
	v->server = f->role == ROLE_SERVER;
	look_at_time(v);
	look_at_fin(v);
	look_at_traffic(v);
	look_at_protocol(v);
	look_at_timers(v, timeouts);
	if (!history)
		return;
	history_look(history, f, &v->past);
	look_at_burst(v);
	if (v->past.longest_success_s * 1000 > (double)v->worked_ms)
		v->worked_ms = (int64_t)(v->past.longest_success_s * 1000);
}
