/* SPDX-License-Identifier: Apache-2.0 */
/* What top shows, without a screen; the screen is in tests/top. */
#include "tests/unit/cli_case.h"
#include "user/cli/top_model.h"

#define MINUTE 60

static struct top_rows rows_of(const struct top_model *m,
			       const struct top_view *view)
{
	struct top_rows rows;

	assert_int_equal(top_make_rows(m, view, &rows), 0);
	return rows;
}

static struct top_model *model_of(struct cli_case *c)
{
	struct top_model *m;
	struct filter f;

	c->cli.show.now_us = CASE_NOW_US;
	filter_init(&f);
	f.since_us = CASE_NOW_US - 3600 * USEC_PER_SEC;
	assert_int_equal(top_new(&m, &c->cli, &f), 0);
	return m;
}

static void refresh(struct cli_case *c, struct top_model *m, int64_t later)
{
	char err[256] = "";

	/* The pipe of case_run() is not there. */
	c->cli.out = stdout;
	c->cli.stop = &c->stop;
	assert_int_equal(top_refresh(m, c->store,
				     CASE_NOW_US + later * USEC_PER_SEC, err,
				     sizeof(err)),
			 0);
}

static void put(struct cli_case *c, int64_t id, int64_t ago, enum cause cause)
{
	struct event ev = case_event(id, ago);

	ev.verdict.cause = cause;
	case_put(c, &ev);
}

static void new_ones_are_marked(void **state)
{
	struct cli_case *c = *state;

	put(c, 1, 50 * MINUTE, CAUSE_RATE_LIMIT);
	put(c, 2, 1 * MINUTE, CAUSE_RATE_LIMIT);
	put(c, 3, 10 * MINUTE, CAUSE_LINGER_ZERO);	/* just not */
	put(c, 4, 10 * MINUTE - 1, CAUSE_SERVER_CRASH); /* just so */
	assert_int_equal(case_run(c, "top --once"), 0);
	assert_int_equal(lines_of(c->out), 4);
	assert_has(c->out, "\nnew server_crash ");
	assert_has(c->out, "\n-   rate_limit ");
	assert_has(c->out, "\n-   linger_zero ");
	/* Of a quarter of an hour, the last quarter is what is new. */
	assert_int_equal(case_run(c, "top --once --since 12m"), 0);
	assert_has(c->out, "\n-   server_crash ");
	assert_has(c->out, "\nnew rate_limit ");
}

static void frames(void **state)
{
	struct cli_case *c = *state;

	for (int i = 0; i < 6; i++)
		put(c, 1 + i, 5 + i, CAUSE_RATE_LIMIT);
	for (int i = 0; i < 2; i++)
		put(c, 11 + i, 30 * MINUTE, CAUSE_LINGER_ZERO);
	assert_int_equal(case_run(c, "top"), 0);
	assert_has(c->out, "NEW CAUSE       COUNT    RATE SHARE OF-CONNS ");
	assert_has(c->out, "\nnew rate_limit      6 6.0/min 75.0%        -");
	assert_has(c->out, "\n-   linger_zero     2       - 25.0%        -");
	assert_int_equal(case_run(c, "top --json --by port"), 0);
	assert_has(c->out, "{\"group\":{\"port\":\"3000\"},\"count\":8,"
			   "\"share\":1.0,\"rate_per_second\":0.1,");
	assert_has(c->out, "\"newest\":1}");
	assert_int_equal(case_run(c, "top --by proces"), -EINVAL);
	assert_has(c->err, "did you mean process?");
	assert_int_equal(case_run(c, "top --by xyz"), -EINVAL);
}

/* 1 + 600 in two minutes: spread over them, and over the rate's one. */
static void folded_ones_are_spread(void **state)
{
	struct cli_case *c = *state;
	struct top_view view = {0};
	struct event ev = case_event(1, 120);
	struct top_model *m;
	struct top_rows rows;

	ev.count = 600;
	ev.last_time_us = CASE_NOW_US;
	case_put(c, &ev);
	m = model_of(c);
	refresh(c, m, 0);
	rows = rows_of(m, &view);
	assert_int_equal(rows.n, 1);
	assert_int_equal(rows.total, 600);
	assert_float_equal(rows.row[0].spark[TOP_SPARKS - 1], 300, 0.01);
	assert_float_equal(rows.row[0].spark[TOP_SPARKS - 2], 300, 0.01);
	assert_float_equal(rows.row[0].spark[0], 0, 0.01);
	assert_float_equal(rows.row[0].per_second, 5, 0.01);
	free(rows.row);
	top_free(m);
}

/* Young events change in place; old ones leave the window. */
static void moves_on(void **state)
{
	struct cli_case *c = *state;
	struct top_view view = {0};
	struct event ev = case_event(2, 5);
	struct top_model *m = model_of(c);
	struct top_rows rows;

	put(c, 1, 3590, CAUSE_LINGER_ZERO);
	case_put(c, &ev);
	refresh(c, m, 0);
	rows = rows_of(m, &view);
	assert_int_equal(rows.n, 2);
	free(rows.row);
	ev.count = 40;
	ev.verdict.cause = CAUSE_SERVER_CRASH;
	case_put(c, &ev);
	put(c, 3, -15, CAUSE_SERVER_CRASH);
	refresh(c, m, 20);
	rows = rows_of(m, &view);
	assert_int_equal(rows.n, 1);
	assert_string_equal(rows.row[0].name, "server_crash");
	assert_int_equal(rows.row[0].count, 41);
	assert_int_equal(rows.row[0].newest_id, 3);
	free(rows.row);
	/* All is read again now and then; nothing counts twice. */
	for (int64_t later = 21; later < 200; later += 10)
		refresh(c, m, later);
	rows = rows_of(m, &view);
	assert_int_equal(rows.total, 41);
	free(rows.row);
	refresh(c, m, 3700);
	rows = rows_of(m, &view);
	assert_int_equal(rows.n, 0);
	free(rows.row);
	top_free(m);
}

static void orders(void **state)
{
	struct cli_case *c = *state;
	static const struct {
		enum top_sort sort;
		const char *first;
	} want[] = {
		{TOP_BY_RATE, "server_crash"},
		{TOP_BY_COUNT, "rate_limit"},
		{TOP_BY_LAST, "server_crash"},
		{TOP_BY_NAME, "linger_zero"},
	};
	struct top_view view = {0};
	struct top_model *m = model_of(c);
	struct top_rows rows;

	for (int i = 0; i < 5; i++)
		put(c, 1 + i, 600, CAUSE_RATE_LIMIT);
	put(c, 10, 900, CAUSE_LINGER_ZERO);
	put(c, 11, 10, CAUSE_SERVER_CRASH);
	refresh(c, m, 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		view.sort = want[i].sort;
		rows = rows_of(m, &view);
		assert_int_equal(rows.n, 3);
		assert_string_equal(rows.row[0].name, want[i].first);
		free(rows.row);
	}
	strcpy(view.find, "LINGER");
	rows = rows_of(m, &view);
	assert_int_equal(rows.n, 1);
	assert_int_equal(rows.total, 7);
	free(rows.row);
	top_free(m);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(new_ones_are_marked),
		CASE(frames),
		CASE(folded_ones_are_spread),
		CASE(moves_on),
		CASE(orders),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
