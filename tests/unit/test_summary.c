/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli_case.h"

static void put_some(struct cli_case *c)
{
	for (int i = 1; i <= 10; i++) {
		struct event ev = case_event(i, 1000 - i);

		ev.idle_ms = i <= 4 ? 5000 + i : NOT_KNOWN;
		if (i > 6) {
			ev.verdict.cause = CAUSE_RATE_LIMIT;
			strcpy(ev.process.comm, "curl");
			ev.idle_ms = 1000 << i; /* no two alike */
		}
		if (i == 10)
			ev.count = 30;
		case_put(c, &ev);
	}
}

static void counts_shares_and_clusters(void **state)
{
	struct cli_case *c = *state;
	const char *stale;

	put_some(c);
	assert_int_equal(case_run(c, "summary"), 0);
	assert_int_equal(lines_of(c->out), 3);
	/* folded ones count: 33 and 6 of 39 in an hour */
	assert_has(c->out,
		   "\nrate_limit         33 84.6% 33.0/h             - ");
	stale = strstr(c->out, "\nstale_keepalive");
	assert_non_null(stale);
	assert_has(stale, " 6 15.4%  6.0/h 5.00 s (100%) ");
}

static void several_keys(void **state)
{
	struct cli_case *c = *state;

	put_some(c);
	assert_int_equal(case_run(c, "summary --by process,port,cause"), 0);
	assert_has(c->out, "PROCESS PORT CAUSE");
	assert_has(c->out, "\ncurl    3000 rate_limit ");
	assert_int_equal(case_run(c, "summary --by hour --utc"), 0);
	assert_has(c->out, "\n2026-11-24T05:00Z ");
	assert_int_equal(case_run(c, "summary --by cause --top 1"), 0);
	assert_int_equal(lines_of(c->out), 2);
}

static void json_has_one_object_per_group(void **state)
{
	struct cli_case *c = *state;
	json_t *json;
	char *line, *rest;

	put_some(c);
	assert_int_equal(case_run(c, "summary --json --by cause,unit"), 0);
	rest = c->out;
	line = strsep(&rest, "\n");
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "count")),
			 33);
	assert_int_equal(json_integer_value(json_object_get(json, "events")),
			 4);
	assert_true(json_is_null(json_object_get(json, "idle")));
	assert_true(json_is_null(
		json_object_get(json_object_get(json, "group"), "unit")));
	json_decref(json);
	line = strsep(&rest, "\n");
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(json, "idle"), "events")),
			 4);
	json_decref(json);
	assert_string_equal(rest, "");
}

static void wrong_keys(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(case_run(c, "summary --by proces"), -EINVAL);
	assert_has(c->err, "no key 'proces' (did you mean process?)");
	assert_int_equal(case_run(c, "summary --by cause,"), -EINVAL);
	assert_int_equal(
		case_run(c, "summary --by host,host,host,host,host,host,host"),
		-EINVAL);
	assert_has(c->err, "more than 6 keys");
	assert_int_equal(case_run(c, "summary --top 0"), -EINVAL);
	assert_int_equal(case_run(c, "summary"), 0);
	assert_string_equal(c->out, "");
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(counts_shares_and_clusters),
		CASE(several_keys),
		CASE(json_has_one_object_per_group),
		CASE(wrong_keys),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
