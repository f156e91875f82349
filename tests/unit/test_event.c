/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sample_event.h"
#include "user/store/event_pack.h"

static void test_names_lead_back(void **state)
{
	(void)state;
	for (int i = 0; i < KINDS; i++)
		assert_int_equal(kind_by_name(kind_name(i)), i);
	for (int i = 0; i < CALL_CLASSES; i++)
		assert_int_equal(call_class_by_name(call_class_name(i)), i);
	for (int i = 0; i < VIAS; i++)
		assert_int_equal(via_by_name(via_name(i)), i);
	for (int i = ROLE_UNKNOWN; i <= ROLE_SERVER; i++)
		assert_int_equal(role_by_name(role_name(i)), i);
	for (int i = 1; i <= 12; i++)
		assert_int_equal(tcp_state_by_name(tcp_state_name(i)), i);
	assert_int_equal(kind_by_name("Received"), -ENOENT);
	assert_int_equal(call_class_by_name(""), -ENOENT);
	assert_int_equal(tcp_state_by_name("FOO"), -ENOENT);
}

static void test_names_outside(void **state)
{
	(void)state;
	assert_string_equal(tcp_state_name(1), "ESTABLISHED");
	assert_string_equal(tcp_state_name(0), "UNKNOWN");
	assert_string_equal(tcp_state_name(99), "UNKNOWN");
	assert_string_equal(tcp_state_name(NOT_KNOWN), "UNKNOWN");
	assert_int_equal(tcp_state_by_name("UNKNOWN"), NOT_KNOWN);
	assert_non_null(kind_name(KINDS));
	assert_non_null(call_class_name(CALL_CLASSES));
	assert_non_null(via_name(VIAS));
}

static void test_init_knows_nothing(void **state)
{
	struct event ev;

	(void)state;
	memset(&ev, 0xaa, sizeof(ev));
	event_init(&ev);
	assert_int_equal(ev.count, 1);
	assert_int_equal(ev.idle_ms, NOT_KNOWN);
	assert_int_equal(ev.srtt_us, NOT_KNOWN);
	assert_int_equal(ev.syscall.errno_nr, NOT_KNOWN);
	assert_int_equal(ev.process.uid, NOT_KNOWN);
	assert_int_equal(ev.state, NOT_KNOWN);
	assert_false(ev.process.known || ev.syscall.known || ev.packet_known);
	assert_int_equal(ev.verdict.cause, CAUSE_UNKNOWN);
	assert_int_equal(ev.verdict.retry, RETRY_UNKNOWN);
}

static void turn(const struct event *ev)
{
	uint8_t bytes[EVENT_PACK_MAX];
	struct event back;
	int n = event_pack(ev, bytes, sizeof(bytes));

	assert_true(n > 0);
	assert_int_equal(event_unpack(&back, bytes, (size_t)n), 0);
	assert_memory_equal(&back, ev, sizeof(back));
}

static void test_pack_turn(void **state)
{
	struct event ev;

	(void)state;
	sample_bare(&ev, 1);
	turn(&ev);
	sample_full(&ev, INT64_MAX);
	turn(&ev);
	ev.seq_ahead = INT32_MIN;
	turn(&ev);
}

/* The largest event that can be fits EVENT_PACK_MAX. */
static void test_pack_largest(void **state)
{
	uint8_t bytes[EVENT_PACK_MAX];
	struct event ev;

	(void)state;
	sample_full(&ev, INT64_MAX);
	memset(ev.process.exe, 'x', sizeof(ev.process.exe) - 1);
	memset(ev.process.unit, 'x', sizeof(ev.process.unit) - 1);
	ev.verdict.evidences = VERDICT_EVIDENCE;
	ev.verdict.fixes = VERDICT_FIXES;
	for (int i = 0; i < VERDICT_EVIDENCE; i++)
		memset(ev.verdict.evidence[i].fact, 'e', VERDICT_TEXT - 1);
	for (int i = 0; i < VERDICT_FIXES; i++)
		memset(ev.verdict.fix[i], 'f', VERDICT_TEXT - 1);
	turn(&ev);
	assert_int_equal(event_pack(&ev, bytes, 1000), -ENOSPC);
	assert_int_equal(event_pack(&ev, bytes, 0), -ENOSPC);
}

static void test_pack_small(void **state)
{
	uint8_t bytes[EVENT_PACK_MAX];
	struct event ev;

	(void)state;
	sample_full(&ev, 1);
	assert_in_range(event_pack(&ev, bytes, sizeof(bytes)), 300, 900);
}

static void test_pack_refuses_nonsense(void **state)
{
	uint8_t bytes[EVENT_PACK_MAX];
	struct event ev;

	(void)state;
	sample_full(&ev, 1);
	ev.kind = (enum failure_kind)77;
	assert_int_equal(event_pack(&ev, bytes, sizeof(bytes)), -EINVAL);
	sample_full(&ev, 1);
	ev.verdict.retry = (enum retry)77;
	assert_int_equal(event_pack(&ev, bytes, sizeof(bytes)), -EINVAL);
}

/* Cut anywhere or with any byte changed: an answer, never a crash. */
static void test_unpack_damage(void **state)
{
	uint8_t bytes[EVENT_PACK_MAX], copy[EVENT_PACK_MAX];
	struct event ev, back;
	int n, refused = 0;

	(void)state;
	sample_full(&ev, 1);
	n = event_pack(&ev, bytes, sizeof(bytes));
	for (int i = 0; i < n; i++) {
		event_unpack(&back, bytes, (size_t)i);
		for (int bit = 0; bit < 8; bit++) {
			memcpy(copy, bytes, (size_t)n);
			copy[i] ^= (uint8_t)(1 << bit);
			refused += event_unpack(&back, copy, (size_t)n) != 0;
		}
	}
	assert_true(refused > n / 4);
	assert_int_equal(event_unpack(&back, bytes, 0), -EBADMSG);
	bytes[0] = 9;
	assert_int_equal(event_unpack(&back, bytes, (size_t)n), -EBADMSG);
}

/* A field of a later version is passed over. */
static void test_unpack_unknown_tag(void **state)
{
	uint8_t bytes[EVENT_PACK_MAX];
	struct event ev, back;
	int n;

	(void)state;
	sample_full(&ev, 1);
	n = event_pack(&ev, bytes, sizeof(bytes));
	memcpy(bytes + n, "\xf1\x01\x03xyz", 6); /* tag 120, three bytes */
	assert_int_equal(event_unpack(&back, bytes, (size_t)n + 6), 0);
	assert_memory_equal(&back, &ev, sizeof(ev));
}

int main(void)
{
	const struct CMUnitTest event[] = {
		cmocka_unit_test(test_names_lead_back),
		cmocka_unit_test(test_names_outside),
		cmocka_unit_test(test_init_knows_nothing),
		cmocka_unit_test(test_pack_turn),
		cmocka_unit_test(test_pack_largest),
		cmocka_unit_test(test_pack_small),
		cmocka_unit_test(test_pack_refuses_nonsense),
		cmocka_unit_test(test_unpack_damage),
		cmocka_unit_test(test_unpack_unknown_tag),
	};

	return cmocka_run_group_tests(event, NULL, NULL);
}
