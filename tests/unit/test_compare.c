/* SPDX-License-Identifier: Apache-2.0 */
/* The borders of the test of significance, reckoned by hand or by R. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/cli/compare.h"

#define NEAR 1e-9

static void is(int64_t now, int64_t before, enum change want)
{
	assert_string_equal(
		change_name(compare_counts(now, before, COMPARE_EVEN)),
		change_name(want));
}

/* binom.test(now, now + before)$p.value */
static void chance(void **state)
{
	(void)state;
	assert_float_equal(compare_p(0, 0, COMPARE_EVEN), 1, NEAR);
	assert_float_equal(compare_p(5, 5, COMPARE_EVEN), 1, NEAR);
	assert_float_equal(compare_p(3, 2, COMPARE_EVEN), 1, NEAR);
	assert_float_equal(compare_p(1, 0, COMPARE_EVEN), 1, NEAR);
	assert_float_equal(compare_p(8, 0, COMPARE_EVEN), 2 / 256.0, NEAR);
	assert_float_equal(compare_p(0, 8, COMPARE_EVEN), 2 / 256.0, NEAR);
	/* 1 + 10 + 45 of 1024, both sides */
	assert_float_equal(compare_p(8, 2, COMPARE_EVEN), 2 * 56 / 1024.0,
			   NEAR);
	/* sum of C(20, 16...20) = 6196 */
	assert_float_equal(compare_p(16, 4, COMPARE_EVEN), 2 * 6196 / 1048576.0,
			   NEAR);
}

static void few_say_nothing(void **state)
{
	(void)state;
	is(3, 2, CHANGE_TOO_FEW);
	is(0, 0, CHANGE_TOO_FEW);
	is(7, 0, CHANGE_TOO_FEW); /* 2 / 128 > 0.01 */
	is(8, 0, CHANGE_NEW);	  /* 2 / 256 < 0.01 */
	is(0, 7, CHANGE_TOO_FEW);
	is(0, 8, CHANGE_GONE);
	is(7, 1, CHANGE_SAME); /* 2 * 9 / 256 */
}

static void borders(void **state)
{
	(void)state;
	is(10, 1, CHANGE_SAME);	 /* 2 * 12 / 2048 = 0.0117 */
	is(11, 1, CHANGE_WORSE); /* 2 * 13 / 4096 = 0.0063 */
	is(1, 11, CHANGE_BETTER);
	is(15, 5, CHANGE_SAME);	 /* 2 * 21700 / 2^20 = 0.0414 */
	is(16, 4, CHANGE_SAME);	 /* 0.0118 */
	is(17, 3, CHANGE_WORSE); /* 2 * 1351 / 2^20 = 0.0026 */
	is(3, 17, CHANGE_BETTER);
}

/* About 2.58 standard deviations; no overflow, no loss at a million. */
static void many(void **state)
{
	(void)state;
	is(500000 + 1200, 500000 - 1200, CHANGE_SAME);
	is(500000 + 1300, 500000 - 1300, CHANGE_WORSE);
	is(500000 - 1300, 500000 + 1300, CHANGE_BETTER);
	is(1000000000, 0, CHANGE_NEW);
	assert_float_equal(compare_p(1000000, 1000000, COMPARE_EVEN), 1, 1e-6);
}

/* binom.test(now, now + before, part)$p.value, twice the smaller tail */
static void as_a_share_of_connections(void **state)
{
	(void)state;
	/* twice the failures of twice the connections */
	assert_int_equal(compare_counts(40, 20, 2 / 3.0), CHANGE_SAME);
	assert_int_equal(compare_counts(40, 20, COMPARE_EVEN), CHANGE_SAME);
	assert_int_equal(compare_counts(400, 200, COMPARE_EVEN), CHANGE_WORSE);
	assert_int_equal(compare_counts(400, 200, 2 / 3.0), CHANGE_SAME);
	assert_int_equal(compare_counts(300, 300, 2 / 3.0), CHANGE_BETTER);
	assert_int_equal(compare_counts(300, 300, 1 / 3.0), CHANGE_WORSE);
	/* all four of a tenth: 2 * 0.1^4; none of four proves nothing */
	assert_float_equal(compare_p(4, 0, 0.1), 2e-4, NEAR);
	assert_int_equal(compare_counts(4, 0, 0.1), CHANGE_NEW);
	assert_int_equal(compare_counts(0, 4, 0.1), CHANGE_SAME);
	/* 0.75^4 + 4 * 0.75^3 / 4, above the mean of 3: no more than 1 */
	assert_float_equal(compare_p(3, 1, 0.75), 1, NEAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance),
		cmocka_unit_test(few_say_nothing),
		cmocka_unit_test(borders),
		cmocka_unit_test(many),
		cmocka_unit_test(as_a_share_of_connections),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
