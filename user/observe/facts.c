// SPDX-License-Identifier: Apache-2.0
#include "user/observe/facts.h"

#include <string.h>

static void task_init(struct fact_task *t)
{
	memset(t, 0, sizeof(*t));
	t->pid = t->tid = t->uid = NOT_KNOWN;
	t->exit_signal = t->exit_status = NOT_KNOWN;
}

static void call_init(struct fact_call *c)
{
	memset(c, 0, sizeof(*c));
	c->errno_nr = c->delay_us = NOT_KNOWN;
}

static void closed_init(struct fact_closed *c)
{
	memset(c, 0, sizeof(*c));
	task_init(&c->task);
	call_init(&c->call);
	c->before_ms = c->age_ms = c->idle_ms = NOT_KNOWN;
	c->unread_bytes = c->event = NOT_KNOWN;
}

static void connection_init(struct facts *f)
{
	f->netns = f->age_ms = f->idle_ms = NOT_KNOWN;
	f->state = f->shutdown = NOT_KNOWN;
	f->since_send_ms = f->since_receive_ms = NOT_KNOWN;
	f->since_ack_ms = f->since_request_ms = NOT_KNOWN;
	f->sent_bytes = f->acked_bytes = f->received_bytes = NOT_KNOWN;
	f->unread_bytes = f->unacked_bytes = f->unsent_bytes = NOT_KNOWN;
	f->sent_segments = f->received_segments = NOT_KNOWN;
	f->srtt_us = f->retransmits = f->total_retransmits = NOT_KNOWN;
	f->probes_out = f->peer_fin_before_ms = NOT_KNOWN;
	f->peer_fin = f->answered = f->goodbye = TRI_UNKNOWN;
	f->keepalive_on = f->linger0 = f->listening = TRI_UNKNOWN;
	f->user_timeout_ms = f->keepalive_ms = NOT_KNOWN;
	f->sock_err = f->sock_err_soft = NOT_KNOWN;
	f->gap_ms = f->since_gap_ms = f->worked_idle_ms = NOT_KNOWN;
	f->fin_since_send_ms = f->since_challenge_ms = NOT_KNOWN;
	f->accept_pending = f->place_open = f->place_made = NOT_KNOWN;
	f->place_served = f->since_served_ms = NOT_KNOWN;
	f->first_out_bytes = f->first_in_bytes = NOT_KNOWN;
	f->tls_alert = f->http_status = NOT_KNOWN;
	f->accept_backlog = f->accept_max = NOT_KNOWN;
}

static void packet_init(struct facts *f)
{
	f->rst_ttl = f->handshake_ttl = f->rst_window = NOT_KNOWN;
	f->rst_ack = f->rst_ack_fits = TRI_UNKNOWN;
	f->rst_timestamps = f->peer_after_rst = TRI_UNKNOWN;
	f->skb_bytes = f->netfilter_us = NOT_KNOWN;
	f->reason = NOT_KNOWN;
}

static void fill(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	f->count = 1;
	connection_init(f);
	packet_init(f);
	task_init(&f->task);
	task_init(&f->owner);
	task_init(&f->told);
	call_init(&f->call);
	closed_init(&f->closer);
	closed_init(&f->other);
}

static struct facts unknown;

static __attribute__((constructor)) void fill_unknown(void)
{
	fill(&unknown);
}

/* Once for each failure of a storm: a copy is cheaper than the fields. */
void facts_init(struct facts *f)
{
	*f = unknown;
}
