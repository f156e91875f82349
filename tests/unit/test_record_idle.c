/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/raw.h"

#define NOW RAW_START_NS

/* --- both ends ------------------------------------------------------------ */

static struct rec_closed closed_before(uint64_t ms, const char *call)
{
	return (struct rec_closed){
		.task = raw_server(HOW_CLOSE, call),
		.closed_ns = NOW - ms * RAW_MS,
		.established_ns = NOW - (ms + 8000) * RAW_MS,
		.since_send_jiffies = 1250,
		.since_receive_jiffies = 1500,
		.unread = 11,
		.role = ROLE_SERVER,
	};
}

static void test_closer(void **state)
{
	struct rec_failure r = raw_failure(REC_SENT, 1, NOW);
	struct facts f;

	(void)state;
	r.known = KNOWN_TUPLE | KNOWN_CLOSER;
	r.role = 0;
	r.closer = closed_before(70, "close");
	f = raw_decode(&r);
	assert_true(f.closer.known);
	assert_false(f.other.known);
	assert_int_equal(f.closer.task.pid, RAW_SERVER_PID);
	assert_string_equal(f.closer.call.name, "close");
	assert_int_equal(f.closer.before_ms, 70);
	assert_int_equal(f.closer.age_ms, 8000);
	assert_int_equal(f.closer.idle_ms, 5000); /* the younger of both */
	assert_int_equal(f.closer.unread_bytes, 11);
	assert_int_equal(f.closer.event, NOT_KNOWN);
	assert_false(f.closer.aborted);
	assert_string_equal(f.closer.did, "closed the connection");
	assert_int_equal(f.role, ROLE_SERVER); /* the socket is gone */
	assert_int_equal(f.idle_ms, 5000);
}

static void test_closer_unknowns(void **state)
{
	struct rec_failure r = raw_failure(REC_SENT, 1, NOW);
	struct facts f;

	(void)state;
	r.known = KNOWN_TUPLE | KNOWN_CLOSER;
	r.role = ROLE_CLIENT;
	r.closer = closed_before(70, NULL);
	r.closer.established_ns = r.closer.closed_ns = 0;
	r.closer.since_send_jiffies = REC_NEVER;
	r.closer.since_receive_jiffies = REC_NEVER;
	f = raw_decode(&r);
	assert_int_equal(f.closer.before_ms, NOT_KNOWN);
	assert_int_equal(f.closer.age_ms, NOT_KNOWN);
	assert_int_equal(f.closer.idle_ms, NOT_KNOWN);
	assert_false(f.closer.call.known);
	assert_int_equal(f.role, ROLE_CLIENT); /* the socket's own goes first */
	r.closer.since_receive_jiffies = 5;
	assert_int_equal(raw_decode(&r).closer.idle_ms, 20);
}

static const char *did(struct rec_closed c)
{
	struct rec_failure r = raw_received(1, NOW);
	static struct facts f;

	r.known |= KNOWN_OTHER;
	r.other = c;
	f = raw_decode(&r);
	assert_true(f.other.known);
	assert_false(f.closer.known);
	return f.other.did;
}

static void test_other_did(void **state)
{
	struct rec_closed c = closed_before(1, "close");

	(void)state;
	assert_string_equal(did(c), "closed the connection");
	assert_string_equal(did(closed_before(1, "shutdown")),
			    "shut the connection down");
	c.aborted = 1;
	assert_string_equal(did(c), "aborted the connection");
	raw_ends_by(&c.task, 0);
	assert_string_equal(did(c), "exited");
	raw_ends_by(&c.task, SIGTERM);
	assert_string_equal(did(c), "was killed");
}

/* --- idle ----------------------------------------------------------------- */

struct idle_case {
	const char *what;
	enum rec_kind kind;
	int age_ms, send_ms, receive_ms, ack_ms; /* -1: never */
	int request_ms; /* of what is unacknowledged; -1: nothing is */
	int asked;	/* answered: 1, 0; -1: not known */
	uint32_t unread;
	bool keepalive;
	int64_t idle_ms;
};

