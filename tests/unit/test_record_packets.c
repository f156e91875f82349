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

/* --- labels, packets ------------------------------------------------------ */

static void test_labels(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.first_out = LABEL_TLS;
	r.first_out_len = r.first_in_len = 517;
	r.tls = TLS_HELLO_OUT;
	r.tls_alert = 40 + 1;
	r.http_status = 503;
	f = raw_decode(&r);
	assert_false(f.labels_known);
	assert_int_equal(f.http_status, NOT_KNOWN);
	r.known |= KNOWN_LABELS;
	f = raw_decode(&r);
	assert_int_equal(f.first_out, LABEL_TLS);
	assert_int_equal(f.first_in, LABEL_NONE);
	assert_int_equal(f.first_out_bytes, 517);
	assert_int_equal(f.first_in_bytes, NOT_KNOWN);
	assert_int_equal(f.tls, TLS_HELLO_OUT);
	assert_int_equal(f.tls_alert, 40);
	assert_int_equal(f.http_status, 503);
	r.tls_alert = 1;     /* close_notify is 0 */
	r.first_in = LABELS; /* of a newer probe */
	f = raw_decode(&r);
	assert_int_equal(f.tls_alert, 0);
	assert_int_equal(f.first_in, LABEL_OTHER);
}

static void test_answered(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);

	(void)state;
	r.answered = 1;
	assert_int_equal(raw_decode(&r).answered, TRI_UNKNOWN);
	r.known |= KNOWN_ASKED;
	assert_int_equal(raw_decode(&r).answered, TRI_YES);
	r.answered = 0;
	assert_int_equal(raw_decode(&r).answered, TRI_NO);
}

static void test_packets(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.rst_ttl = 57;
	r.rst_flags = TH_RST | TH_ACK;
	r.rst_window = 512;
	r.rst_seq_ahead = -7;
	r.handshake_ttl = 64;
	r.rst_timestamps = 1;
	r.netfilter_us = 12;
	r.known |= KNOWN_PACKET | KNOWN_HANDSHAKE_TTL | KNOWN_NETFILTER |
		   KNOWN_RST_OPTIONS;
	f = raw_decode(&r);
	assert_true(f.packet_known);
	assert_int_equal(f.rst_ttl, 57);
	assert_int_equal(f.rst_ack, TRI_YES);
	assert_int_equal(f.rst_window, 512);
	assert_true(f.rst_seq_ahead_known);
	assert_int_equal(f.rst_seq_ahead, -7);
	assert_int_equal(f.handshake_ttl, 64);
	assert_int_equal(f.rst_timestamps, TRI_YES);
	assert_int_equal(f.netfilter_us, 12);
	r.rst_flags = TH_RST;
	r.rst_timestamps = 0;
	f = raw_decode(&r);
	assert_int_equal(f.rst_ack, TRI_NO);
	assert_int_equal(f.rst_timestamps, TRI_NO);
}

/* The RST against where our end stood: 100 bytes sent and not acknowledged. */
static void test_packet_numbers(void **state)
{
	static const struct {
		int32_t ack_ahead;
		enum tri fits;
	} acks[] = {
		{-1, TRI_NO},
		{0, TRI_YES},
		{100, TRI_YES},
		{101, TRI_NO},
	};
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);

	(void)state;
	r.known |= KNOWN_PACKET | KNOWN_SOCK;
	r.rst_flags = TH_RST | TH_ACK;
	r.sock.unacked = 100;
	for (size_t i = 0; i < sizeof(acks) / sizeof(acks[0]); i++) {
		r.rst_ack_ahead = acks[i].ack_ahead;
		assert_int_equal(raw_decode(&r).rst_ack_fits, acks[i].fits);
	}
	r.rst_flags = TH_RST; /* no ACK in it */
	assert_int_equal(raw_decode(&r).rst_ack_fits, TRI_UNKNOWN);
	r.state = TCP_SYN_SENT;
	assert_false(raw_decode(&r).rst_seq_ahead_known);
}

static void test_segment_and_reason(void **state)
{
	struct rec_failure r = raw_failure(REC_SENT, 1, NOW);
	struct facts f;

	(void)state;
	r.skb_len = 3;
	r.skb_flags = TH_SYN;
	r.reason = RAW_STATE;
	f = raw_decode(&r);
	assert_false(f.skb_known);
	assert_int_equal(f.reason, NOT_KNOWN);
	r.known |= KNOWN_SKB | KNOWN_REASON;
	f = raw_decode(&r);
	assert_true(f.skb_known);
	assert_int_equal(f.skb_bytes, 3);
	assert_int_equal(f.skb_flags, TH_SYN);
	assert_int_equal(f.reason, RAW_STATE);
	assert_string_equal(f.reason_name, "TCP_STATE");
	r.reason = 200; /* of a newer kernel */
	f = raw_decode(&r);
	assert_int_equal(f.reason, 200);
	assert_string_equal(f.reason_name, "");
}

static void test_listener(void **state)
{
	struct rec_failure r = raw_failure(REC_SENT, 1, NOW);
	struct facts f;

	(void)state;
	r.known = KNOWN_TUPLE | KNOWN_LISTENER;
	f = raw_decode(&r);
	assert_int_equal(f.listening, TRI_YES);
	assert_int_equal(f.accept_max, NOT_KNOWN);
	r.known = KNOWN_TUPLE;
	r.sock.flags = SOCKF_LISTENER;
	r.sock.accept_backlog = 6;
	r.sock.accept_max = 5;
	f = raw_decode(&r);
	assert_int_equal(f.listening, TRI_YES);
	assert_int_equal(f.accept_backlog, 6);
	assert_int_equal(f.accept_max, 5);
	assert_false(f.sock_known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_answered),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_packet_numbers),
		cmocka_unit_test(test_segment_and_reason),
		cmocka_unit_test(test_listener),
	};

	return cmocka_run_group_tests_name("record_packets", tests, NULL, NULL);
}
