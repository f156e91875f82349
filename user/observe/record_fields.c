// SPDX-License-Identifier: Apache-2.0
#include "bpf/event.h"
#include "user/observe/record_fields.h"

#define FIELD(rec, field, kind)                                                \
	{                                                                      \
		.name = #field, .offset = offsetof(struct rec, field),         \
		.size = sizeof(((struct rec *)0)->field), .type = kind,        \
	}
#define UINT(rec, field)      FIELD(rec, field, FIELD_UINT)
#define INT(rec, field)	      FIELD(rec, field, FIELD_INT)
#define IP(rec, field)	      FIELD(rec, field, FIELD_IP)
#define TEXT(rec, field)      FIELD(rec, field, FIELD_TEXT)
#define ADDRESSES(rec, field) FIELD(rec, field, FIELD_ADDRESSES)
#define STRUCT(rec, field, table)                                              \
	{                                                                      \
		.name = #field, .offset = offsetof(struct rec, field),         \
		.size = sizeof(((struct rec *)0)->field),                      \
		.type = FIELD_STRUCT, .inner = table,                          \
	}
#define END                                                                    \
	{                                                                      \
		.name = NULL                                                   \
	}

/* At the start of every record; its kind and size are told by the line. */
#define HEAD                                                                   \
	UINT(rec_head, cpu), UINT(rec_head, time_ns), UINT(rec_head, failure)

static const struct record_field task_fields[] = {
	UINT(rec_task, tgid),
	UINT(rec_task, tid),
	UINT(rec_task, start_ns),
	UINT(rec_task, cgroup),
	UINT(rec_task, uid),
	INT(rec_task, nr),
	UINT(rec_task, exit_code),
	UINT(rec_task, flags),
	UINT(rec_task, how),
	TEXT(rec_task, comm),
	END,
};

static const struct record_field closed_fields[] = {
	STRUCT(rec_closed, task, task_fields),
	UINT(rec_closed, closed_ns),
	UINT(rec_closed, established_ns),
	UINT(rec_closed, since_send_jiffies),
	UINT(rec_closed, since_receive_jiffies),
	UINT(rec_closed, unread),
	UINT(rec_closed, aborted),
	UINT(rec_closed, role),
	UINT(rec_closed, netns),
	END,
};

static const struct record_field sock_fields[] = {
	UINT(rec_sock, bytes_sent),
	UINT(rec_sock, bytes_acked),
	UINT(rec_sock, bytes_received),
	UINT(rec_sock, bytes_retrans),
	UINT(rec_sock, unread),
	UINT(rec_sock, unacked),
	UINT(rec_sock, unsent),
	UINT(rec_sock, packets_out),
	UINT(rec_sock, data_segs_out),
	UINT(rec_sock, data_segs_in),
	UINT(rec_sock, srtt_us),
	UINT(rec_sock, since_send_jiffies),
	UINT(rec_sock, since_receive_jiffies),
	UINT(rec_sock, since_ack_jiffies),
	UINT(rec_sock, since_busy_jiffies),
	UINT(rec_sock, answer_bytes),
	UINT(rec_sock, user_timeout_ms),
	UINT(rec_sock, keepalive_time_jiffies),
	UINT(rec_sock, flags),
	INT(rec_sock, err),
	INT(rec_sock, err_soft),
	INT(rec_sock, linger2),
	UINT(rec_sock, accept_backlog),
	UINT(rec_sock, accept_max),
	UINT(rec_sock, accept_pending),
	UINT(rec_sock, since_first_tx_us),
	UINT(rec_sock, total_retrans),
	UINT(rec_sock, retransmits),
	UINT(rec_sock, probes_out),
	UINT(rec_sock, backoff),
	UINT(rec_sock, shutdown),
	END,
};