static const struct idle_case idle_cases[] = {
	{"nothing was ever carried", REC_RECEIVED, 700, -1, -1, -1, -1, -1, 0,
	 false, 700},
	{"unsolicited, after an answer", REC_RECEIVED, 9000, 5004, 5000, 5000,
	 -1, 1, 0, false, 5000},
	{"unsolicited, after our last word", REC_RECEIVED, 9000, 5000, 8000,
	 5000, -1, 1, 0, false, 5000},
	{"a request on an idle connection", REC_RECEIVED, 9000, 0, 6000, 6000,
	 0, 0, 0, false, 6000},
	{"a request that waited, acknowledged", REC_RECEIVED, 90000, 60000,
	 65000, 60000, -1, 0, 0, false, 5000},
	{"a request that waited, not acknowledged", REC_RECEIVED, 90000, 500,
	 70000, 65000, 9000, 0, 0, false, 56000},
	{"the first request", REC_RECEIVED, 3000, 2000, -1, 2000, -1, 0, 0,
	 false, 1000},
	{"in the middle of a transfer", REC_RECEIVED, 9000, 0, 0, 0, 0, 0, 0,
	 false, 0},
	{"we only send: since the ACK before", REC_RECEIVED, 9000, 0, -1, 4000,
	 0, 0, 0, false, 4000},
	{"we only send: that ACK is of the same request", REC_RECEIVED, 9000, 0,
	 -1, 900, 0, 0, 0, false, 9000},
	{"an ACK may be that of a keepalive probe", REC_RECEIVED, 9000, 0, -1,
	 4000, 0, 0, 0, true, 9000},
	{"data came after the request", REC_RECEIVED, 9000, 400, 100, 100, 400,
	 1, 0, false, 0},
	/* our own RST */
	{"sent: closed idle", REC_SENT, 9000, 5000, 5004, 5000, -1, -1, 0,
	 false, 5000},
	{"sent: a request came, unread", REC_SENT, 9000, 7000, 1000, 1000, -1,
	 -1, 10, false, 6000},
	{"sent: the first request, unread", REC_SENT, 9000, -1, 1000, 1000, -1,
	 -1, 10, false, 8000},
	{"sent: we had sent since it came", REC_SENT, 9000, 500, 1000, 500, -1,
	 -1, 10, false, 0},
	{"sent: neither is known", REC_SENT, -1, -1, 1000, 1000, -1, -1, 10,
	 false, NOT_KNOWN},
	{"unread data is the other's matter elsewhere", REC_RECEIVED, 9000,
	 7000, 1000, 1000, -1, 1, 10, false, 1000},
	{"nothing is known", REC_RECEIVED, -1, -1, -1, -1, -1, -1, 0, false,
	 NOT_KNOWN},
	{"a request, but nothing before it is known", REC_RECEIVED, -1, 100, -1,
	 -1, 100, 0, 0, false, NOT_KNOWN},
};

static uint32_t ticks(int ms)
{
	return ms < 0 ? REC_NEVER : (uint32_t)ms / 4;
}

static struct rec_failure idle_record(const struct idle_case *c)
{
	struct rec_failure r = raw_failure(c->kind, 1, NOW);

	if (c->age_ms >= 0) {
		r.known |= KNOWN_BIRTH;
		r.established_ns = NOW - (uint64_t)c->age_ms * RAW_MS;
	}
	r.sock.bytes_sent = c->send_ms < 0 ? 0 : 100;
	r.sock.bytes_acked = c->ack_ms < 0 ? 0 : 51;
	r.sock.bytes_received = c->receive_ms < 0 ? 0 : 100;
	r.sock.since_send_jiffies = ticks(c->send_ms);
	r.sock.since_receive_jiffies = ticks(c->receive_ms);
	r.sock.since_ack_jiffies = ticks(c->ack_ms);
	if (c->request_ms >= 0) {
		r.sock.unacked = 50;
		r.sock.packets_out = 1;
		r.sock.since_first_tx_us = (uint32_t)c->request_ms * 1000;
	}
	if (c->asked >= 0) {
		r.known |= KNOWN_ASKED;
		r.answered = (uint8_t)c->asked;
	}
	r.sock.unread = c->unread;
	r.sock.flags = c->keepalive ? SOCKF_KEEPOPEN : 0;
	return r;
}

