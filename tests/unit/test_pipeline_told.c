/* SPDX-License-Identifier: Apache-2.0 */
/* Who was told of a failure, or closed its socket: at once or hours later. */
#include "tests/unit/raw_pipeline.h"

#define NOW RAW_START_NS

/* An idle pooled socket: hours later somebody reads it. */
static void test_told_late(void **state)
{
	struct line *l = line_new();
	const struct event *ev;
	struct event before;

	(void)state;
	line_received(l, 1, NOW);
	line_settle(l);
	assert_int_equal(l->n, 1);
	before = *line_event(l, 1);
	assert_false(before.syscall.known);
	assert_int_equal(before.process.via, VIA_OWNER);
	line_told(l, 1, NOW + 7200 * NSEC_PER_SEC, -ECONNRESET);
	assert_int_equal(l->n, 1); /* the same event, amended */
	assert_int_equal(l->calls, 2);
	assert_int_equal(l->counted, 1);
	ev = line_event(l, 1);
	assert_string_equal(ev->syscall.name, "recvfrom");
	assert_int_equal(ev->syscall.errno_nr, ECONNRESET);
	assert_int_equal(ev->syscall.delay_us, 7200 * USEC_PER_SEC);
	assert_int_equal(ev->process.via, VIA_SYSCALL);
	assert_int_equal(ev->time_us, before.time_us);
	assert_int_equal(line_stats(l).amended, 1);
	line_free(l);
}

static void test_told_once(void **state)
{
	struct line *l = line_new();
	struct rec_told second = raw_told(1, NOW + 9 * RAW_MS, NOW, -EPIPE);

	(void)state;
	line_received(l, 1, NOW);
	line_told(l, 1, NOW + 2 * RAW_MS, -ECONNRESET);
	second.sending = 1;
	line_feed(l, second); /* EPIPE after ECONNRESET tells nothing new */
	line_settle(l);
	line_feed(l, second);
	assert_int_equal(l->calls, 1);
	assert_int_equal(line_event(l, 1)->syscall.errno_nr, ECONNRESET);
	line_free(l);
}

/* EOF first, the error with the next call. */
static void test_told_eof_then_error(void **state)
{
	struct line *l = line_new();
	struct rec_told t = raw_told(1, NOW + 9 * RAW_MS, NOW, -EPIPE);

	(void)state;
	line_received(l, 1, NOW);
	line_told(l, 1, NOW + RAW_MS, 0);
	line_settle(l);
	assert_int_equal(line_event(l, 1)->syscall.errno_nr, NOT_KNOWN);
	assert_int_equal(line_event(l, 1)->syscall.delay_us, 1000);
	t.sending = 1;
	line_feed(l, t);
	assert_int_equal(line_event(l, 1)->syscall.errno_nr, EPIPE);
	assert_int_equal(line_event(l, 1)->syscall.class, CALL_WRITE);
	line_free(l);
}

static void test_told_odd(void **state)
{
	struct line *l = line_new();

	(void)state;
	line_told(l, 99, NOW, -ECONNRESET); /* of a failure never seen */
	line_closed(l, 98, NOW);
	assert_int_equal(line_stats(l).join.unmatched, 2);
	line_received(l, 1, NOW);
	line_told(l, 1, NOW - 1, INT32_MIN); /* no such errno, nor time */
	line_settle(l);
	assert_int_equal(line_event(l, 1)->syscall.errno_nr, 2147483648);
	assert_int_equal(line_event(l, 1)->syscall.delay_us, NOT_KNOWN);
	line_free(l);
}

static void test_closed_gives_owner(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = raw_received(1, NOW);

	(void)state;
	r.known &= ~KNOWN_OWNER;
	line_feed(l, r);
	line_settle(l);
	assert_false(line_event(l, 1)->process.known);
	line_closed(l, 1, NOW + 300 * RAW_MS);
	assert_int_equal(l->n, 1);
	assert_int_equal(line_event(l, 1)->process.pid, RAW_CLIENT_PID);
	assert_int_equal(line_event(l, 1)->process.via, VIA_OWNER);
	assert_false(line_event(l, 1)->syscall.known);
	line_free(l);
}

/* Whoever closes what another was told of is not the one. */
static void test_closed_by_another(void **state)
{
	struct line *l = line_new();
	struct rec_told t = raw_closed(1, NOW + 2 * RAW_MS);

	(void)state;
	t.task = raw_server(HOW_CURRENT, "close");
	line_received(l, 1, NOW);
	line_told(l, 1, NOW + RAW_MS, -ECONNRESET);
	line_feed(l, t);
	line_settle(l);
	assert_int_equal(line_event(l, 1)->process.pid, RAW_CLIENT_PID);
	line_feed(l, t); /* nor is there anything to amend */
	assert_int_equal(l->calls, 1);
	line_free(l);
}

static void test_refused(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = raw_received(1, NOW);

	(void)state;
	r.state = TCP_SYN_SENT;
	line_feed(l, r);
	line_closed(l, 1, NOW + RAW_MS);
	line_settle(l);
	assert_int_equal(l->calls, 1);
	assert_int_equal(line_event(l, 1)->kind, KIND_REFUSED);
	assert_string_equal(line_event(l, 1)->syscall.name, "connect");
	assert_int_equal(line_event(l, 1)->syscall.errno_nr, ECONNREFUSED);
	assert_int_equal(line_event(l, 1)->process.via, VIA_SYSCALL);
	line_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told_late),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_told_eof_then_error),
		cmocka_unit_test(test_told_odd),
		cmocka_unit_test(test_closed_gives_owner),
		cmocka_unit_test(test_closed_by_another),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("pipeline_told", tests, NULL, NULL);
}
