/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event as event.schema.json defines it: what is stored and shown. A number
 * that was not observed is NOT_KNOWN (-1), a string empty, a group not known;
 * the JSON then has null.
 */
#ifndef RSTSCOPE_STORE_EVENT_H
#define RSTSCOPE_STORE_EVENT_H

#include <jansson.h>

#include "user/explain/verdict.h"
#include "user/observe/facts.h"

enum via { VIA_SYSCALL, VIA_OWNER, VIA_LISTENER, VIA_SCAN, VIAS };

struct event_process {
	bool known;
	int64_t pid, tid, uid;
	char comm[REC_COMM + 1];
	char exe[256];
	char unit[128];
	char container[65];
	char pod[40];
	enum via via;
};

struct event {
	int64_t id;
	char host[65];
	int64_t time_us;      /* UNIX time, microseconds */
	int64_t last_time_us; /* NOT_KNOWN unless folded */
	enum failure_kind kind;
	int64_t count;

	struct event_process process;
	struct fact_call syscall;

	uint8_t family; /* 4 or 6 */
	int64_t netns;
	struct endpoint local, peer;
	enum rec_role role;
	int state; /* TCP_*; NOT_KNOWN is shown as "UNKNOWN" */
	int64_t age_ms, idle_ms, since_send_ms, since_receive_ms;
	int64_t sent_bytes, acked_bytes, received_bytes, unread_bytes;
	int64_t srtt_us, retransmits;
	enum tri peer_fin;
	char tls[16]; /* no, handshake, established; "" = null */
	char community_id[40];

	bool packet_known;
	int64_t ttl, handshake_ttl, window;
	bool seq_ahead_known;
	int64_t seq_ahead;
	enum tri rst_ack;
	char diagnostic[64];
	char kernel_reason[48];

	bool other_known;
	int64_t other_event, other_pid;
	char other_comm[REC_COMM + 1];
	char other_did[64];

	struct verdict verdict;
};

/* All unknown. Events hold no pointers: copy them by assignment. */
void event_init(struct event *ev);

const char *kind_name(enum failure_kind kind);
int kind_by_name(const char *name); /* or -ENOENT */
const char *call_class_name(enum call_class class);
int call_class_by_name(const char *name); /* or -ENOENT */
const char *via_name(enum via via);
int via_by_name(const char *name); /* or -ENOENT */
const char *role_name(enum rec_role role);
int role_by_name(const char *name); /* or -ENOENT */
/* "ESTABLISHED" ...; "UNKNOWN" for anything else. */
const char *tcp_state_name(int state);
/* NOT_KNOWN for "UNKNOWN"; or -ENOENT. */
int tcp_state_by_name(const char *name);

/* The event as event.schema.json; a new reference, NULL: out of memory. */
json_t *event_to_json(const struct event *ev);
/* One of its times. */
json_t *event_time_json(int64_t us);
/* The same on one line with '\n' into a malloc'd string. */
char *event_to_line(const struct event *ev);
/* The same from its JSON; NULL gives NULL. */
char *event_json_line(const json_t *json);
/* Reads what event_to_json wrote. 0, or -EINVAL with what in err. */
int event_from_json(struct event *ev, const json_t *json, char *err,
		    size_t err_size);

#endif
