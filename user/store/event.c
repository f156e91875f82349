/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event.h"

static const char *const kinds[] = {
	[KIND_RECEIVED] = "received", [KIND_SENT] = "sent",
	[KIND_REFUSED] = "refused",   [KIND_HANGUP] = "hangup",
	[KIND_TIMEOUT] = "timeout",
};
_Static_assert(ARRAY_SIZE(kinds) == KINDS, "a kind without a name");

static const char *const classes[] = {
	[CALL_READ] = "read",	    [CALL_WRITE] = "write",
	[CALL_CONNECT] = "connect", [CALL_ACCEPT] = "accept",
	[CALL_CLOSE] = "close",	    [CALL_EXIT] = "exit",
	[CALL_OTHER] = "other",
};
_Static_assert(ARRAY_SIZE(classes) == CALL_CLASSES, "a class without a name");

static const char *const vias[] = {
	[VIA_SYSCALL] = "syscall",
	[VIA_OWNER] = "owner",
	[VIA_LISTENER] = "listener",
	[VIA_SCAN] = "scan",
};
_Static_assert(ARRAY_SIZE(vias) == VIAS, "a way to know without a name");

static const char *const roles[] = {
	[ROLE_UNKNOWN] = "unknown",
	[ROLE_CLIENT] = "client",
	[ROLE_SERVER] = "server",
};

/* Numbers of include/net/tcp_states.h: kernel ABI. */
static const char *const states[] = {
	[1] = "ESTABLISHED", [2] = "SYN_SENT",	 [3] = "SYN_RECV",
	[4] = "FIN_WAIT1",   [5] = "FIN_WAIT2",	 [6] = "TIME_WAIT",
	[7] = "CLOSE",	     [8] = "CLOSE_WAIT", [9] = "LAST_ACK",
	[10] = "LISTEN",     [11] = "CLOSING",	 [12] = "NEW_SYN_RECV",
};

static const char *name_of(const char *const *names, size_t n, int value)
{
	if (value < 0 || (size_t)value >= n || !names[value])
		return NULL;
	return names[value];
}

static int value_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	return -ENOENT;
}

const char *kind_name(enum failure_kind kind)
{
	const char *name = name_of(kinds, ARRAY_SIZE(kinds), (int)kind);

	return name ? name : "unknown";
}

int kind_by_name(const char *name)
{
	return value_of(kinds, ARRAY_SIZE(kinds), name);
}

const char *call_class_name(enum call_class class)
{
	const char *name = name_of(classes, ARRAY_SIZE(classes), (int)class);

	return name ? name : "other";
}

int call_class_by_name(const char *name)
{
	return value_of(classes, ARRAY_SIZE(classes), name);
}

const char *via_name(enum via via)
{
	const char *name = name_of(vias, ARRAY_SIZE(vias), (int)via);

	return name ? name : "unknown";
}

int via_by_name(const char *name)
{
	return value_of(vias, ARRAY_SIZE(vias), name);
}

const char *role_name(enum rec_role role)
{
	const char *name = name_of(roles, ARRAY_SIZE(roles), (int)role);

	return name ? name : "unknown";
}

int role_by_name(const char *name)
{
	return value_of(roles, ARRAY_SIZE(roles), name);
}

const char *tcp_state_name(int state)
{
	const char *name = name_of(states, ARRAY_SIZE(states), state);

	return name ? name : "UNKNOWN";
}

int tcp_state_by_name(const char *name)
{
	if (!strcmp(name, "UNKNOWN"))
		return NOT_KNOWN;
	return value_of(states, ARRAY_SIZE(states), name);
}

static void process_init(struct event_process *p)
{
	p->pid = p->tid = p->uid = NOT_KNOWN;
}

void event_init(struct event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->last_time_us = NOT_KNOWN;
	ev->count = 1;
	process_init(&ev->process);
	ev->syscall.errno_nr = ev->syscall.delay_us = NOT_KNOWN;
	ev->syscall.class = CALL_OTHER;
	ev->family = 4;
	ev->netns = NOT_KNOWN;
	ev->state = NOT_KNOWN;
	ev->age_ms = ev->idle_ms = NOT_KNOWN;
	ev->since_send_ms = ev->since_receive_ms = NOT_KNOWN;
	ev->sent_bytes = ev->acked_bytes = NOT_KNOWN;
	ev->received_bytes = ev->unread_bytes = NOT_KNOWN;
	ev->srtt_us = ev->retransmits = NOT_KNOWN;
	ev->peer_fin = ev->rst_ack = TRI_UNKNOWN;
	ev->ttl = ev->handshake_ttl = ev->window = NOT_KNOWN;
	ev->other_event = ev->other_pid = NOT_KNOWN;
	ev->verdict.cause = CAUSE_UNKNOWN;
	ev->verdict.blame = BLAME_UNKNOWN;
	ev->verdict.retry = RETRY_UNKNOWN;
}
