// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/describe.h"

#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/tls.h"

static const struct fact_task *owner_of(const struct facts *f, enum via *via)
{
	if (f->owner.pid == NOT_KNOWN)
		return NULL;
	*via = f->owner.how == HOW_LISTEN ? VIA_LISTENER
	       : f->owner.how == HOW_SCAN ? VIA_SCAN
					  : VIA_OWNER;
	return &f->owner;
}

static const struct fact_task *whose_sent(const struct facts *f, enum via *via)
{
	/* it acted, also where its call has no name; a RST that answers a
	 * segment is nobody's act */
	if (f->task.pid != NOT_KNOWN && (f->call.known || !f->skb_known)) {
		*via = f->call.known ? VIA_SYSCALL : VIA_OWNER;
		return &f->task;
	}
	if (f->closer.known && f->closer.task.pid != NOT_KNOWN) {
		*via = VIA_OWNER;
		return &f->closer.task;
	}
	return owner_of(f, via);
}

const struct fact_task *describe_whose(const struct facts *f, enum via *via)
{
	if (f->kind == KIND_SENT)
		return whose_sent(f, via);
	if (f->told.pid != NOT_KNOWN) {
		*via = f->call.known ? VIA_SYSCALL : VIA_OWNER;
		return &f->told;
	}
	/* connect() is told of what ends it */
	if (f->call.known && f->call.class == CALL_CONNECT &&
	    f->owner.pid != NOT_KNOWN) {
		*via = VIA_SYSCALL;
		return &f->owner;
	}
	return owner_of(f, via);
}

static void set_process(const struct facts *f, struct processes *processes,
			struct event *ev)
{
	enum via via = VIA_OWNER;
	const struct fact_task *task = describe_whose(f, &via);
	const struct process *p;

	if (!task)
		return;
	p = processes_get(processes, task);
	ev->process.known = true;
	ev->process.pid = task->pid;
	ev->process.tid = via == VIA_SYSCALL ? task->tid : NOT_KNOWN;
	ev->process.uid = p->uid;
	ev->process.via = via;
	snprintf(ev->process.comm, sizeof(ev->process.comm), "%s", task->comm);
	snprintf(ev->process.exe, sizeof(ev->process.exe), "%s", p->exe);
	snprintf(ev->process.unit, sizeof(ev->process.unit), "%s", p->unit);
	snprintf(ev->process.container, sizeof(ev->process.container), "%s",
		 p->container);
	snprintf(ev->process.pod, sizeof(ev->process.pod), "%s", p->pod);
}

static void set_connection(const struct facts *f, struct event *ev)
{
	ev->family = f->family;
	ev->netns = f->netns;
	ev->local = f->local;
	ev->peer = f->peer;
	ev->role = f->role;
	ev->state = f->state;
	ev->age_ms = f->age_ms;
	ev->idle_ms = f->idle_ms;
	ev->since_send_ms = f->since_send_ms;
	ev->since_receive_ms = f->since_receive_ms;
	ev->sent_bytes = f->sent_bytes;
	ev->acked_bytes = f->acked_bytes;
	ev->received_bytes = f->received_bytes;
	ev->unread_bytes = f->unread_bytes;
	ev->srtt_us = f->srtt_us;
	ev->retransmits = f->retransmits;
	ev->peer_fin = f->peer_fin;
	snprintf(ev->tls, sizeof(ev->tls), "%s", facts_tls(f));
	/* a closed end whose socket is gone tells its age at the close */
	if (ev->age_ms == NOT_KNOWN && f->closer.known)
		ev->age_ms = f->closer.age_ms;
	if (ev->role == ROLE_UNKNOWN && f->kind == KIND_SENT &&
	    f->listening == TRI_YES)
		ev->role = ROLE_SERVER;
	community_id(f->family, f->local.ip, f->local.port, f->peer.ip,
		     f->peer.port, ev->community_id);
}

static void set_packet(const struct facts *f, struct event *ev)
{
	ev->handshake_ttl = f->handshake_ttl;
	if (f->packet_known) {
		ev->packet_known = true;
		ev->ttl = f->rst_ttl;
		ev->window = f->rst_window;
		ev->seq_ahead_known = f->rst_seq_ahead_known;
		ev->seq_ahead = f->rst_seq_ahead;
		ev->rst_ack = f->rst_ack;
	}
	snprintf(ev->kernel_reason, sizeof(ev->kernel_reason), "%s",
		 f->reason_name);
}

static void set_other(const struct facts *f, struct event *ev)
{
	if (!f->other.known || f->other.task.pid == NOT_KNOWN)
		return;
	ev->other_known = true;
	ev->other_event = f->other.event;
	ev->other_pid = f->other.task.pid;
	snprintf(ev->other_comm, sizeof(ev->other_comm), "%s",
		 f->other.task.comm);
	snprintf(ev->other_did, sizeof(ev->other_did), "%s", f->other.did);
}

void describe_event(const struct facts *f, struct processes *processes,
		    struct event *ev)
{
	event_init(ev);
	ev->time_us = f->time_us;
	ev->kind = f->kind;
	ev->count = f->count;
	ev->syscall = f->call;
	set_process(f, processes, ev);
	set_connection(f, ev);
	set_packet(f, ev);
	set_other(f, ev);
}
