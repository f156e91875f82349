/* SPDX-License-Identifier: Apache-2.0 */
#include "user/base/base.h"
#include "user/explain/facts_fields.h"

static const char *const kinds[KINDS] = {
	[KIND_RECEIVED] = "received", [KIND_SENT] = "sent",
	[KIND_REFUSED] = "refused",   [KIND_HANGUP] = "hangup",
	[KIND_TIMEOUT] = "timeout",
};

static const char *const roles[] = {
	[ROLE_UNKNOWN] = "unknown",
	[ROLE_CLIENT] = "client",
	[ROLE_SERVER] = "server",
};

static const char *const hows[] = {
	[HOW_CURRENT] = "current", [HOW_CONNECT] = "connect",
	[HOW_LISTEN] = "listen",   [HOW_SCAN] = "scan",
	[HOW_CLOSE] = "close",	   [HOW_ACCEPT] = "accept",
};

static const char *const classes[CALL_CLASSES] = {
	[CALL_READ] = "read",	    [CALL_WRITE] = "write",
	[CALL_CONNECT] = "connect", [CALL_ACCEPT] = "accept",
	[CALL_CLOSE] = "close",	    [CALL_EXIT] = "exit",
	[CALL_OTHER] = "other",
};

static const char *const notices[NOTICES] = {
	[NOTICE_NONE] = "none",		[NOTICE_IDLE] = "idle",
	[NOTICE_SHUTDOWN] = "shutdown", [NOTICE_LIMIT] = "limit",
	[NOTICE_KILLED] = "killed",	[NOTICE_ERROR] = "error",
};
static const char *const labels[LABELS] = {
	[LABEL_NONE] = "none",
	[LABEL_OTHER] = "other",
	[LABEL_TLS] = "tls",
	[LABEL_HTTP_REQUEST] = "http_request",
	[LABEL_HTTP_ANSWER] = "http_answer",
	[LABEL_HTTP2] = "http2",
	[LABEL_PROXY] = "proxy",
	[LABEL_MYSQL] = "mysql",
	[LABEL_POSTGRES] = "postgres",
	[LABEL_MONGO] = "mongo",
	[LABEL_REDIS] = "redis",
	[LABEL_SSH] = "ssh",
	[LABEL_AMQP] = "amqp",
	[LABEL_SMTP] = "smtp",
	[LABEL_SOCKS] = "socks",
	[LABEL_MQTT] = "mqtt",
};

static const char *const tls_bits[] = {
	"hello_out", "hello_in", "moved_out", "moved_in",
	"alert_out", "alert_in", "answered",
};

static const char *const sock_bits[] = {
	"owned", "has_socket", "dead",	   "linger0", "keepopen",
	"done",	 "listener",   "timewait", "mptcp",   "maybe_false",
	"again", "no_record",  "goodbye",  "seeded",
};

static const char *const skb_bits[] = {
	"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr",
};

static const char *const states[] = {
	NULL,	     "ESTABLISHED", "SYN_SENT",	    "SYN_RECV",	  "FIN_WAIT1",
	"FIN_WAIT2", "TIME_WAIT",   "CLOSE",	    "CLOSE_WAIT", "LAST_ACK",
	"LISTEN",    "CLOSING",	    "NEW_SYN_RECV",
};

#define AT(of, member, kind)                                                   \
	.name = #member, .offset = offsetof(struct of, member), .type = kind
#define NUMBER(type, member)                                                   \
	{                                                                      \
		AT(type, member, FIELD_I64)                                    \
	}
#define FLAG(type, member)                                                     \
	{                                                                      \
		AT(type, member, FIELD_BOOL)                                   \
	}
#define TRIPLE(type, member)                                                   \
	{                                                                      \
		AT(type, member, FIELD_TRI)                                    \
	}
#define TEXT(type, member)                                                     \
	{                                                                      \
		AT(type, member, FIELD_TEXT),                                  \
			.names = (int)sizeof(((struct type *)0)->member)       \
	}
#define NAMED(type, member, list)                                              \
	{                                                                      \
		AT(type, member, FIELD_ENUM), .names = (int)ARRAY_SIZE(list),  \
					      .name_of = (list)                \
	}
#define BITS(type, member, list)                                               \
	{                                                                      \
		AT(type, member, FIELD_BITS), .names = (int)ARRAY_SIZE(list),  \
					      .name_of = (list)                \
	}
#define PART(type, member, fields)                                             \
	{                                                                      \
		AT(type, member, FIELD_TABLE), .table = (fields)               \
	}

static const struct field task_fields[] = {
	NUMBER(fact_task, pid),
	NUMBER(fact_task, tid),
	NUMBER(fact_task, uid),
	{AT(fact_task, start_ns, FIELD_U64)},
	{AT(fact_task, cgroup, FIELD_U64)},
	TEXT(fact_task, comm),
	{AT(fact_task, how, FIELD_ENUM), .names = (int)ARRAY_SIZE(hows),
	 .name_of = hows, .zero_is_unknown = true},
	FLAG(fact_task, exiting),
	NUMBER(fact_task, exit_signal),
	NUMBER(fact_task, exit_status),
	FLAG(fact_task, oom_killed),
	{0},
};

