/* SPDX-License-Identifier: Apache-2.0 */
#include "user/base/base.h"
#include "user/store/event_fields.h"

/* Typed names behind one signature, for the table. */
#define NAMES(what, function, lookup)                                          \
	static const char *what##_text(int value)                              \
	{                                                                      \
		return function(value);                                        \
	}                                                                      \
	static const struct field_names what##_names = {what##_text, lookup}

NAMES(kind, kind_name, kind_by_name);
NAMES(class, call_class_name, call_class_by_name);
NAMES(via, via_name, via_by_name);
NAMES(role, role_name, role_by_name);
NAMES(state, tcp_state_name, tcp_state_by_name);

#define AT(member)                                                             \
	.offset = offsetof(struct event, member),                              \
	.size = sizeof(((struct event *)0)->member)
#define INT(n, t, member)                                                      \
	{                                                                      \
		.name = n, .type = FIELD_INT, .tag = t, AT(member)             \
	}
#define TEXT(n, t, member)                                                     \
	{                                                                      \
		.name = n, .type = FIELD_TEXT, .tag = t, AT(member)            \
	}
#define TRI(n, t, member)                                                      \
	{                                                                      \
		.name = n, .type = FIELD_TRI, .tag = t, AT(member)             \
	}
#define ENUM(n, t, member, which, more)                                        \
	{                                                                      \
		.name = n, .type = FIELD_ENUM, .tag = t,                       \
		.rules = FIELD_REQUIRED | (more), AT(member),                  \
		.names = &which##_names                                        \
	}
#define OTHER(n, t, member, what, rule)                                        \
	{                                                                      \
		.name = n, .type = what, .tag = t, .rules = rule, AT(member)   \
	}

static const struct event_field top_fields[] = {
	{.name = "id",
	 .type = FIELD_INT,
	 .tag = 1,
	 .rules = FIELD_REQUIRED | FIELD_BRIEF,
	 AT(id)},
	OTHER("host", 2, host, FIELD_NAME, FIELD_REQUIRED | FIELD_BRIEF),
	OTHER("time", 3, time_us, FIELD_TIME, FIELD_REQUIRED | FIELD_BRIEF),
	OTHER("last_time", 4, last_time_us, FIELD_TIME, FIELD_BRIEF),
	ENUM("kind", 5, kind, kind, FIELD_BRIEF),
	{.name = "count",
	 .type = FIELD_INT,
	 .tag = 6,
	 .rules = FIELD_REQUIRED | FIELD_BRIEF,
	 AT(count)},
	TEXT("kernel_reason", 7, kernel_reason),
	{},
};

static const struct event_field process_fields[] = {
	{.name = "pid",
	 .type = FIELD_INT,
	 .tag = 10,
	 .rules = FIELD_REQUIRED,
	 AT(process.pid)},
	INT("tid", 11, process.tid),
	OTHER("comm", 12, process.comm, FIELD_NAME,
	      FIELD_REQUIRED | FIELD_BRIEF),
	TEXT("exe", 13, process.exe),
	INT("uid", 14, process.uid),
	OTHER("unit", 15, process.unit, FIELD_TEXT, FIELD_BRIEF),
	OTHER("container", 16, process.container, FIELD_TEXT, FIELD_BRIEF),
	TEXT("pod", 17, process.pod),
	ENUM("via", 18, process.via, via, 0),
	{},
};

static const struct event_field syscall_fields[] = {
	ENUM("class", 20, syscall.class, class, FIELD_BRIEF),
	OTHER("name", 21, syscall.name, FIELD_NAME, FIELD_REQUIRED),
	OTHER("errno", 22, syscall.errno_nr, FIELD_ERRNO, 0),
	INT("delay_us", 23, syscall.delay_us),
	{},
};

static const struct event_field connection_fields[] = {
	OTHER("family", 30, family, FIELD_FAMILY, FIELD_REQUIRED),
	INT("netns", 31, netns),
	OTHER("local", 32, local, FIELD_END, FIELD_REQUIRED | FIELD_BRIEF),
	OTHER("peer", 33, peer, FIELD_END, FIELD_REQUIRED | FIELD_BRIEF),
	ENUM("role", 34, role, role, FIELD_BRIEF),
	ENUM("state", 35, state, state, FIELD_BRIEF),
	INT("age_ms", 36, age_ms),
	OTHER("idle_ms", 37, idle_ms, FIELD_INT, FIELD_BRIEF),
	INT("since_send_ms", 38, since_send_ms),
	INT("since_receive_ms", 39, since_receive_ms),
	OTHER("sent_bytes", 40, sent_bytes, FIELD_INT, FIELD_BRIEF),
	INT("acked_bytes", 41, acked_bytes),
	OTHER("received_bytes", 42, received_bytes, FIELD_INT, FIELD_BRIEF),
	INT("unread_bytes", 43, unread_bytes),
	INT("srtt_us", 44, srtt_us),
	INT("retransmits", 45, retransmits),
	TRI("peer_fin", 46, peer_fin),
	OTHER("tls", 47, tls, FIELD_TEXT, FIELD_BRIEF),
	TEXT("community_id", 48, community_id),
	{},
};

static const struct event_field packet_fields[] = {
	INT("ttl", 50, ttl),
	INT("handshake_ttl", 51, handshake_ttl),
	INT("window", 52, window),
	{.name = "seq_ahead",
	 .type = FIELD_SIGNED,
	 .tag = 53,
	 AT(seq_ahead),
	 .aux = offsetof(struct event, seq_ahead_known)},
	TRI("ack", 54, rst_ack),
	TEXT("diagnostic", 55, diagnostic),
	{},
};

static const struct event_field other_fields[] = {
	INT("event", 60, other_event),
	OTHER("pid", 61, other_pid, FIELD_INT, FIELD_ABSENT),
	OTHER("comm", 62, other_comm, FIELD_TEXT, FIELD_ABSENT),
	OTHER("did", 63, other_did, FIELD_TEXT, FIELD_ABSENT),
	{},
};

/* A known group is noted in the packed form by its own tag. */
#define KNOWN(member) .known = offsetof(struct event, member)

const struct event_group event_groups[] = {
	{.fields = top_fields},
	{"process", 70, KNOWN(process.known), process_fields},
	{"syscall", 71, KNOWN(syscall.known), syscall_fields},
	{"connection", .fields = connection_fields},
	{"packet", 72, KNOWN(packet_known), packet_fields},
	{"other_end", 73, KNOWN(other_known), other_fields},
	{},
};
