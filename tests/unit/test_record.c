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

/* --- record_check --------------------------------------------------------- */

static void test_check(void **state)
{
	struct rec_failure r = raw_received(1, NOW);
	struct rec_told t = raw_told(1, NOW, NOW, -ECONNRESET);
	struct rec_exit e = raw_exit(REC_EXIT, NOW, raw_client(0, NULL));
	char foreign[sizeof(r)];

	(void)state;
	assert_int_equal(record_check(&r, sizeof(r)), 0);
	assert_int_equal(record_check(&t, sizeof(t)), 0);
	assert_int_equal(record_check(&e, sizeof(e)), 0);
	for (size_t size = 0; size < sizeof(r); size++)
		assert_int_equal(record_check(&r, size), -EINVAL);
	t.head.kind = REC_RECEIVED; /* a kind of another size */
	assert_int_equal(record_check(&t, sizeof(t)), -EINVAL);
	r.head.size--;
	assert_int_equal(record_check(&r, sizeof(r)), -EINVAL);
	memset(foreign, 0xff, sizeof(foreign));
	assert_int_equal(record_check(foreign, sizeof(foreign)), -EINVAL);
	memset(foreign, 0, sizeof(foreign));
	assert_int_equal(record_check(foreign, sizeof(foreign)), -EINVAL);
}

static void test_check_kinds(void **state)
{
	struct rec_failure r = raw_received(1, NOW);

	(void)state;
	for (unsigned int kind = 0; kind < 100; kind++) {
		bool fits = kind >= REC_RECEIVED && kind <= REC_HANGUP;

		r.head.kind = (uint16_t)kind;
		assert_int_equal(record_check(&r, sizeof(r)),
				 fits ? 0 : -EINVAL);
	}
}

/* --- kind and head -------------------------------------------------------- */

static void test_kinds(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 77, NOW);

	(void)state;
	assert_int_equal(raw_decode(&r).kind, KIND_RECEIVED);
	r.state = TCP_SYN_SENT;
	assert_int_equal(raw_decode(&r).kind, KIND_REFUSED);
	r.head.kind = REC_SENT;
	assert_int_equal(raw_decode(&r).kind, KIND_SENT);
	r.head.kind = REC_HANGUP;
	assert_int_equal(raw_decode(&r).kind, KIND_HANGUP);
	r.head.kind = REC_ERROR;
	r.sock.err = ETIMEDOUT;
	assert_int_equal(raw_decode(&r).kind, KIND_TIMEOUT);
	r.sock.err = ECONNREFUSED;
	assert_int_equal(raw_decode(&r).kind, KIND_REFUSED);
}

static void test_head(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 77, NOW);
	struct facts f;

	(void)state;
	r.folded = 41;
	r.flags = SOCKF_AGAIN | SOCKF_SEEDED;
	f = raw_decode(&r);
	assert_int_equal(f.failure, 77);
	assert_int_equal(f.mono_ns, NOW);
	assert_int_equal(f.time_us, (int64_t)(NOW + RAW_OFFSET_NS) / 1000);
	assert_int_equal(f.count, 42);
	assert_true(f.again);
	assert_true(f.seeded);
	r.state = 0;
	r.role = 9;
	f = raw_decode(&r);
	assert_int_equal(f.state, NOT_KNOWN);
	assert_int_equal(f.role, ROLE_UNKNOWN);
}

static void test_tuple(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f = raw_decode(&r);
	static const uint8_t client[16] = {10, 0, 0, 5};
	static const uint8_t server[16] = {10, 0, 0, 9};

	(void)state;
	assert_true(f.tuple_known);
	assert_int_equal(f.family, 4);
	assert_int_equal(f.netns, RAW_NETNS);
	assert_memory_equal(f.local.ip, client, 16);
	assert_memory_equal(f.peer.ip, server, 16);
	assert_int_equal(f.local.port, RAW_CLIENT_PORT);
	assert_int_equal(f.peer.port, RAW_SERVER_PORT);
	r.netns = 0;
	assert_int_equal(raw_decode(&r).netns, NOT_KNOWN);
	r.known = 0;
	f = raw_decode(&r);
	assert_false(f.tuple_known);
	assert_int_equal(f.local.port, 0);
}

