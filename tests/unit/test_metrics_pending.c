/* SPDX-License-Identifier: Apache-2.0 */
/* A failure is counted once, when its verdict is final. */
#include "metrics_case.h"

#define UNCLEAR                                                                \
	"rstscope_resets_total{direction=\"received\","                        \
	"cause=\"peer_closed_unread\",blame=\"unknown\"}"
#define PROCESS                                                                \
	"rstscope_process_failures_total{process=\"node\",kind=\"received\","  \
	"syscall="

static double sample_now(struct metrics *m, const char *series)
{
	char *text = render(m, METRICS_TEXT);
	double value = sample_in(text, series);

	free(text);
	return value;
}

static struct event unclear_event(int64_t id)
{
	struct event ev = reset_event("node");

	ev.id = id;
	ev.syscall.known = false;
	ev.verdict.cause = CAUSE_PEER_CLOSED_UNREAD;
	ev.verdict.blame = BLAME_UNKNOWN;
	ev.verdict.confidence = 0.5;
	return ev;
}

/* A cause is counted once, under its last name, with the call that came. */
static void test_amended_before_it_is_final(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = unclear_event(7), told = reset_event("node");

	(void)state;
	metrics_advance(m, NSEC_PER_SEC);
	metrics_count(m, &ev, 1);
	metrics_count_folded(m, &ev, 4);
	metrics_advance(m, 30 * NSEC_PER_SEC);
	assert_true(sample_now(m, "rstscope_failures_pending") == 5);
	assert_true(sample_now(m, UNCLEAR) == 0);
	told.id = 7;
	told.verdict.confidence = 0.8;
	metrics_count(m, &told, 0);
	assert_true(sample_now(m, STALE) == 0);
	metrics_advance(m, 33 * NSEC_PER_SEC);
	assert_true(sample_now(m, STALE) == 5);
	assert_true(sample_now(m, UNCLEAR) == 0);
	assert_true(sample_now(m, PROCESS "\"read\"}") == 5);
	assert_true(sample_now(m, PROCESS "\"none\"}") == -1);
	assert_true(sample_now(m, "rstscope_failures_pending") == 0);
	assert_true(sample_now(m, "rstscope_verdicts_changed_total") == 0);
	metrics_free(m);
}

/* The daemon's first failures come before it has told the time. */
static void test_unclear_right_after_the_start(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = unclear_event(7);

	(void)state;
	metrics_count(m, &ev, 1);
	metrics_advance(m, clock_mono_ns());
	assert_true(sample_now(m, UNCLEAR) == 0);
	assert_true(sample_now(m, "rstscope_failures_pending") == 1);
	metrics_free(m);
}

static void test_a_sure_verdict_is_counted_at_once(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = unclear_event(7), sure = reset_event("node");

	(void)state;
	sure.id = 8;
	sure.verdict.confidence = 0.95;
	metrics_count(m, &sure, 1);
	assert_true(sample_now(m, STALE) == 1);
	/* sure, but its call has yet to be told */
	ev.verdict.confidence = 0.95;
	metrics_count(m, &ev, 1);
	assert_true(sample_now(m, UNCLEAR) == 0);
	ev.syscall.known = true;
	metrics_count(m, &ev, 0);
	assert_true(sample_now(m, UNCLEAR) == 1);
	metrics_free(m);
}

/* What was counted stays; that the store differs now is said. */
static void test_amended_after_it_was_counted(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = unclear_event(7), late = reset_event("node");

	(void)state;
	metrics_count(m, &ev, 2);
	assert_true(sample(m, UNCLEAR) == 2);
	late.id = 7;
	late.syscall.delay_us = 7200 * USEC_PER_SEC;
	metrics_count(m, &late, 0);
	metrics_count(m, &late, 0);
	assert_true(sample(m, UNCLEAR) == 2);
	assert_true(sample(m, STALE) == 0);
	assert_true(sample(m, "rstscope_verdicts_changed_total") == 2);
	assert_true(sample(m, "rstscope_notice_seconds_bucket{syscall="
			      "\"read\",le=\"3600.0\"}") == 0);
	assert_true(sample(m, "rstscope_notice_seconds_count{syscall="
			      "\"read\"}") == 2);
	metrics_free(m);
}

/* More at once than are kept track of: counted early, none twice or never. */
static void test_storm_of_unclear_failures(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev;
	int64_t id;

	(void)state;
	for (id = 1; id <= 50000; id++) {
		ev = unclear_event(id);
		metrics_count(m, &ev, 1);
		metrics_count(m, &ev, 0);
	}
	assert_true(sample_now(m, UNCLEAR) +
			    sample_now(m, "rstscope_failures_pending") ==
		    50000);
	assert_in_range(sample_now(m, UNCLEAR), 1, 49999);
	assert_true(sample(m, UNCLEAR) == 50000);
	assert_true(sample(m, "rstscope_failures_pending") == 0);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amended_before_it_is_final),
		cmocka_unit_test(test_unclear_right_after_the_start),
		cmocka_unit_test(test_a_sure_verdict_is_counted_at_once),
		cmocka_unit_test(test_amended_after_it_was_counted),
		cmocka_unit_test(test_storm_of_unclear_failures),
	};

	return cmocka_run_group_tests_name("metrics pending", tests, NULL,
					   NULL);
}