static const struct record_field failure_fields[] = {
	HEAD,
	UINT(rec_failure, known),
	UINT(rec_failure, netns),
	UINT(rec_failure, family),
	UINT(rec_failure, state),
	UINT(rec_failure, role),
	UINT(rec_failure, reason),
	IP(rec_failure, laddr),
	UINT(rec_failure, lport),
	IP(rec_failure, raddr),
	UINT(rec_failure, rport),
	UINT(rec_failure, established_ns),
	UINT(rec_failure, peer_fin_ns),
	UINT(rec_failure, voids),
	UINT(rec_failure, folded),
	UINT(rec_failure, flags),
	STRUCT(rec_failure, sock, sock_fields),
	STRUCT(rec_failure, task, task_fields),
	STRUCT(rec_failure, owner, task_fields),
	UINT(rec_failure, first_out),
	UINT(rec_failure, first_in),
	UINT(rec_failure, tls),
	UINT(rec_failure, tls_alert),
	UINT(rec_failure, http_status),
	UINT(rec_failure, answered),
	UINT(rec_failure, handshake_ttl),
	UINT(rec_failure, first_out_len),
	UINT(rec_failure, first_in_len),
	UINT(rec_failure, skb_len),
	UINT(rec_failure, skb_flags),
	UINT(rec_failure, skb_ttl),
	UINT(rec_failure, rst_ttl),
	UINT(rec_failure, rst_flags),
	UINT(rec_failure, rst_window),
	INT(rec_failure, rst_seq_ahead),
	INT(rec_failure, rst_ack_ahead),
	UINT(rec_failure, netfilter_us),
	UINT(rec_failure, rst_timestamps),
	UINT(rec_failure, notice),
	UINT(rec_failure, gap_jiffies),
	UINT(rec_failure, since_gap_jiffies),
	UINT(rec_failure, worked_jiffies),
	UINT(rec_failure, fin_since_send_jiffies),
	UINT(rec_failure, since_challenge_jiffies),
	UINT(rec_failure, place_open),
	UINT(rec_failure, place_made),
	UINT(rec_failure, place_served),
	UINT(rec_failure, place_served_ns),
	UINT(rec_failure, rcv_nxt),
	UINT(rec_failure, snd_una),
	UINT(rec_failure, skb_seq),
	UINT(rec_failure, skb_ack),
	STRUCT(rec_failure, closer, closed_fields),
	STRUCT(rec_failure, other, closed_fields),
	END,
};

static const struct record_field told_fields[] = {
	HEAD,
	UINT(rec_told, failed_ns),
	STRUCT(rec_told, task, task_fields),
	INT(rec_told, ret),
	UINT(rec_told, sending),
	END,
};

static const struct record_field exit_fields[] = {
	HEAD,
	STRUCT(rec_exit, task, task_fields),
	UINT(rec_exit, listened),
	END,
};

static const struct record_field stack_fields[] = {
	HEAD,
	UINT(rec_stack, tgid),
	UINT(rec_stack, depth),
	UINT(rec_stack, start_ns),
	ADDRESSES(rec_stack, frame),
	ADDRESSES(rec_stack, top),
	END,
};

#define LAYOUT(word, type)                                                     \
	{                                                                      \
		word, sizeof(struct rec_##type), type##_fields                 \
	}

static const struct record_layout layouts[] = {
	[REC_RECEIVED] = LAYOUT("received", failure),
	[REC_SENT] = LAYOUT("sent", failure),
	[REC_ERROR] = LAYOUT("error", failure),
	[REC_HANGUP] = LAYOUT("hangup", failure),
	[REC_TOLD] = LAYOUT("told", told),
	[REC_CLOSED] = LAYOUT("closed", told),
	[REC_EXIT] = LAYOUT("exit", exit),
	[REC_OOM] = LAYOUT("oom", exit),
	[REC_STACK] = LAYOUT("stack", stack),
};
_Static_assert(sizeof(layouts) / sizeof(layouts[0]) == REC_KINDS,
	       "a kind of record has no layout");

const struct record_layout *record_layout_of(unsigned int kind)
{
	if (kind >= REC_KINDS || !layouts[kind].name)
		return NULL;
	return &layouts[kind];
}
