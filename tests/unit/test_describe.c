/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/raw.h"
#include "user/daemon/describe.h"

#define NOBODY 0 /* no process has this pid */

struct people {
	int64_t task, owner, told, closer;
	enum rec_how how; /* the owner's */
	bool call, skb;
	enum call_class class;
};

static struct facts facts_with(enum failure_kind kind, const struct people *p)
{
	struct facts f;

	facts_init(&f);
	f.kind = kind;
	f.task.pid = p->task ? p->task : NOT_KNOWN;
	f.owner.pid = p->owner ? p->owner : NOT_KNOWN;
	f.owner.how = p->how;
	f.told.pid = p->told ? p->told : NOT_KNOWN;
	f.closer.known = p->closer;
	f.closer.task.pid = p->closer ? p->closer : NOT_KNOWN;
	f.call.known = p->call;
	f.call.class = p->class;
	f.skb_known = p->skb;
	return f;
}

static void is_whose(enum failure_kind kind, struct people p, int64_t pid,
		     enum via via)
{
	struct facts f = facts_with(kind, &p);
	enum via got = VIAS;
	const struct fact_task *task = describe_whose(&f, &got);

	if (pid == NOBODY) {
		assert_null(task);
		return;
	}
	assert_non_null(task);
	assert_int_equal(task->pid, pid);
	assert_int_equal(got, via);
}

static void test_whose_sent(void **state)
{
	const enum failure_kind k = KIND_SENT;

	(void)state;
	/* who acted, who closed, who opened */
	is_whose(k,
		 (struct people){
			 .task = 1, .owner = 2, .closer = 3, .call = true},
		 1, VIA_SYSCALL);
	is_whose(k, (struct people){.task = 1, .owner = 2, .closer = 3}, 1,
		 VIA_OWNER);
	/* it only held the socket while a segment was answered */
	is_whose(k,
		 (struct people){
			 .task = 1, .owner = 2, .closer = 3, .skb = true},
		 3, VIA_OWNER);
	is_whose(
		k,
		(struct people){
			.task = 1, .owner = 2, .skb = true, .how = HOW_CONNECT},
		2, VIA_OWNER);
	is_whose(k, (struct people){.owner = 2, .how = HOW_LISTEN}, 2,
		 VIA_LISTENER);
	is_whose(k, (struct people){.owner = 2, .how = HOW_SCAN}, 2, VIA_SCAN);
	is_whose(k, (struct people){.skb = true}, NOBODY, 0);
	/* who is told of a failure has no part in a RST of ours */
	is_whose(k, (struct people){.told = 4}, NOBODY, 0);
}

static void whose_told(enum failure_kind k)
{
	is_whose(k,
		 (struct people){.told = 4,
				 .owner = 2,
				 .task = 1,
				 .call = true,
				 .class = CALL_READ},
		 4, VIA_SYSCALL);
	is_whose(k, (struct people){.told = 4, .owner = 2}, 4, VIA_OWNER);
	is_whose(k,
		 (struct people){
			 .owner = 2, .call = true, .class = CALL_CONNECT},
		 2, VIA_SYSCALL);
	is_whose(k, (struct people){.owner = 2, .how = HOW_CONNECT}, 2,
		 VIA_OWNER);
	is_whose(k, (struct people){.owner = 2, .how = HOW_CLOSE}, 2,
		 VIA_OWNER);
	is_whose(k, (struct people){.owner = 2, .how = HOW_LISTEN}, 2,
		 VIA_LISTENER);
	is_whose(k, (struct people){.owner = 2, .how = HOW_SCAN}, 2, VIA_SCAN);
	/* current at the moment of a RST that comes in is anybody */
	is_whose(k, (struct people){.task = 1}, NOBODY, 0);
	is_whose(k, (struct people){0}, NOBODY, 0);
}

static void test_whose_told(void **state)
{
	(void)state;
	for (int k = 0; k < KINDS; k++) {
		if (k != KIND_SENT)
			whose_told((enum failure_kind)k);
	}
}

/* --- the event ------------------------------------------------------------ */

static struct event describe(const struct facts *f)
{
	struct processes *p = processes_new("/nonexistent", 8);
	struct event ev;

	assert_non_null(p);
	memset(&ev, 0x5a, sizeof(ev));
	describe_event(f, p, &ev);
	processes_free(p);
	return ev;
}

static void test_unknown(void **state)
{
	struct facts f;
	struct event ev;

	(void)state;
	facts_init(&f);
	ev = describe(&f);
	assert_int_equal(ev.count, 1);
	assert_int_equal(ev.last_time_us, NOT_KNOWN);
	assert_false(ev.process.known);
	assert_false(ev.syscall.known);
	assert_false(ev.packet_known);
	assert_false(ev.other_known);
	assert_int_equal(ev.role, ROLE_UNKNOWN);
	assert_int_equal(ev.state, NOT_KNOWN);
	assert_int_equal(ev.age_ms, NOT_KNOWN);
	assert_int_equal(ev.idle_ms, NOT_KNOWN);
	assert_int_equal(ev.sent_bytes, NOT_KNOWN);
	assert_int_equal(ev.unread_bytes, NOT_KNOWN);
	assert_int_equal(ev.peer_fin, TRI_UNKNOWN);
	assert_string_equal(ev.tls, "");
	assert_string_equal(ev.kernel_reason, "");
}