/* A record that knows nothing gives facts that say nothing. */
static void test_nothing_known(void **state)
{
	struct rec_failure r = raw_failure(REC_SENT, 1, NOW);
	struct facts f, none;

	(void)state;
	memset(&r.sock, 0x11, sizeof(r.sock));
	memset(&r.task, 0x11, sizeof(r.task));
	memset(&r.closer, 0x11, sizeof(r.closer));
	memset(&r.other, 0x11, sizeof(r.other));
	r.sock.flags = 0;
	r.established_ns = 5;
	r.known = 0;
	r.state = 0;
	r.role = 0;
	r.skb_len = r.rst_ttl = r.reason = r.netfilter_us = r.tls_alert = 9;
	f = raw_decode(&r);
	facts_init(&none);
	none.failure = 1;
	none.kind = KIND_SENT;
	none.mono_ns = NOW;
	none.time_us = f.time_us;
	assert_memory_equal(&f, &none, sizeof(f));
}

/* --- bytes ---------------------------------------------------------------- */

struct byte_case {
	int state, role;
	bool fin; /* the peer's */
	uint32_t sent, retrans, acked, received, unread, unacked, unsent;
	int64_t f_sent, f_acked, f_received, f_unread, f_unacked, f_unsent;
};

#define U NOT_KNOWN
static const struct byte_case byte_cases[] = {
	/* our SYN is no byte that was acknowledged */
	{TCP_ESTABLISHED, ROLE_CLIENT, false, 6, 0, 7, 9, 4, 0, 0, 6, 6, 9, 4,
	 0, 0},
	{TCP_ESTABLISHED, ROLE_CLIENT, false, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	 0, 0},
	{TCP_ESTABLISHED, ROLE_CLIENT, false, 10, 0, 7, 0, 0, 4, 3, 10, 6, 0, 0,
	 4, 3},
	/* a server's SYN was acknowledged before its socket was made */
	{TCP_ESTABLISHED, ROLE_SERVER, false, 6, 0, 6, 0, 0, 0, 0, 6, 6, 0, 0,
	 0, 0},
	{TCP_ESTABLISHED, ROLE_UNKNOWN, false, 6, 0, 7, 0, 0, 0, 0, 6, 6, 0, 0,
	 0, 0},
	/* what is sent again is not sent twice */
	{TCP_ESTABLISHED, ROLE_CLIENT, false, 160, 150, 1, 0, 0, 10, 0, 10, 0,
	 0, 0, 10, 0},
	{TCP_ESTABLISHED, ROLE_CLIENT, false, 5, 9, 1, 0, 0, 5, 0, 5, 0, 0, 0,
	 5, 0}, /* impossible: taken as it is */
	/* the peer's FIN is no byte to read */
	{TCP_CLOSE_WAIT, ROLE_CLIENT, true, 6, 0, 7, 1, 1, 0, 0, 6, 6, 0, 0, 0,
	 0},
	{TCP_CLOSE_WAIT, ROLE_CLIENT, true, 6, 0, 7, 10, 4, 0, 0, 6, 6, 9, 3, 0,
	 0},
	{TCP_CLOSE_WAIT, ROLE_CLIENT, true, 6, 0, 7, 10, 0, 0, 0, 6, 6, 9, 0, 0,
	 0}, /* EOF was read */
	/* our FIN: under way, behind unsent data, acknowledged */
	{TCP_FIN_WAIT1, ROLE_SERVER, false, 6, 0, 6, 0, 0, 1, 0, 6, 6, 0, 0, 0,
	 0},
	{TCP_LAST_ACK, ROLE_SERVER, true, 6, 0, 2, 1, 0, 5, 0, 6, 2, 0, 0, 4,
	 0},
	{TCP_CLOSING, ROLE_CLIENT, true, 6, 0, 7, 1, 0, 1, 0, 6, 6, 0, 0, 0, 0},
	{TCP_FIN_WAIT1, ROLE_SERVER, false, 6, 0, 2, 0, 0, 4, 8, 6, 2, 0, 0, 4,
	 7},
	{TCP_FIN_WAIT2, ROLE_SERVER, false, 6, 0, 7, 0, 0, 0, 0, 6, 6, 0, 0, 0,
	 0},
	{TCP_FIN_WAIT2, ROLE_CLIENT, false, 6, 0, 8, 0, 0, 0, 0, 6, 6, 0, 0, 0,
	 0},
	/* in the handshake the SYN is under way; nothing can be read */
	{TCP_SYN_SENT, ROLE_CLIENT, false, 0, 0, 0, 0, 77, 1, 0, 0, 0, 0, U, 0,
	 0},
	{TCP_SYN_RECV, ROLE_SERVER, false, 0, 0, 0, 0, 77, 1, 0, 0, 0, 0, U, 0,
	 0},
};
#undef U

