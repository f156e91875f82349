/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"
#include "user/tell/event_text.h"
#include "user/tell/story.h"

void story_headline(const struct event *ev, char *out, size_t size)
{
	char who[80], failure[64];

	event_process_text(ev, who, sizeof(who));
	if (!*who)
		strcpy(who, "no process");
	event_failure_text(ev, failure, sizeof(failure));
	switch (ev->kind) {
	case KIND_HANGUP:
		snprintf(out, size,
			 "%s socket hang up: peer closed before answering",
			 who);
		break;
	case KIND_SENT:
		snprintf(out, size, "%s: this host reset the connection%s%s",
			 who, ev->syscall.known ? " in " : "",
			 ev->syscall.known ? call_class_name(ev->syscall.class)
					   : "");
		break;
	default:
		if (ev->syscall.known)
			snprintf(out, size, "%s %s", who, failure);
		else
			snprintf(out, size, "%s: connection %s, %s", who,
				 ev->kind == KIND_RECEIVED  ? "reset"
				 : ev->kind == KIND_REFUSED ? "refused"
							    : "timed out",
				 "no call has been told of it yet");
	}
}

const char *story_retry(enum retry retry)
{
	static const char *const words[RETRIES] = {
		[RETRY_SAFE] = "safe: as far as can be seen, no byte of the "
			       "request reached the peer's application",
		[RETRY_IF_IDEMPOTENT] = "only if the request is idempotent: "
					"the peer may have processed it",
		[RETRY_UNSAFE] = "unsafe: a part of the answer had arrived, so "
				 "the request was processed",
		[RETRY_USELESS] = "useless: it will fail the same way again",
		[RETRY_UNKNOWN] = "not known to be safe: the facts do not say "
				  "how far the request came",
	};

	return words[(unsigned int)retry < RETRIES ? retry : RETRY_UNKNOWN];
}

/* Failures that a person would call the same one. */
static void same_filter(const struct event *ev, struct filter *f)
{
	filter_init(f);
	f->benign = true;
	f->cause = ev->verdict.cause;
	f->kind = ev->kind;
	snprintf(f->host, sizeof(f->host), "%s", ev->host);
	f->since_us = ev->time_us - 3600 * USEC_PER_SEC;
	f->until_us = ev->time_us - 1;
	if (ev->process.known)
		snprintf(f->process, sizeof(f->process), "%s",
			 ev->process.comm);
	/* A client's own port is new each time; the server's is the service. */
	if (ev->role == ROLE_SERVER) {
		f->port = ev->local.port;
		return;
	}
	f->peer_set = true;
	f->peer_family = ev->family;
	f->peer_bits = ev->family == 4 ? 32 : 128;
	memcpy(f->peer_ip, ev->peer.ip, sizeof(f->peer_ip));
	if (ev->role == ROLE_CLIENT)
		f->peer_port = ev->peer.port;
}

int story_often(struct store *store, const struct event *ev, char *out,
		size_t size)
{
	const char *process = ev->process.known ? ", process" : "";
	const char *end = ev->role == ROLE_SERVER ? ", port" : ", peer";
	struct filter f;
	int64_t rows, events;
	int ret;

	same_filter(ev, &f);
	ret = store_count(store, &f, &rows, &events);
	if (ret)
		return ret;
	if (events)
		snprintf(out, size,
			 "%lld more in the hour before (same cause%s%s)",
			 (long long)events, process, end);
	else
		snprintf(out, size, "the first one in an hour (same cause%s%s)",
			 process, end);
	return 0;
}

bool story_other(struct store *store, const struct event *ev,
		 struct event *other)
{
	return ev->other_known && ev->other_event > 0 &&
	       !store_get(store, ev->other_event, other);
}
