// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/base/base.h"

static void test_depends_on_all(void **state)
{
	uint8_t data[67] = {0};
	uint64_t plain;

	(void)state;
	for (size_t size = 0; size <= sizeof(data); size++) {
		plain = hash_bytes(data, size, 1);
		assert_true(plain == hash_bytes(data, size, 1));
		assert_true(plain != hash_bytes(data, size, 2));
		for (size_t bit = 0; bit < size * 8; bit++) {
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(plain != hash_bytes(data, size, 1));
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		/* Zeros at the end count. */
		if (size < sizeof(data))
			assert_true(plain != hash_bytes(data, size + 1, 1));
	}
}

static void test_any_alignment(void **state)
{
	char text[64] = "0123456789abcdefghijklmnopqrstuv";
	uint64_t want = hash_bytes(text, 32, 7);

	(void)state;
	for (size_t i = 1; i < 16; i++) {
		memmove(text + i, text + i - 1, 32);
		assert_true(hash_bytes(text + i, 32, 7) == want);
	}
}

/* Small keys in a row, as pids and ports are, spread evenly over buckets. */
static void test_spread(void **state)
{
	enum { BUCKETS = 1024, KEYS = 64 * BUCKETS };
	static unsigned int low[BUCKETS], high[BUCKETS];

	(void)state;
	for (uint64_t key = 0; key < KEYS; key++) {
		uint64_t h = hash_bytes(&key, sizeof(key), 0);

		low[h % BUCKETS]++;
		high[h >> 54]++;
	}
	/* 64 expected, standard deviation 8: six of them either way. */
	for (size_t i = 0; i < BUCKETS; i++) {
		assert_in_range(low[i], 16, 112);
		assert_in_range(high[i], 16, 112);
	}
}

static void test_clock(void **state)
{
	uint64_t mono = clock_mono_ns();
	int64_t wall = clock_unix_us();

	(void)state;
	assert_true(clock_mono_ns() >= mono);
	assert_true(wall > 1600000000 * USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest hash[] = {
		cmocka_unit_test(test_depends_on_all),
		cmocka_unit_test(test_any_alignment),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(hash, NULL, NULL);
}