static void check_bytes(const struct byte_case *c, size_t i)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	r.state = (uint8_t)c->state;
	r.role = (uint8_t)c->role;
	r.sock.flags = c->fin ? SOCKF_DONE : 0;
	r.sock.bytes_sent = c->sent;
	r.sock.bytes_retrans = c->retrans;
	r.sock.bytes_acked = c->acked;
	r.sock.bytes_received = c->received;
	r.sock.unread = c->unread;
	r.sock.unacked = c->unacked;
	r.sock.unsent = c->unsent;
	f = raw_decode(&r);
	if (f.sent_bytes != c->f_sent || f.acked_bytes != c->f_acked ||
	    f.received_bytes != c->f_received ||
	    f.unread_bytes != c->f_unread || f.unacked_bytes != c->f_unacked ||
	    f.unsent_bytes != c->f_unsent)
		fail_msg("case %zu: sent %d acked %d received %d unread %d "
			 "unacked %d unsent %d",
			 i, (int)f.sent_bytes, (int)f.acked_bytes,
			 (int)f.received_bytes, (int)f.unread_bytes,
			 (int)f.unacked_bytes, (int)f.unsent_bytes);
	assert_int_equal(f.unsolicited, !c->f_unacked && !c->f_unsent);
}

static void test_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(byte_cases); i++)
		check_bytes(&byte_cases[i], i);
}

/* --- the socket ----------------------------------------------------------- */

static void test_socket(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.sock.data_segs_out = 3;
	r.sock.data_segs_in = 4;
	r.sock.retransmits = 2;
	r.sock.total_retrans = 5;
	r.sock.probes_out = 1;
	r.sock.srtt_us = 210;
	r.sock.flags = SOCKF_KEEPOPEN | SOCKF_LINGER0;
	r.sock.user_timeout_ms = 3000;
	r.sock.keepalive_time_jiffies = 2500;
	r.sock.shutdown = 2;
	r.sock.err = ETIMEDOUT;
	r.sock.err_soft = EHOSTUNREACH;
	r.flags = SOCKF_GOODBYE;
	f = raw_decode(&r);
	assert_true(f.sock_known);
	assert_int_equal(f.sent_segments, 3);
	assert_int_equal(f.received_segments, 4);
	assert_int_equal(f.retransmits, 2);
	assert_int_equal(f.total_retransmits, 5);
	assert_int_equal(f.probes_out, 1);
	assert_int_equal(f.srtt_us, 210);
	assert_int_equal(f.keepalive_on, TRI_YES);
	assert_int_equal(f.linger0, TRI_YES);
	assert_int_equal(f.user_timeout_ms, 3000);
	assert_int_equal(f.keepalive_ms, 10000);
	assert_int_equal(f.shutdown, 2);
	assert_int_equal(f.sock_err, ETIMEDOUT);
	assert_int_equal(f.sock_err_soft, EHOSTUNREACH);
	assert_int_equal(f.goodbye, TRI_YES);
	assert_int_equal(f.sock_flags,
			 SOCKF_KEEPOPEN | SOCKF_LINGER0 | SOCKF_GOODBYE);
}

static void test_socket_zeros(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f = raw_decode(&r);

	(void)state;
	assert_int_equal(f.srtt_us, NOT_KNOWN); /* no sample */
	assert_int_equal(f.keepalive_ms, NOT_KNOWN);
	assert_int_equal(f.keepalive_on, TRI_NO);
	assert_int_equal(f.linger0, TRI_NO);
	assert_int_equal(f.goodbye, TRI_NO);
	assert_int_equal(f.peer_fin, TRI_NO);
	assert_int_equal(f.user_timeout_ms, 0);
	assert_int_equal(f.sock_err, 0);
}

