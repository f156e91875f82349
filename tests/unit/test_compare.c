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
	assert_string_equal(change_name(compare_counts(now, before)),
			    change_name(want));
}

/* binom.test(now, now + before)$p.value */
static void chance(void **state)
{
	(void)state;
	assert_float_equal(compare_p(0, 0), 1, NEAR);
	assert_float_equal(compare_p(5, 5), 1, NEAR);
	assert_float_equal(compare_p(3, 2), 1, NEAR);
	assert_float_equal(compare_p(1, 0), 1, NEAR);
	assert_float_equal(compare_p(8, 0), 2 / 256.0, NEAR);
	assert_float_equal(compare_p(0, 8), 2 / 256.0, NEAR);
	/* 1 + 10 + 45 of 1024, both sides */
	assert_float_equal(compare_p(8, 2), 2 * 56 / 1024.0, NEAR);
	/* sum of C(20, 16...20) = 6196 */
	assert_float_equal(compare_p(16, 4), 2 * 6196 / 1048576.0, NEAR);
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
	assert_float_equal(compare_p(1000000, 1000000), 1, 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance),
		cmocka_unit_test(few_say_nothing),
		cmocka_unit_test(borders),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
