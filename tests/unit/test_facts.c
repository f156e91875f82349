/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "user/base/base.h"
#include "user/observe/facts.h"

static void is_nobody(const struct fact_task *t)
{
	assert_int_equal(t->pid, NOT_KNOWN);
	assert_int_equal(t->tid, NOT_KNOWN);
	assert_int_equal(t->uid, NOT_KNOWN);
	assert_int_equal(t->exit_signal, NOT_KNOWN);
	assert_int_equal(t->exit_status, NOT_KNOWN);
	assert_string_equal(t->comm, "");
	assert_false(t->exiting);
	assert_false(t->oom_killed);
}

static void is_no_call(const struct fact_call *c)
{
	assert_false(c->known);
	assert_int_equal(c->errno_nr, NOT_KNOWN);
	assert_int_equal(c->delay_us, NOT_KNOWN);
	assert_string_equal(c->name, "");
}

static void is_not_closed(const struct fact_closed *c)
{
	assert_false(c->known);
	is_nobody(&c->task);
	is_no_call(&c->call);
	assert_int_equal(c->before_ms, NOT_KNOWN);
	assert_int_equal(c->age_ms, NOT_KNOWN);
	assert_int_equal(c->idle_ms, NOT_KNOWN);
	assert_int_equal(c->unread_bytes, NOT_KNOWN);
	assert_int_equal(c->event, NOT_KNOWN);
	assert_string_equal(c->did, "");
	assert_string_equal(c->cause, "");
}

static void filled(struct facts *f)
{
	memset(f, 0x5a, sizeof(*f));
	facts_init(f);
}

/* Every number whose 0 would be a statement. */
static const size_t numbers[] = {
#define AT(field) offsetof(struct facts, field)
	AT(netns),
	AT(age_ms),
	AT(idle_ms),
	AT(since_send_ms),
	AT(since_receive_ms),
	AT(since_ack_ms),
	AT(since_request_ms),
	AT(sent_bytes),
	AT(acked_bytes),
	AT(received_bytes),
	AT(unread_bytes),
	AT(unacked_bytes),
	AT(unsent_bytes),
	AT(sent_segments),
	AT(received_segments),
	AT(srtt_us),
	AT(retransmits),
	AT(total_retransmits),
	AT(probes_out),
	AT(peer_fin_before_ms),
	AT(user_timeout_ms),
	AT(keepalive_ms),
	AT(sock_err),
	AT(sock_err_soft),
	AT(first_out_bytes),
	AT(first_in_bytes),
	AT(rst_ttl),
	AT(handshake_ttl),
	AT(rst_window),
	AT(skb_bytes),
	AT(netfilter_us),
	AT(accept_backlog),
	AT(accept_max),
};

static void test_numbers(void **state)
{
	struct facts f;
	int64_t value;

	(void)state;
	filled(&f);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		memcpy(&value, (char *)&f + numbers[i], sizeof(value));
		if (value != NOT_KNOWN)
			fail_msg("number %zu is %lld", i, (long long)value);
	}
	assert_int_equal(f.state, NOT_KNOWN);
	assert_int_equal(f.shutdown, NOT_KNOWN);
	assert_int_equal(f.tls_alert, NOT_KNOWN);
	assert_int_equal(f.http_status, NOT_KNOWN);
	assert_int_equal(f.reason, NOT_KNOWN);
}

static void test_tri(void **state)
{
	struct facts f;

	(void)state;
	filled(&f);
	assert_int_equal(f.peer_fin, TRI_UNKNOWN);
	assert_int_equal(f.answered, TRI_UNKNOWN);
	assert_int_equal(f.goodbye, TRI_UNKNOWN);
	assert_int_equal(f.keepalive_on, TRI_UNKNOWN);
	assert_int_equal(f.linger0, TRI_UNKNOWN);
	assert_int_equal(f.listening, TRI_UNKNOWN);
	assert_int_equal(f.rst_ack, TRI_UNKNOWN);
	assert_int_equal(f.rst_ack_fits, TRI_UNKNOWN);
	assert_int_equal(f.rst_timestamps, TRI_UNKNOWN);
	assert_int_equal(f.peer_after_rst, TRI_UNKNOWN);
}

static void test_the_rest(void **state)
{
	struct facts f;

	(void)state;
	filled(&f);
	assert_int_equal(f.failure, 0);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.role, ROLE_UNKNOWN);
	assert_false(f.tuple_known);
	assert_false(f.sock_known);
	assert_false(f.labels_known);
	assert_false(f.packet_known);
	assert_false(f.skb_known);
	assert_false(f.rst_seq_ahead_known);
	assert_false(f.unsolicited);
	assert_false(f.again);
	assert_false(f.seeded);
	assert_string_equal(f.reason_name, "");
	is_nobody(&f.task);
	is_nobody(&f.owner);
	is_nobody(&f.told);
	is_no_call(&f.call);
	is_not_closed(&f.closer);
	is_not_closed(&f.other);
}

/* One that was used leaves nothing behind for the next. */
static void test_again(void **state)
{
	struct facts fresh, used;

	(void)state;
	filled(&fresh);
	filled(&used);
	used.owner.pid = 7;
	used.other.known = true;
	strcpy(used.reason_name, "TCP_STATE");
	facts_init(&used);
	assert_memory_equal(&fresh, &used, sizeof(fresh));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_tri),
		cmocka_unit_test(test_the_rest),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
