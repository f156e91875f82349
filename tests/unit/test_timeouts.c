/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/explain/engine.h"
#include "user/explain/timeouts.h"

#define IDLE	(1u << MEASURE_IDLE)
#define ANY_END (~0u)

static int setup(void **state)
{
	*state = timeouts_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	timeouts_free(*state);
	return 0;
}

static int add(struct timeouts *t, const char *text, char err[128])
{
	err[0] = '\0';
	return timeouts_add_text(t, text, strlen(text), "mine", err, 128);
}

static void test_builtin(void **state)
{
	struct timeout_match m =
		timeouts_match(*state, 6.002, IDLE, ANY_END, 3000);

	assert_true(timeouts_count(*state) > 80);
	assert_non_null(m.row);
	assert_int_equal(strncmp(m.row->component, "Node.js", 7), 0);
	assert_true(m.score > 0.9);
	assert_null(timeouts_row(*state, timeouts_count(*state)));
}

static void test_range_and_tolerance(void **state)
{
	struct timeouts *t = *state;
	unsigned int header = 1u << MEASURE_HEADER;

	assert_non_null(timeouts_match(t, 75.2, header, ANY_END, 3000).row);
	assert_null(timeouts_match(t, 47, IDLE, ANY_END, 0).row);
	/* early is no timer; late is a coarse one */
	assert_null(timeouts_match(t, 5.8, IDLE, ANY_END, 3000).row);
	assert_non_null(timeouts_match(t, 5.2, IDLE, ANY_END, 80).row);
	assert_null(timeouts_match(t, 6.0, IDLE, 1u << END_RST, 3000).row);
}

static void test_port_ranks(void **state)
{
	struct timeout_match web =
		timeouts_match(*state, 60, IDLE, ANY_END, 443);
	struct timeout_match db =
		timeouts_match(*state, 28800, IDLE, ANY_END, 3306);

	assert_true(timeout_row_has_port(web.row, 443));
	assert_true(timeout_row_has_port(db.row, 3306));
	assert_false(timeout_row_has_port(db.row, 443));
}

static void test_memory_weighs_little(void **state)
{
	/* 1800 s on port 3306 was read; elsewhere only a guess is left or a
	 * pool's row; a row from memory alone never reaches a match */
	struct timeout_match m =
		timeouts_match(*state, 1800, IDLE, 1u << END_SILENT, 22);

	assert_non_null(m.row);
	assert_int_equal(m.row->checked, CHECKED_MEMORY);
	assert_true(m.score < 0.5);
}

static void test_user_rows_win(void **state)
{
	char err[128];
	struct timeout_match m;

	assert_int_equal(add(*state,
			     "# ours\n"
			     "seconds\tcomponent\tsetting\tmeasures\tends\t"
			     "ports\tchecked\n"
			     "\n"
			     "6\tour balancer\tidle\tidle\tfin\t3000\n"
			     "90.5\tour firewall\t\tidle\tsilent+rst\t\tuser",
			     err),
			 0);
	m = timeouts_match(*state, 6, IDLE, ANY_END, 3000);
	assert_string_equal(m.row->component, "our balancer");
	assert_int_equal(m.row->checked, CHECKED_USER);
	m = timeouts_match(*state, 90.6, IDLE, 1u << END_SILENT_RST, 9);
	assert_string_equal(m.row->component, "our firewall");
}

static void test_errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{"1\tx\ty\tidle\tfin\n", "mine:1: seven columns"},
		{"#\n\n-1\tx\ty\tidle\tfin\t\tread\n", "mine:3: seconds"},
		{"5-4\tx\ty\tidle\tfin\t\tread\n", "mine:1: seconds: LOW"},
		{"5x\tx\ty\tidle\tfin\t\tread\n", "mine:1: seconds"},
		{"nan\tx\ty\tidle\tfin\t\tread\n", "mine:1: seconds"},
		{"1e999\tx\ty\tidle\tfin\t\tread\n", "mine:1: seconds"},
		{"5\t\ty\tidle\tfin\t\tread\n", "mine:1: component"},
		{"5\tx\ty\tsleep\tfin\t\tread\n", "mine:1: measures"},
		{"5\tx\ty\tidle\tbang\t\tread\n", "mine:1: ends"},
		{"5\tx\ty\tidle\tfin\t0\tread\n", "mine:1: ports"},
		{"5\tx\ty\tidle\tfin\t1,2,3,4,5\tread\n",
		 "mine:1: ports: at most"},
		{"5\tx\ty\tidle\tfin\t\thearsay\n", "mine:1: checked"},
		{"5\tx\ty\tidle\tfin\t\tread\tmore\n", "mine:1: more than"},
	};
	size_t before = timeouts_count(*state);
	char err[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(add(*state, bad[i].text, err), -EINVAL);
		if (strncmp(err, bad[i].want, strlen(bad[i].want)) != 0)
			fail_msg("\"%s\" for \"%s\"", err, bad[i].text);
		assert_int_equal(timeouts_count(*state), before);
	}
}

static void test_one_bad_row_adds_none(void **state)
{
	size_t before = timeouts_count(*state);
	char err[128];

	assert_int_equal(add(*state, "5\tx\ty\tidle\tfin\t\tread\n5\tx\n", err),
			 -EINVAL);
	assert_int_equal(timeouts_count(*state), before);
}

static void test_file(void **state)
{
	char path[] = "/tmp/rstscope-timeouts-XXXXXX", err[256] = "";
	struct engine *e = engine_new();
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "7\tx\n", 4), 4);
	close(fd);
	assert_int_equal(engine_add_timeouts(e, path, err, sizeof(err)),
			 -EINVAL);
	assert_int_equal(strncmp(err, path, strlen(path)), 0);
	assert_non_null(strstr(err, ":1: "));
	unlink(path);
	assert_int_equal(engine_add_timeouts(e, path, err, sizeof(err)),
			 -ENOENT);
	engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_builtin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_range_and_tolerance, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_port_ranks, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_memory_weighs_little,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_rows_win, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_errors_name_the_line,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_bad_row_adds_none,
						setup, teardown),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests_name("timeouts", tests, NULL, NULL);
}
