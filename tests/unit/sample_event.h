/* SPDX-License-Identifier: Apache-2.0 */
/* Events for the tests of the store: one full of facts, one of none. */
#ifndef RSTSCOPE_SAMPLE_EVENT_H
#define RSTSCOPE_SAMPLE_EVENT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event.h"

#define SAMPLE_TIME 1790000000123456ll

static inline void sample_ip(struct endpoint *end, uint8_t *family,
			     const char *ip, uint16_t port)
{
	uint8_t bytes[16] = {0};

	parse_ip(ip, family, bytes);
	memcpy(end->ip, bytes, sizeof(bytes));
	end->port = port;
}

/* Little is known: only what every event has. */
static inline void sample_bare(struct event *ev, int64_t id)
{
	event_init(ev);
	ev->id = id;
	strcpy(ev->host, "web1");
	ev->time_us = SAMPLE_TIME + id % 1000000000;
	ev->kind = KIND_SENT;
	sample_ip(&ev->local, &ev->family, "10.0.0.1", 80);
	sample_ip(&ev->peer, &ev->family, "10.0.0.2", 40000);
}

static inline void sample_process(struct event_process *p)
{
	p->known = true;
	p->pid = 4711;
	p->tid = 4712;
	p->uid = 1000;
	p->via = VIA_OWNER;
	strcpy(p->comm, "node");
	strcpy(p->exe, "/usr/bin/node");
	strcpy(p->unit, "shop.service");
	memset(p->container, 'a', 64);
	strcpy(p->pod, "0b9c1e5e-7f0a-4a55-b1fd-1b1b1b1b1b1b");
}

static inline void sample_verdict(struct verdict *v)
{
	v->cause = CAUSE_STALE_KEEPALIVE;
	v->confidence = 0.93;
	v->blame = BLAME_PEER;
	v->timeout_known = v->timeout_learned = true;
	v->timeout_seconds = 5.5;
	strcpy(v->timeout_component, "Node.js http.Server keepAliveTimeout");
	v->evidences = 2;
	strcpy(v->evidence[0].fact, "idle for 5.01 s before the request");
	v->evidence[0].supports = true;
	strcpy(v->evidence[1].fact, "the peer had sent no FIN");
	v->alternatives = 1;
	v->alternative[0].cause = CAUSE_LB_IDLE_TIMEOUT;
	v->alternative[0].confidence = 0.05;
	v->retry = RETRY_IF_IDEMPOTENT;
	v->fixes = 1;
	strcpy(v->fix[0], "agent keepAliveTimeout below the server's 5 s");
}

static inline void sample_numbers(struct event *ev)
{
	ev->age_ms = 61000;
	ev->idle_ms = 5010;
	ev->since_send_ms = 1;
	ev->since_receive_ms = 5011;
	ev->sent_bytes = 2000;
	ev->acked_bytes = 1500;
	ev->received_bytes = 90000;
	ev->unread_bytes = 0;
	ev->srtt_us = 210;
	ev->retransmits = 0;
	ev->ttl = 57;
	ev->handshake_ttl = 57;
	ev->window = 0;
	ev->seq_ahead_known = true;
	ev->seq_ahead = -1;
}

static inline void sample_full(struct event *ev, int64_t id)
{
	sample_bare(ev, id);
	ev->last_time_us = ev->time_us + 1500000;
	ev->kind = KIND_RECEIVED;
	ev->count = 3;
	sample_process(&ev->process);
	ev->syscall.known = true;
	ev->syscall.class = CALL_READ;
	ev->syscall.errno_nr = ECONNRESET;
	ev->syscall.delay_us = 0;
	strcpy(ev->syscall.name, "recvfrom");
	ev->netns = 4026531840;
	sample_ip(&ev->local, &ev->family, "2001:db8::1", 51234);
	sample_ip(&ev->peer, &ev->family, "2001:db8::2", 443);
	ev->role = ROLE_CLIENT;
	ev->state = 1;
	sample_numbers(ev);
	ev->peer_fin = TRI_NO;
	strcpy(ev->tls, "established");
	strcpy(ev->community_id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	ev->packet_known = true;
	ev->rst_ack = TRI_YES;
	strcpy(ev->diagnostic, "goaway");
	strcpy(ev->kernel_reason, "TCP_STATE");
	ev->other_known = true;
	ev->other_event = 7;
	ev->other_pid = 99;
	strcpy(ev->other_comm, "nginx");
	strcpy(ev->other_did, "closed with SO_LINGER 0");
	sample_verdict(&ev->verdict);
}

#endif