/* REC_NEVER is no time of 198 days; times without data are seeds. */
static void test_times(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.sock.bytes_sent = r.sock.bytes_received = 9;
	f = raw_decode(&r);
	assert_int_equal(f.since_send_ms, NOT_KNOWN);
	assert_int_equal(f.since_receive_ms, NOT_KNOWN);
	assert_int_equal(f.since_ack_ms, NOT_KNOWN);
	assert_int_equal(f.since_request_ms, NOT_KNOWN);
	r.sock.since_send_jiffies = 100;
	r.sock.since_receive_jiffies = 25;
	r.sock.since_ack_jiffies = 0;
	f = raw_decode(&r);
	assert_int_equal(f.since_send_ms, 400);
	assert_int_equal(f.since_receive_ms, 100);
	assert_int_equal(f.since_ack_ms, 0);
	r.sock.bytes_sent = r.sock.bytes_received = 0;
	f = raw_decode(&r);
	assert_int_equal(f.since_send_ms, NOT_KNOWN);
	assert_int_equal(f.since_receive_ms, NOT_KNOWN);
	r.sock.bytes_received = 1; /* the FIN alone */
	r.sock.flags = SOCKF_DONE;
	assert_int_equal(raw_decode(&r).since_receive_ms, NOT_KNOWN);
}

/* A tick of 4 ms says 208 where the clock says that it began 205 ms ago. */
static void test_times_within_age(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.known |= KNOWN_BIRTH;
	r.established_ns = NOW - 205 * RAW_MS;
	r.sock.bytes_sent = r.sock.bytes_received = 9;
	r.sock.since_send_jiffies = r.sock.since_receive_jiffies = 52;
	r.sock.since_ack_jiffies = 51;
	f = raw_decode(&r);
	assert_int_equal(f.since_send_ms, 205);
	assert_int_equal(f.since_receive_ms, 205);
	assert_int_equal(f.since_ack_ms, 204);
	r.sock.since_ack_jiffies = REC_NEVER;
	assert_int_equal(raw_decode(&r).since_ack_ms, NOT_KNOWN);
}

static void test_request_time(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);

	(void)state;
	r.sock.bytes_sent = 10;
	r.sock.unacked = 10;
	r.sock.packets_out = 1;
	r.sock.since_busy_jiffies = 50;
	assert_int_equal(raw_decode(&r).since_request_ms, 200);
	r.sock.since_first_tx_us = 197999; /* finer, so better */
	assert_int_equal(raw_decode(&r).since_request_ms, 197);
	r.sock.since_first_tx_us = 150999; /* that of a retransmission */
	assert_int_equal(raw_decode(&r).since_request_ms, 200);
	r.sock.since_first_tx_us = 197999;
	r.sock.packets_out = 0;
	assert_int_equal(raw_decode(&r).since_request_ms, NOT_KNOWN);
	r.sock.packets_out = 1;
	r.sock.unacked = 0;
	assert_int_equal(raw_decode(&r).since_request_ms, NOT_KNOWN);
}

static void test_age(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);

	(void)state;
	r.established_ns = NOW - 1999 * RAW_MS;
	assert_int_equal(raw_decode(&r).age_ms, NOT_KNOWN); /* no KNOWN_BIRTH */
	r.known |= KNOWN_BIRTH;
	assert_int_equal(raw_decode(&r).age_ms, 1999);
	r.established_ns = NOW + 1;
	assert_int_equal(raw_decode(&r).age_ms, NOT_KNOWN);
}

static void test_peer_fin(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.peer_fin_ns = NOW - 30 * RAW_MS;
	f = raw_decode(&r);
	assert_int_equal(f.peer_fin, TRI_YES);
	assert_int_equal(f.peer_fin_before_ms, 30);
	r.peer_fin_ns = 0;
	r.sock.flags = SOCKF_DONE; /* it came while nobody watched */
	f = raw_decode(&r);
	assert_int_equal(f.peer_fin, TRI_YES);
	assert_int_equal(f.peer_fin_before_ms, NOT_KNOWN);
	r.sock.flags = 0;
	r.known = KNOWN_TUPLE;
	assert_int_equal(raw_decode(&r).peer_fin, TRI_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_kinds),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_tuple),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_socket_zeros),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_times_within_age),
		cmocka_unit_test(test_request_time),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_peer_fin),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