static const struct field call_fields[] = {
	FLAG(fact_call, known),
	{AT(fact_call, class, FIELD_ENUM), .names = (int)ARRAY_SIZE(classes),
	 .name_of = classes, .zero_is_unknown = true},
	TEXT(fact_call, name),
	NUMBER(fact_call, errno_nr),
	NUMBER(fact_call, delay_us),
	{0},
};

static const struct field closed_fields[] = {
	FLAG(fact_closed, known),
	PART(fact_closed, task, task_fields),
	PART(fact_closed, call, call_fields),
	FLAG(fact_closed, aborted),
	NUMBER(fact_closed, before_ms),
	NUMBER(fact_closed, age_ms),
	NUMBER(fact_closed, idle_ms),
	NUMBER(fact_closed, unread_bytes),
	TEXT(fact_closed, did),
	NUMBER(fact_closed, event),
	TEXT(fact_closed, cause),
	{0},
};

const struct field facts_fields[] = {
	{AT(facts, failure, FIELD_U64)},
	NUMBER(facts, time_us),
	{AT(facts, mono_ns, FIELD_U64)},
	NAMED(facts, kind, kinds),
	NUMBER(facts, count),
	NUMBER(facts, netns),
	{AT(facts, local, FIELD_ENDPOINT)},
	{AT(facts, peer, FIELD_ENDPOINT)},
	{AT(facts, role, FIELD_ENUM), .names = (int)ARRAY_SIZE(roles),
	 .name_of = roles, .zero_is_unknown = true},
	NAMED(facts, state, states),
	NUMBER(facts, age_ms),
	NUMBER(facts, idle_ms),
	NUMBER(facts, since_send_ms),
	NUMBER(facts, since_receive_ms),
	NUMBER(facts, since_ack_ms),
	NUMBER(facts, since_request_ms),
	NUMBER(facts, sent_bytes),
	NUMBER(facts, acked_bytes),
	NUMBER(facts, received_bytes),
	NUMBER(facts, unread_bytes),
	NUMBER(facts, unacked_bytes),
	NUMBER(facts, unsent_bytes),
	NUMBER(facts, sent_segments),
	NUMBER(facts, received_segments),
	NUMBER(facts, srtt_us),
	NUMBER(facts, retransmits),
	NUMBER(facts, total_retransmits),
	NUMBER(facts, probes_out),
	TRIPLE(facts, peer_fin),
	NUMBER(facts, peer_fin_before_ms),
	TRIPLE(facts, answered),
	TRIPLE(facts, goodbye),
	TRIPLE(facts, keepalive_on),
	TRIPLE(facts, linger0),
	NUMBER(facts, user_timeout_ms),
	NUMBER(facts, keepalive_ms),
	FLAG(facts, unsolicited),
	FLAG(facts, again),
	FLAG(facts, seeded),
	{AT(facts, shutdown, FIELD_INT)},
	NUMBER(facts, sock_err),
	NUMBER(facts, sock_err_soft),
	BITS(facts, sock_flags, sock_bits),
	FLAG(facts, sock_known),
	FLAG(facts, labels_known),
	{AT(facts, first_out, FIELD_ENUM), .names = LABELS, .name_of = labels,
	 .zero_is_unknown = true},
	{AT(facts, first_in, FIELD_ENUM), .names = LABELS, .name_of = labels,
	 .zero_is_unknown = true},
	{AT(facts, notice, FIELD_ENUM), .names = NOTICES, .name_of = notices,
	 .zero_is_unknown = true},
	NUMBER(facts, first_out_bytes),
	NUMBER(facts, first_in_bytes),
	BITS(facts, tls, tls_bits),
	{AT(facts, tls_alert, FIELD_INT)},
	{AT(facts, http_status, FIELD_INT)},
	FLAG(facts, packet_known),
	NUMBER(facts, rst_ttl),
	NUMBER(facts, handshake_ttl),
	NUMBER(facts, rst_window),
	{AT(facts, rst_seq_ahead, FIELD_SIGNED)},
	TRIPLE(facts, rst_ack),
	TRIPLE(facts, rst_ack_fits),
	TRIPLE(facts, rst_timestamps),
	NUMBER(facts, gap_ms),
	NUMBER(facts, since_gap_ms),
	NUMBER(facts, worked_idle_ms),
	NUMBER(facts, fin_since_send_ms),
	NUMBER(facts, since_challenge_ms),
	NUMBER(facts, accept_pending),
	NUMBER(facts, place_open),
	NUMBER(facts, place_made),
	NUMBER(facts, place_served),
	NUMBER(facts, since_served_ms),
	TRIPLE(facts, peer_after_rst),
	TRIPLE(facts, rst_timestamps),
	TRIPLE(facts, peer_after_rst),
	FLAG(facts, skb_known),
	NUMBER(facts, skb_bytes),
	BITS(facts, skb_flags, skb_bits),
	{AT(facts, reason, FIELD_INT)},
	TEXT(facts, reason_name),
	NUMBER(facts, netfilter_us),
	NUMBER(facts, accept_backlog),
	NUMBER(facts, accept_max),
	TRIPLE(facts, listening),
	PART(facts, task, task_fields),
	PART(facts, owner, task_fields),
	PART(facts, call, call_fields),
	PART(facts, told, task_fields),
	PART(facts, closer, closed_fields),
	PART(facts, other, closed_fields),
	{0},
};