static void test_process(void **state)
{
	struct rec_failure r = raw_sent(1, RAW_START_NS);
	struct facts f = raw_decode(&r);
	struct event ev = describe(&f);

	(void)state;
	assert_true(ev.process.known);
	assert_int_equal(ev.process.pid, RAW_SERVER_PID);
	assert_int_equal(ev.process.tid, RAW_SERVER_PID + 1);
	assert_int_equal(ev.process.uid, 1000);
	assert_string_equal(ev.process.comm, "server");
	assert_string_equal(ev.process.exe, "");
	assert_int_equal(ev.process.via, VIA_SYSCALL);
	assert_int_equal(ev.syscall.class, CALL_CLOSE);
	/* a thread is that of a call only */
	r = raw_received(1, RAW_START_NS);
	f = raw_decode(&r);
	ev = describe(&f);
	assert_int_equal(ev.process.pid, RAW_CLIENT_PID);
	assert_int_equal(ev.process.tid, NOT_KNOWN);
	assert_int_equal(ev.process.via, VIA_OWNER);
}

static void test_connection(void **state)
{
	struct rec_failure r = raw_received(1, RAW_START_NS);
	struct facts f;
	struct event ev;

	(void)state;
	r.sock.srtt_us = 77;
	r.sock.retransmits = 3;
	r.sock.bytes_received = 9;
	r.sock.unread = 4;
	f = raw_decode(&r);
	ev = describe(&f);
	assert_int_equal(ev.kind, KIND_RECEIVED);
	assert_int_equal(ev.time_us, f.time_us);
	assert_int_equal(ev.family, 4);
	assert_int_equal(ev.netns, RAW_NETNS);
	assert_int_equal(ev.local.port, RAW_CLIENT_PORT);
	assert_int_equal(ev.peer.port, RAW_SERVER_PORT);
	assert_int_equal(ev.role, ROLE_CLIENT);
	assert_int_equal(ev.state, TCP_ESTABLISHED);
	assert_int_equal(ev.age_ms, 5000);
	assert_int_equal(ev.since_send_ms, 8);
	assert_int_equal(ev.since_receive_ms, 8);
	assert_int_equal(ev.sent_bytes, 6);
	assert_int_equal(ev.acked_bytes, 6);
	assert_int_equal(ev.received_bytes, 9);
	assert_int_equal(ev.unread_bytes, 4);
	assert_int_equal(ev.srtt_us, 77);
	assert_int_equal(ev.retransmits, 3);
	assert_int_equal(ev.peer_fin, TRI_NO);
}

/* Both ends have the same community id. */
static void test_community(void **state)
{
	struct rec_failure a = raw_received(1, RAW_START_NS);
	struct rec_failure b = raw_sent(2, RAW_START_NS);
	struct facts f = raw_decode(&a);
	struct event one = describe(&f), two;

	(void)state;
	f = raw_decode(&b);
	two = describe(&f);
	assert_string_equal(one.community_id, two.community_id);
	assert_int_equal(strncmp(one.community_id, "1:", 2), 0);
}

static void test_closed_before(void **state)
{
	struct rec_failure r = raw_failure(REC_SENT, 1, RAW_START_NS);
	struct facts f;
	struct event ev;

	(void)state;
	raw_turn(&r);
	r.known = KNOWN_TUPLE | KNOWN_CLOSER;
	r.role = 0;
	r.closer.task = raw_server(HOW_CLOSE, "close");
	r.closer.closed_ns = RAW_START_NS - 10 * RAW_MS;
	r.closer.established_ns = RAW_START_NS - 90 * RAW_MS;
	r.closer.role = ROLE_SERVER;
	f = raw_decode(&r);
	ev = describe(&f);
	assert_int_equal(ev.age_ms, 80);
	assert_int_equal(ev.role, ROLE_SERVER);
	assert_int_equal(ev.process.pid, RAW_SERVER_PID);
	assert_int_equal(ev.process.via, VIA_OWNER);
	/* a port on which we listen is a server's */
	r.known = KNOWN_TUPLE | KNOWN_LISTENER;
	f = raw_decode(&r);
	assert_int_equal(describe(&f).role, ROLE_SERVER);
}

static void test_packet(void **state)
{
	struct rec_failure r = raw_received(1, RAW_START_NS);
	struct facts f;
	struct event ev;

	(void)state;
	r.known |= KNOWN_PACKET | KNOWN_REASON;
	r.rst_ttl = 57;
	r.rst_window = 5;
	r.rst_seq_ahead = -3;
	r.rst_flags = TH_ACK;
	r.reason = RAW_STATE;
	f = raw_decode(&r);
	ev = describe(&f);
	assert_true(ev.packet_known);
	assert_int_equal(ev.ttl, 57);
	assert_int_equal(ev.handshake_ttl, NOT_KNOWN);
	assert_int_equal(ev.window, 5);
	assert_true(ev.seq_ahead_known);
	assert_int_equal(ev.seq_ahead, -3);
	assert_int_equal(ev.rst_ack, TRI_YES);
	assert_string_equal(ev.kernel_reason, "TCP_STATE");
}

static void test_other(void **state)
{
	struct rec_failure r = raw_received(1, RAW_START_NS);
	struct facts f;
	struct event ev;

	(void)state;
	r.known |= KNOWN_OTHER;
	r.other.task = raw_server(HOW_CLOSE, "close");
	f = raw_decode(&r);
	f.other.event = 41;
	ev = describe(&f);
	assert_true(ev.other_known);
	assert_int_equal(ev.other_event, 41);
	assert_int_equal(ev.other_pid, RAW_SERVER_PID);
	assert_string_equal(ev.other_comm, "server");
	assert_string_equal(ev.other_did, "closed the connection");
	/* somebody closed it, nobody saw who */
	r.other.task.tgid = 0;
	f = raw_decode(&r);
	assert_false(describe(&f).other_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_sent),
		cmocka_unit_test(test_whose_told),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_community),
		cmocka_unit_test(test_closed_before),
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_other),
	};

	return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
