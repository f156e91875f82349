/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "tests/unit/cli_case.h"

static void rest_ms(int ms)
{
	usleep(ms * 1000);
}

/* The daemon: an event, then what its reader was told; another one; the end. */
static void *daemon_thread(void *ctx)
{
	struct cli_case *c = ctx;
	struct event ev = case_event(7, 0);

	rest_ms(100);
	ev.time_us = clock_unix_us();
	ev.syscall.known = false;
	ev.verdict.cause = CAUSE_UNKNOWN;
	case_put(c, &ev);
	rest_ms(100);
	ev.syscall.known = true;
	ev.verdict.cause = CAUSE_LINGER_ZERO;
	case_put(c, &ev);
	ev = case_event(8, 0);
	ev.time_us = clock_unix_us();
	ev.process.known = false; /* nobody will ever be told of it */
	case_put(c, &ev);
	ev = case_event(9, 0);
	ev.time_us = clock_unix_us();
	ev.verdict.benign = true;
	case_put(c, &ev);
	rest_ms(1200);
	c->stop = 1;
	return NULL;
}

static void run_beside(struct cli_case *c, const char *args)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, daemon_thread, c), 0);
	assert_int_equal(case_run(c, args), 0);
	pthread_join(thread, NULL);
}

static void events_are_shown_once_and_complete(void **state)
{
	struct cli_case *c = *state;
	struct event old = case_event(1, 0);

	old.time_us = clock_unix_us() - 60 * USEC_PER_SEC;
	case_put(c, &old);
	run_beside(c, "tail -o id,process,failure,cause");
	assert_string_equal(
		c->out, "   ID PROCESS        FAILURE            CAUSE\n"
			"    7 node[1234]     read ECONNRESET    linger_zero\n"
			"    8 -              read ECONNRESET    "
			"stale_keepalive\n");
}

static void since_shows_what_there_is(void **state)
{
	struct cli_case *c = *state;
	struct event old = case_event(1, 3000), older = case_event(2, 7200);

	case_put(c, &old);
	case_put(c, &older);
	run_beside(c, "tail --since 1h -o id --process node");
	assert_string_equal(c->out, "   ID\n    1\n    7\n");
}

/* What was not read when it appeared is still judged by what it became. */
static void filter_asks_the_settled_event(void **state)
{
	struct cli_case *c = *state;

	run_beside(c, "tail -o id --cause linger_zero --benign");
	assert_string_equal(c->out, "   ID\n    7\n");
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(events_are_shown_once_and_complete),
		CASE(since_shows_what_there_is),
		CASE(filter_asks_the_settled_event),
	};

	return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
