/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli_case.h"

static void every_cause_is_listed_and_told(void **state)
{
	struct cli_case *c = *state;
	char args[64];

	for (int i = 0; i < CAUSES; i++) {
		assert_int_equal(case_run(c, "causes"), 0);
		assert_has(c->out, cause_name(i));
		snprintf(args, sizeof(args), "causes %s", cause_name(i));
		assert_int_equal(case_run(c, args), 0);
		assert_has(c->out, cause_name(i));
		assert_true(lines_of(c->out) >= 2);
	}
	assert_int_equal(case_run(c, "causes"), 0);
	assert_int_equal(lines_of(c->out), CAUSES + 1);
}

static void json(void **state)
{
	struct cli_case *c = *state;
	char *line, *rest;
	size_t n = 0;

	assert_int_equal(case_run(c, "causes --json"), 0);
	rest = c->out;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *cause = json_loads(line, 0, NULL);

		assert_non_null(cause);
		assert_string_equal(
			json_string_value(json_object_get(cause, "name")),
			cause_name(n++));
		assert_true(json_is_array(json_object_get(cause, "kinds")));
		json_decref(cause);
	}
	assert_int_equal(n, CAUSES);
}

static void unknown_names(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(case_run(c, "causes stale_keepalve"), -EINVAL);
	assert_has(c->err, "did you mean stale_keepalive?");
	assert_int_equal(case_run(c, "causes xyzzy"), -EINVAL);
	assert_has(c->err, "rstscope causes lists them");
	assert_int_equal(case_run(c, "causes a b"), -EINVAL);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_cause_is_listed_and_told),
		CASE(json),
		CASE(unknown_names),
	};

	return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
