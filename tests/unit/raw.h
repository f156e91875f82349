/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw records as the probes would write them, for tests. A connection of
 * client 10.0.0.5:40000 and server 10.0.0.9:3000 unless changed.
 */
#ifndef RSTSCOPE_RAW_H
#define RSTSCOPE_RAW_H

#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/base/syscalls.h"
#include "user/observe/record.h"

#define RAW_MS		1000000ull /* nanoseconds */
#define RAW_START_NS	(1000 * NSEC_PER_SEC)
#define RAW_OFFSET_NS	(1790000000ll * (int64_t)NSEC_PER_SEC)
#define RAW_NETNS	4026531840u
#define RAW_CLIENT_PORT 40000
#define RAW_SERVER_PORT 3000
#define RAW_CLIENT_PID	500
#define RAW_SERVER_PID	900

enum raw_reason { RAW_NO_SOCKET = 1, RAW_ABORT_ON_DATA = 8, RAW_STATE = 14 };

/* HZ 250, as a kernel of 6.10 or later would tell. */
static const struct record_context raw_context = {
	.jiffy_ms = 4,
	.unix_offset_ns = RAW_OFFSET_NS,
	.arch = "x86_64",
	.kernel = "6.18.0",
	.reasons =
		{
			[0] = "NOT_SPECIFIED",
			[RAW_NO_SOCKET] = "NO_SOCKET",
			[RAW_ABORT_ON_DATA] = "TCP_ABORT_ON_DATA",
			[RAW_STATE] = "TCP_STATE",
		},
};

static inline struct rec_head raw_head(enum rec_kind kind, size_t size,
				       uint64_t failure, uint64_t time_ns)
{
	return (struct rec_head){
		.kind = kind,
		.size = (uint16_t)size,
		.failure = failure,
		.time_ns = time_ns,
	};
}

/* In a system call of that name; NULL: its number is not known. */
static inline struct rec_task raw_task(uint32_t pid, const char *comm,
				       enum rec_how how, const char *call)
{
	struct rec_task t = {
		.tgid = pid,
		.tid = pid + 1,
		.start_ns = 7 * NSEC_PER_SEC + pid,
		.uid = 1000,
		.how = how,
	};

	for (size_t i = 0; i < sizeof(t.comm) && comm[i]; i++)
		t.comm[i] = comm[i];
	if (call) {
		t.nr = syscall_by_name("x86_64", call);
		t.flags = TASK_NR;
	}
	return t;
}

static inline struct rec_task raw_client(enum rec_how how, const char *call)
{
	return raw_task(RAW_CLIENT_PID, "client", how, call);
}

static inline struct rec_task raw_server(enum rec_how how, const char *call)
{
	return raw_task(RAW_SERVER_PID, "server", how, call);
}

static inline void raw_never(struct rec_sock *s)
{
	s->since_send_jiffies = s->since_receive_jiffies = REC_NEVER;
	s->since_ack_jiffies = s->since_busy_jiffies = REC_NEVER;
	s->since_first_tx_us = REC_NEVER;
}

/* As seen from the client; with a socket on which nothing ever happened. */
static inline struct rec_failure raw_failure(enum rec_kind kind,
					     uint64_t failure, uint64_t time_ns)
{
	struct rec_failure r = {
		.head = raw_head(kind, sizeof(r), failure, time_ns),
		.known = KNOWN_TUPLE | KNOWN_SOCK,
		.netns = RAW_NETNS,
		.family = 4,
		.state = TCP_ESTABLISHED,
		.role = ROLE_CLIENT,
		.lport = RAW_CLIENT_PORT,
		.rport = RAW_SERVER_PORT,
		.laddr = {10, 0, 0, 5},
		.raddr = {10, 0, 0, 9},
	};

	raw_never(&r.sock);
	return r;
}

/* The same connection from its other end. */
static inline void raw_turn(struct rec_failure *r)
{
	uint8_t ip[sizeof(r->laddr)];
	uint16_t port = r->lport;

	memcpy(ip, r->laddr, sizeof(ip));
	memcpy(r->laddr, r->raddr, sizeof(ip));
	memcpy(r->raddr, ip, sizeof(ip));
	r->lport = r->rport;
	r->rport = port;
	r->role = r->role == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT;
}

/* The client's socket was reset 5 s after it was established. */
static inline struct rec_failure raw_received(uint64_t failure,
					      uint64_t time_ns)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, failure, time_ns);

	r.known |= KNOWN_BIRTH | KNOWN_OWNER;
	r.established_ns = time_ns - 5 * NSEC_PER_SEC;
	r.owner = raw_client(HOW_CONNECT, "connect");
	r.sock.bytes_sent = 6;
	r.sock.bytes_acked = 7;
	r.sock.since_send_jiffies = 2;
	r.sock.since_receive_jiffies = r.sock.since_ack_jiffies = 2;
	return r;
}

/* The server had closed it with SO_LINGER 0. */
static inline struct rec_failure raw_sent(uint64_t failure, uint64_t time_ns)
{
	struct rec_failure r = raw_failure(REC_SENT, failure, time_ns);

	raw_turn(&r);
	r.state = TCP_CLOSE;
	r.known |= KNOWN_TASK | KNOWN_REASON;
	r.reason = RAW_STATE;
	r.task = raw_server(HOW_CURRENT, "close");
	r.sock.flags = SOCKF_LINGER0 | SOCKF_OWNED | SOCKF_HAS_SOCKET;
	r.sock.shutdown = 3;
	return r;
}

/* The client read EOF while it waited for an answer. */
static inline struct rec_failure raw_hangup(uint64_t failure, uint64_t time_ns,
					    uint64_t fin_ns)
{
	struct rec_failure r = raw_failure(REC_HANGUP, failure, time_ns);

	r.state = TCP_CLOSE_WAIT;
	r.known |= KNOWN_TASK | KNOWN_BIRTH | KNOWN_ASKED;
	r.task = raw_client(HOW_CURRENT, "recvfrom");
	r.established_ns = time_ns - 10 * NSEC_PER_SEC;
	r.peer_fin_ns = fin_ns;
	r.sock.flags = SOCKF_DONE;
	r.sock.bytes_sent = 6;
	return r;
}

static inline struct rec_told raw_told(uint64_t failure, uint64_t time_ns,
				       uint64_t failed_ns, int ret)
{
	return (struct rec_told){
		.head = raw_head(REC_TOLD, sizeof(struct rec_told), failure,
				 time_ns),
		.failed_ns = failed_ns,
		.task = raw_client(HOW_CURRENT, "recvfrom"),
		.ret = ret,
	};
}

static inline struct rec_told raw_closed(uint64_t failure, uint64_t time_ns)
{
	return (struct rec_told){
		.head = raw_head(REC_CLOSED, sizeof(struct rec_told), failure,
				 time_ns),
		.failed_ns = time_ns,
		.task = raw_client(HOW_CURRENT, "close"),
	};
}

static inline struct rec_exit raw_exit(enum rec_kind kind, uint64_t time_ns,
				       struct rec_task task)
{
	return (struct rec_exit){
		.head = raw_head(kind, sizeof(struct rec_exit), 0, time_ns),
		.task = task,
	};
}

static inline void raw_ends_by(struct rec_task *task, uint32_t exit_code)
{
	task->flags |= TASK_EXITING;
	task->exit_code = exit_code;
}

static inline struct facts raw_decode(const struct rec_failure *r)
{
	struct facts f;

	memset(&f, 0x5a, sizeof(f));
	record_facts(r, &raw_context, &f);
	return f;
}

#endif
