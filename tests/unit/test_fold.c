/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "user/base/base.h"
#include "user/daemon/fold.h"

#define START_US 1790000000000000ll

static struct fold_key key_of(int n)
{
	struct fold_key key;

	memset(&key, 0, sizeof(key));
	key.pid = n;
	return key;
}

/* One failure: the event that stands for it now, and its count. */
static int64_t one(struct fold *f, int n, int64_t time_us, int64_t id)
{
	struct fold_key key = key_of(n);
	struct event *into = fold_count(f, &key, time_us, 1);
	struct event ev;

	if (into)
		return into->id;
	event_init(&ev);
	ev.id = id;
	ev.time_us = time_us;
	ev.count = 1;
	fold_keep(f, &key, &ev);
	return id;
}

static void many(struct fold *f, int key, int n, int64_t time_us)
{
	for (int i = 0; i < n; i++)
		one(f, key, time_us, 1 + i);
}

struct flushed {
	int n;
	struct event last;
	int64_t sum;
};

static void on_flush(const struct event *ev, void *ctx)
{
	struct flushed *seen = ctx;

	seen->n++;
	seen->last = *ev;
	seen->sum += ev->count;
}

static struct flushed flush(struct fold *f)
{
	struct flushed seen = {0};

	fold_flush(f, on_flush, &seen);
	return seen;
}

static struct fold_stats stats_of(struct fold *f)
{
	struct fold_stats stats;

	fold_get_stats(f, &stats);
	return stats;
}

static void test_singles(void **state)
{
	struct fold *f = fold_new(0);

	(void)state;
	for (int64_t i = 1; i <= FOLD_SINGLE; i++)
		assert_int_equal(one(f, 1, START_US + i, i), i);
	assert_int_equal(flush(f).n, 0);
	assert_int_equal(stats_of(f).folded, 0);
	assert_int_equal(stats_of(f).groups, 1);
	fold_free(f);
}

static void test_folded(void **state)
{
	struct fold *f = fold_new(0);
	struct flushed seen;

	(void)state;
	many(f, 1, FOLD_SINGLE, START_US);
	for (int64_t i = 1; i <= 5; i++)
		assert_int_equal(one(f, 1, START_US + i, 100 + i), FOLD_SINGLE);
	seen = flush(f);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last.id, FOLD_SINGLE);
	assert_int_equal(seen.last.count, 6); /* itself and five */
	assert_int_equal(seen.last.time_us, START_US);
	assert_int_equal(seen.last.last_time_us, START_US + 5);
	assert_int_equal(stats_of(f).folded, 5);
	fold_free(f);
}

/* Each flush hands over what grew, with its whole count, and only that. */
static void test_flush_again(void **state)
{
	struct fold *f = fold_new(0);

	(void)state;
	many(f, 1, FOLD_SINGLE + 2, START_US);
	many(f, 2, FOLD_SINGLE + 3, START_US);
	many(f, 3, FOLD_SINGLE, START_US);
	assert_int_equal(flush(f).n, 2);
	assert_int_equal(flush(f).n, 0);
	many(f, 1, 1, START_US);
	assert_int_equal(flush(f).sum, 4);
	many(f, 1, 1, START_US);
	many(f, 2, 1, START_US);
	assert_int_equal(flush(f).sum, 5 + 5);
	fold_free(f);
}

static void test_counted_by_kernel(void **state)
{
	struct fold *f = fold_new(0);
	struct fold_key key = key_of(1);

	(void)state;
	many(f, 1, FOLD_SINGLE, START_US);
	assert_non_null(fold_count(f, &key, START_US, 41));
	assert_int_equal(flush(f).last.count, 42);
	assert_int_equal(stats_of(f).folded, 41);
	fold_free(f);
}

