/* SPDX-License-Identifier: Apache-2.0 */
/* Process names as labels: how many series there are, and whose. */
#include "metrics_case.h"

/* The sum over all process series, and how many there are. */
static double process_sum(const char *text, size_t *series)
{
	static const char name[] = "rstscope_process_failures_total{";
	double sum = 0;

	*series = 0;
	for (; text && *text; text = strchr(text, '\n'), text += !!text) {
		if (strncmp(text, name, strlen(name)))
			continue;
		sum += strtod(strstr(text, "} ") + 2, NULL);
		(*series)++;
	}
	return sum;
}

static void test_ten_thousand_names(void **state)
{
	struct metrics *m = new_metrics(METRICS_PROCESSES_DEFAULT);
	struct event ev = reset_event("x");
	size_t series, lines;
	char *text;
	int i;

	(void)state;
	/* 100,000 peers, 10,000 names */
	for (i = 0; i < 100000; i++) {
		ev.id = i + 1;
		snprintf(ev.process.comm, sizeof(ev.process.comm), "p%d",
			 i % 10000);
		ev.peer.ip[13] = i >> 16;
		ev.peer.ip[14] = i >> 8;
		ev.peer.ip[15] = i;
		ev.peer.port = i;
		ev.kind = i % KINDS;
		ev.syscall.class = i % CALL_CLASSES;
		metrics_count(m, &ev, 1);
	}
	metrics_advance(m, UINT64_MAX);
	text = render(m, METRICS_TEXT);
	assert_true(process_sum(text, &series) == 100000);
	lines = count_lines(text, "rstscope_") + count_lines(text, "process_");
	assert_in_range(lines, 500, 4999);
	assert_in_range(series, 51, 51 * KINDS * CALL_CLASSES);
	free(text);
	metrics_free(m);
}

/* Worst case for cardinality: every name meets every kind and every call. */
static void test_series_stay_bounded(void **state)
{
	struct metrics *m = new_metrics(METRICS_PROCESSES_DEFAULT);
	struct event ev = reset_event("x");
	char *text;
	size_t lines;
	int i, k, c;

	(void)state;
	for (i = 0; i < 200; i++)
		for (k = 0; k < KINDS; k++)
			for (c = 0; c <= CALL_CLASSES; c++) {
				snprintf(ev.process.comm,
					 sizeof(ev.process.comm), "p%d", i);
				ev.kind = k;
				ev.syscall.known = c < CALL_CLASSES;
				ev.syscall.class = c;
				metrics_count(m, &ev, 1);
			}
	metrics_advance(m, UINT64_MAX);
	text = render(m, METRICS_TEXT);
	lines = count_lines(text, "rstscope_") + count_lines(text, "process_");
	assert_in_range(lines, 2000, 4999);
	free(text);
	metrics_free(m);
}

static double process_sample(struct metrics *m, const char *name)
{
	char series[128];

	snprintf(series, sizeof(series),
		 "rstscope_process_failures_total{process=\"%s\","
		 "kind=\"received\",syscall=\"read\"}",
		 name);
	return sample(m, series);
}

/* A frequent name that comes late still gets its series; the sum stays. */
static void test_late_frequent_name(void **state)
{
	struct metrics *m = new_metrics(2);
	struct event ev = reset_event("rare");
	size_t series;
	char *text;
	int i;

	(void)state;
	metrics_count(m, &ev, 3);
	ev = reset_event("busy");
	metrics_count(m, &ev, 1000);
	ev = reset_event("late");
	for (i = 0; i < 100; i++)
		metrics_count(m, &ev, 1);
	assert_true(process_sample(m, "busy") == 1000);
	assert_true(process_sample(m, "rare") == -1);
	assert_in_range(process_sample(m, "late"), 90, 100);
	text = render(m, METRICS_TEXT);
	assert_true(process_sum(text, &series) == 1103);
	assert_int_equal(series, 3);
	free(text);
	metrics_free(m);
}

static void test_hostile_names(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = reset_event("a\"b\\c\nd\x01");

	(void)state;
	metrics_count(m, &ev, 1);
	/* A two-byte character cut in half, as 16 bytes of comm do it. */
	ev = reset_event("abc\xc3");
	metrics_count(m, &ev, 1);
	ev = reset_event("\xc3\xa9\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80");
	metrics_count(m, &ev, 1);
	assert_true(process_sample(m, "a\\\"b\\\\c\\nd?") == 1);
	assert_true(process_sample(m, "abc?") == 1);
	assert_true(process_sample(m, "\xc3\xa9?????????") == 1);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_thousand_names),
		cmocka_unit_test(test_series_stay_bounded),
		cmocka_unit_test(test_late_frequent_name),
		cmocka_unit_test(test_hostile_names),
	};

	return cmocka_run_group_tests_name("metrics names", tests, NULL, NULL);
}
