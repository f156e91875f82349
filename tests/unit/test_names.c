/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "user/explain/knowledge.h"
#include "user/explain/verdict.h"

static void test_causes_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSES; i++)
		assert_int_equal(cause_by_name(cause_name(i)), i);
	assert_string_equal(cause_name(CAUSE_STALE_KEEPALIVE),
			    "stale_keepalive");
	assert_string_equal(cause_name(CAUSE_UNKNOWN), "unknown");
}

static void test_foreign_values(void **state)
{
	(void)state;
	assert_string_equal(cause_name(CAUSES), "unknown");
	assert_string_equal(cause_name((enum cause) - 1), "unknown");
	assert_string_equal(blame_name(BLAMES), "unknown");
	assert_string_equal(retry_name(RETRIES), "unknown");
	assert_int_equal(cause_by_name("no_such"), -ENOENT);
	assert_int_equal(cause_by_name(""), -ENOENT);
}

static void test_blame_and_retry(void **state)
{
	(void)state;
	assert_string_equal(blame_name(BLAME_PATH), "path");
	assert_string_equal(retry_name(RETRY_IF_IDEMPOTENT), "if_idempotent");
}

static void test_every_cause_is_explained(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSES; i++) {
		const struct cause_info *info = cause_info(i);

		assert_non_null(info);
		assert_non_null(info->kinds);
		assert_true(info->summary[0] != '\0');
		if (i != CAUSE_UNKNOWN)
			assert_non_null(info->told_by[0]);
	}
	assert_ptr_equal(cause_info(CAUSES), cause_info(CAUSE_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes_round_trip),
		cmocka_unit_test(test_foreign_values),
		cmocka_unit_test(test_blame_and_retry),
		cmocka_unit_test(test_every_cause_is_explained),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