static void test_next_window(void **state)
{
	struct fold *f = fold_new(0);

	(void)state;
	many(f, 1, FOLD_SINGLE + 5, START_US);
	assert_int_equal(flush(f).last.count, 6);
	/* the last moment of the window */
	one(f, 1, START_US + FOLD_WINDOW_US - 1, 50);
	assert_int_equal(flush(f).last.count, 7);
	/* then singles again, and another event to fold into */
	for (int64_t i = 0; i < FOLD_SINGLE; i++)
		assert_int_equal(one(f, 1, START_US + FOLD_WINDOW_US, 60 + i),
				 60 + i);
	assert_int_equal(one(f, 1, START_US + FOLD_WINDOW_US + 1, 99), 69);
	assert_int_equal(flush(f).last.id, 69);
	fold_free(f);
}

/* What was not handed over yet must not get lost with its window. */
static void test_dirty_window_stays(void **state)
{
	struct fold *f = fold_new(0);

	(void)state;
	many(f, 1, FOLD_SINGLE + 1, START_US);
	assert_int_equal(one(f, 1, START_US + 3 * FOLD_WINDOW_US, 77),
			 FOLD_SINGLE);
	assert_int_equal(flush(f).last.count, 3);
	assert_int_equal(one(f, 1, START_US + 3 * FOLD_WINDOW_US, 77), 77);
	fold_free(f);
}

/* Records of several CPUs come a little out of order; clocks are set back. */
static void test_time_goes_back(void **state)
{
	struct fold *f = fold_new(0);

	(void)state;
	many(f, 1, FOLD_SINGLE, START_US);
	assert_int_equal(one(f, 1, START_US - 20, 77), FOLD_SINGLE);
	flush(f);
	assert_int_equal(one(f, 1, START_US - FOLD_WINDOW_US - 1, 77), 77);
	fold_free(f);
}

static void test_keys_differ(void **state)
{
	struct fold *f = fold_new(0);
	struct fold_key a = key_of(1), b;
	uint8_t *bytes = (uint8_t *)&b;

	(void)state;
	many(f, 1, FOLD_SINGLE, START_US);
	for (size_t i = 0; i < sizeof(b); i++) {
		b = a;
		bytes[i] ^= 0x80;
		assert_null(fold_count(f, &b, START_US, 1));
	}
	assert_non_null(fold_count(f, &a, START_US, 1));
	fold_free(f);
}

/* The oldest group makes room, but none whose count is not handed over. */
static void test_eviction(void **state)
{
	struct fold *f = fold_new(3);

	(void)state;
	many(f, 1, FOLD_SINGLE + 1, START_US); /* dirty */
	many(f, 2, FOLD_SINGLE, START_US);
	many(f, 3, FOLD_SINGLE, START_US);
	many(f, 4, FOLD_SINGLE, START_US);
	assert_int_equal(stats_of(f).groups, 3);
	assert_int_equal(stats_of(f).evicted, 1);
	assert_int_equal(one(f, 1, START_US, 77), FOLD_SINGLE);
	assert_int_equal(one(f, 3, START_US, 77), FOLD_SINGLE);
	assert_int_equal(one(f, 2, START_US, 77), 77); /* it was that one */
	assert_int_equal(stats_of(f).evicted, 2);
	assert_int_equal(flush(f).sum, 3 + 2);
	fold_free(f);
}

/* An event that is handed over again must carry the count it stands for. */
static void test_kept(void **state)
{
	struct fold *f = fold_new(0);
	struct fold_key key = key_of(1);
	struct event ev;

	(void)state;
	event_init(&ev);
	for (int i = 1; i <= FOLD_SINGLE; i++) {
		assert_null(fold_count(f, &key, START_US, 1));
		ev.id = i;
		ev.count = 1;
		assert_int_equal(fold_keep(f, &key, &ev), i == FOLD_SINGLE);
	}
	assert_null(fold_kept(f, 1));
	assert_non_null(fold_kept(f, FOLD_SINGLE));
	assert_non_null(fold_count(f, &key, START_US, 5));
	assert_int_equal(fold_kept(f, FOLD_SINGLE)->count, 6);
	key = key_of(2);
	assert_false(fold_keep(f, &key, &ev)); /* a key never counted */
	fold_free(f);
	fold_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_singles),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_flush_again),
		cmocka_unit_test(test_counted_by_kernel),
		cmocka_unit_test(test_next_window),
		cmocka_unit_test(test_dirty_window_stays),
		cmocka_unit_test(test_time_goes_back),
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
