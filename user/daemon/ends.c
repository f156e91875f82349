// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/ends.h"

#include <netinet/tcp.h>
#include <stdio.h>

#include "user/base/base.h"
#include "user/daemon/describe.h"
#include "user/explain/verdict.h"

/* "closed the connection 1.49 s before" */
static void other_did_before(const struct fact_closed *closer,
			     struct fact_closed *out)
{
	char ago[24];

	if (closer->before_ms <= 0) {
		text_copy(out->did, sizeof(out->did), closer->did);
		return;
	}
	format_duration_ms((double)closer->before_ms, ago, sizeof(ago));
	snprintf(out->did, sizeof(out->did), "%.30s %s before", closer->did,
		 ago);
}

static void other_did(const struct failure *from, enum cause cause,
		      struct fact_closed *out)
{
	static const struct {
		enum cause cause;
		const char *did;
	} words[] = {
		{CAUSE_LINGER_ZERO, "closed with SO_LINGER 0"},
		{CAUSE_CLOSE_WITH_UNREAD_DATA, "closed with data unread"},
		{CAUSE_ADMIN_ABORT, "destroyed the socket"},
		{CAUSE_LISTENER_CLOSED, "closed the listener"},
		{CAUSE_ACCEPT_OVERFLOW, "had its accept queue full"},
		{CAUSE_PROCESS_EXIT, "exited"},
		{CAUSE_PORT_CLOSED, "does not listen there"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].cause != cause)
			continue;
		text_copy(out->did, sizeof(out->did), words[i].did);
	}
	if (cause == CAUSE_PROCESS_EXIT && out->task.exit_signal > 0)
		snprintf(out->did, sizeof(out->did), "was killed by signal %d",
			 (int)out->task.exit_signal);
	if (out->did[0])
		return;
	if (!from->facts.closer.known)
		text_copy(out->did, sizeof(out->did), "sent the RST");
	else
		other_did_before(&from->facts.closer, out);
}

/* What the sender's own event says of it, for the one that received. */
void ends_from_sender(struct failure *f, const struct failure *sender,
		      int cause)
{
	struct fact_closed *other = &f->facts.other;
	enum via via;
	const struct fact_task *task = describe_whose(&sender->facts, &via);

	if (!sender->facts.call.known && sender->facts.closer.known)
		*other = sender->facts.closer; /* closed before our data came */
	other->known = true;
	if (task)
		other->task = *task;
	else
		other->task.pid = NOT_KNOWN;
	if (sender->facts.call.known)
		other->call = sender->facts.call;
	other->aborted = sender->facts.call.known;
	other->event = sender->event;
	if (sender->facts.sock_known) {
		other->age_ms = sender->facts.age_ms;
		other->idle_ms = sender->facts.idle_ms;
		other->unread_bytes = sender->facts.unread_bytes;
		if (sender->facts.call.known)
			other->before_ms = 0;
	}
	if (cause >= 0)
		text_copy(other->cause, sizeof(other->cause),
			  cause_name((enum cause)cause));
	other->did[0] = '\0';
	other_did(sender, (enum cause)cause, other);
}

/* For the sender: who it was that its RST hit. */
void ends_from_receiver(struct failure *f, const struct failure *hit)
{
	struct fact_closed *other = &f->facts.other;
	enum via via;
	const struct fact_task *task = describe_whose(&hit->facts, &via);

	if (!task)
		return;
	other->known = true;
	other->task = *task;
	other->event = hit->event;
	text_copy(other->did, sizeof(other->did),
		  hit->facts.kind == KIND_REFUSED ? "was refused"
						  : "received the RST");
}

bool ends_go_on(const struct facts *reset, const struct facts *late)
{
	int32_t beyond = (int32_t)(late->skb_seq - reset->rcv_nxt);
	int32_t acked = (int32_t)(late->skb_ack - reset->snd_una);

	if (!reset->sock_known)
		return false;
	return (beyond >= 0 && late->skb_bytes > 0) ||
	       ((late->skb_flags & TH_ACK) && acked > 0 &&
		reset->unacked_bytes > 0);
}
