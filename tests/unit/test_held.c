/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sample_event.h"
#include "user/base/base.h"
#include "user/serve/final.h"
#include "user/serve/held.h"

struct taken {
	int64_t n, last_id;
	double sum; /* of ids: each came, and came once */
	struct event last;
};

static void take(const struct event *ev, void *ctx)
{
	struct taken *t = ctx;

	t->n++;
	t->last_id = ev->id;
	t->sum += ev->id;
	t->last = *ev;
}

static struct event unsure(int64_t id)
{
	struct event ev;

	sample_bare(&ev, id);
	ev.verdict.cause = CAUSE_PORT_CLOSED;
	ev.verdict.confidence = 0.6;
	return ev;
}

static struct event sure(int64_t id)
{
	struct event ev = unsure(id);

	ev.verdict.confidence = FINAL_CONFIDENCE;
	ev.syscall.known = true;
	ev.syscall.class = CALL_READ;
	return ev;
}

static void test_a_sure_one_does_not_wait(void **state)
{
	struct taken t = {0};
	struct held *h = held_new(take, &t);
	struct event ev = sure(1);

	(void)state;
	held_put(h, &ev, true);
	assert_int_equal(t.n, 1);
	ev.verdict.cause = CAUSE_PORT_SCAN;
	held_put(h, &ev, false);
	held_advance(h, UINT64_MAX);
	assert_int_equal(t.n, 1);
	held_free(h);
}

/* What is learned while it waits is what is told. */
static void test_the_last_word_counts(void **state)
{
	struct taken t = {0};
	struct held *h = held_new(take, &t);
	struct event ev = unsure(7);

	(void)state;
	held_advance(h, NSEC_PER_SEC);
	held_put(h, &ev, true);
	ev.verdict.cause = CAUSE_PORT_SCAN;
	ev.count = 40;
	held_put(h, &ev, false);
	held_advance(h, FINAL_NS);
	assert_int_equal(t.n, 0);
	held_advance(h, FINAL_NS + NSEC_PER_SEC);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.verdict.cause, CAUSE_PORT_SCAN);
	assert_int_equal(t.last.count, 40);
	held_put(h, &ev, false);
	held_advance(h, UINT64_MAX);
	assert_int_equal(t.n, 1);
	held_free(h);
}

static void test_told_as_soon_as_it_is_sure(void **state)
{
	struct taken t = {0};
	struct held *h = held_new(take, &t);
	struct event ev = unsure(7), told = sure(7);

	(void)state;
	held_put(h, &ev, true);
	held_put(h, &told, false);
	assert_int_equal(t.n, 1);
	assert_true(t.last.syscall.known);
	held_advance(h, UINT64_MAX);
	assert_int_equal(t.n, 1);
	held_free(h);
}

/* More than there is room for: early, but each of them, and once. */
static void test_storm(void **state)
{
	struct taken t = {0};
	struct held *h = held_new(take, &t);
	const int64_t n = 3 * HELD_EVENTS + 5;
	struct event ev;

	(void)state;
	for (int64_t id = 1; id <= n; id++) {
		ev = unsure(id);
		held_put(h, &ev, true);
	}
	assert_int_equal(t.n, n - HELD_EVENTS);
	held_advance(h, UINT64_MAX);
	assert_int_equal(t.n, n);
	assert_true(t.sum == (double)n * (n + 1) / 2);
	/* one that is still held is freed with it */
	ev = unsure(n + 1);
	held_put(h, &ev, true);
	held_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sure_one_does_not_wait),
		cmocka_unit_test(test_the_last_word_counts),
		cmocka_unit_test(test_told_as_soon_as_it_is_sure),
		cmocka_unit_test(test_storm),
	};

	return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