static void test_idle(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(idle_cases); i++) {
		struct rec_failure r = idle_record(&idle_cases[i]);
		struct facts f = raw_decode(&r);

		if (f.idle_ms != idle_cases[i].idle_ms)
			fail_msg("%s: %lld ms", idle_cases[i].what,
				 (long long)f.idle_ms);
	}
}

/* --- hang-up -------------------------------------------------------------- */

/* Asked 8 s ago after 2 s of silence, FIN 3 s ago, told now. */
static void test_hangup(void **state)
{
	struct rec_failure r = raw_hangup(1, NOW, NOW - 3000 * RAW_MS);
	struct facts f;

	(void)state;
	r.known |= KNOWN_OTHER;
	r.other = closed_before(3001, "close");
	r.sock.bytes_received = 101;
	r.sock.since_send_jiffies = 2000;
	r.sock.since_receive_jiffies = 2500;
	r.sock.since_ack_jiffies = 2000;
	f = raw_decode(&r);
	assert_int_equal(f.kind, KIND_HANGUP);
	assert_int_equal(f.mono_ns, NOW - 3000 * RAW_MS);
	assert_int_equal(f.time_us,
			 (int64_t)(NOW - 3000 * RAW_MS + RAW_OFFSET_NS) / 1000);
	assert_int_equal(f.peer_fin_before_ms, 0);
	assert_int_equal(f.age_ms, 7000);
	assert_int_equal(f.since_send_ms, 5000);
	assert_int_equal(f.since_receive_ms, 7000);
	assert_int_equal(f.since_ack_ms, 5000);
	assert_int_equal(f.idle_ms, 2000);
	assert_int_equal(f.other.before_ms, 1);
	assert_int_equal(f.told.pid, RAW_CLIENT_PID);
	assert_int_equal(f.call.class, CALL_READ);
	assert_string_equal(f.call.name, "recvfrom");
	assert_int_equal(f.call.errno_nr, NOT_KNOWN);
	assert_int_equal(f.call.delay_us, 3000000);
}

/* The FIN had come first; we wrote to a connection that was over. */
static void test_hangup_by_write(void **state)
{
	struct rec_failure r = raw_hangup(1, NOW, NOW - 3000 * RAW_MS);
	struct facts f;

	(void)state;
	r.sock.bytes_received = 101;
	r.sock.since_send_jiffies = 25;
	r.sock.since_receive_jiffies = 2000;
	f = raw_decode(&r);
	assert_int_equal(f.mono_ns, NOW - 100 * RAW_MS);
	assert_int_equal(f.peer_fin_before_ms, 2900);
	assert_int_equal(f.call.delay_us, 100000);
	assert_int_equal(f.since_send_ms, 0);
	assert_int_equal(f.since_receive_ms, 7900);
	assert_int_equal(f.idle_ms, 7900);
	assert_int_equal(f.age_ms, 9900);
}

/* It came unseen, or after the record: nothing can be shifted. */
static void test_hangup_without_fin(void **state)
{
	struct rec_failure r = raw_hangup(1, NOW, 0);
	struct facts f;

	(void)state;
	r.sock.since_send_jiffies = 25;
	for (int i = 0; i < 2; i++) {
		r.peer_fin_ns = i ? NOW + RAW_MS : 0;
		f = raw_decode(&r);
		assert_int_equal(f.mono_ns, NOW);
		assert_int_equal(f.call.delay_us, NOT_KNOWN);
		assert_int_equal(f.since_send_ms, 100);
		assert_int_equal(f.peer_fin_before_ms, NOT_KNOWN);
		assert_int_equal(f.told.pid, RAW_CLIENT_PID);
	}
	r.known &= ~KNOWN_TASK;
	f = raw_decode(&r);
	assert_int_equal(f.told.pid, NOT_KNOWN);
	assert_false(f.call.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closer),
		cmocka_unit_test(test_closer_unknowns),
		cmocka_unit_test(test_other_did),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_hangup_by_write),
		cmocka_unit_test(test_hangup_without_fin),
	};

	return cmocka_run_group_tests_name("record_idle", tests, NULL, NULL);
}
