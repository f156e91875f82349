/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "user/serve/name_slots.h"

static bool moved;

static size_t count(struct name_slots *t, const char *name, uint64_t n)
{
	return name_slots_count(t, name, n, &moved);
}

static void test_first_come(void **state)
{
	struct name_slots *t = name_slots_new(2);

	(void)state;
	assert_int_equal(name_slots_used(t), 0);
	assert_int_equal(count(t, "a", 1), 0);
	assert_int_equal(count(t, "b", 1), 1);
	assert_int_equal(count(t, "a", 1), 0);
	assert_int_equal(count(t, "c", 1), 2); /* other */
	assert_false(moved);
	assert_int_equal(name_slots_used(t), 2);
	assert_string_equal(name_slots_get(t, 1), "b");
	name_slots_free(t);
}

static void test_no_slots(void **state)
{
	struct name_slots *t = name_slots_new(0);

	(void)state;
	assert_int_equal(count(t, "a", 1000), 0);
	assert_int_equal(count(t, "", 1), 0);
	assert_int_equal(name_slots_used(t), 0);
	name_slots_free(t);
}

static void test_long_and_empty_names(void **state)
{
	struct name_slots *t = name_slots_new(3);

	(void)state;
	assert_int_equal(count(t, "0123456789abcdef", 1), 0);
	assert_int_equal(count(t, "0123456789abcdefXYZ", 1), 0);
	assert_int_equal(count(t, "0123456789abcde", 1), 1);
	assert_int_equal(count(t, "", 1), 2);
	assert_int_equal(count(t, "", 1), 2);
	assert_string_equal(name_slots_get(t, 0), "0123456789abcdef");
	name_slots_free(t);
}

static void test_frequent_name_takes_the_least_slot(void **state)
{
	struct name_slots *t = name_slots_new(2);

	(void)state;
	count(t, "busy", 1000);
	count(t, "rare", 10);
	assert_int_equal(count(t, "late", 15), 2);
	assert_false(moved);
	assert_int_equal(count(t, "late", 25), 1);
	assert_true(moved);
	assert_string_equal(name_slots_get(t, 1), "late");
	/* The index follows: each is found again, the loser is not. */
	assert_int_equal(count(t, "late", 1), 1);
	assert_int_equal(count(t, "busy", 1), 0);
	assert_false(moved);
	assert_int_equal(count(t, "rare", 1), 2);
	name_slots_free(t);
}

/* Names that come in turn do not take the slot from each other. */
static void test_no_taking_turns(void **state)
{
	struct name_slots *t = name_slots_new(1);
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		assert_int_equal(count(t, "a", 1), 0);
		assert_int_equal(count(t, "b", 1), 1);
		assert_false(moved);
	}
	name_slots_free(t);
}

/* Ten thousand names once each: who came first stays. */
static void test_many_rare_names(void **state)
{
	struct name_slots *t = name_slots_new(50);
	char name[16];
	int i, moves = 0;

	(void)state;
	for (i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_in_range(count(t, name, 1), 0, 50);
		moves += moved;
	}
	assert_int_equal(moves, 0);
	assert_int_equal(name_slots_used(t), 50);
	assert_string_equal(name_slots_get(t, 49), "p49");
	name_slots_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come),
		cmocka_unit_test(test_no_slots),
		cmocka_unit_test(test_long_and_empty_names),
		cmocka_unit_test(test_frequent_name_takes_the_least_slot),
		cmocka_unit_test(test_no_taking_turns),
		cmocka_unit_test(test_many_rare_names),
	};

	return cmocka_run_group_tests_name("name_slots", tests, NULL, NULL);
}
