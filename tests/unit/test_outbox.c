/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/base/base.h"
#include "user/serve/outbox.h"

#define ROOM 4

struct taker {
	_Atomic bool open; /* it begins to take */
	_Atomic int64_t last_id, taken;
};

static void take_all(struct outbox *o, void *ctx)
{
	struct taker *t = ctx;
	struct event ev;

	while (!t->open && !outbox_stopping(o))
		usleep(1000);
	for (;;) {
		if (outbox_take(o, &ev, 100)) {
			t->last_id = ev.id;
			t->taken++;
			outbox_settle(o, ev.id == 2); /* one is given up */
		} else if (outbox_stopping(o)) {
			return;
		}
	}
}

static struct outbox *start(struct taker *t)
{
	const struct outbox_config config = {"test", ROOM, take_all, t};
	struct outbox *o = NULL;

	assert_int_equal(outbox_start(&o, &config), 0);
	return o;
}

static void put(struct outbox *o, int64_t id)
{
	struct event ev;

	event_init(&ev);
	ev.id = id;
	outbox_put(o, &ev);
}

static void test_full_queue_loses_and_counts(void **state)
{
	struct taker t = {0};
	struct outbox *o = start(&t);
	struct outbox_stats s;

	(void)state;
	for (int id = 1; id <= ROOM + 3; id++)
		put(o, id);
	usleep(20000);
	outbox_get_stats(o, &s);
	assert_int_equal(s.seen, ROOM + 3);
	assert_int_equal(s.lost, 3);
	assert_true(s.lag_us >= 20000);
	t.open = true;
	for (int i = 0; i < 5000 && t.taken < ROOM; i++)
		usleep(1000);
	assert_int_equal(t.last_id, ROOM); /* the oldest were kept */
	usleep(20000);
	outbox_get_stats(o, &s);
	assert_int_equal(s.lost, 4);
	assert_true(s.lag_us < 20000);
	assert_true(outbox_stop(o, 5000));
}

static void test_stop_hands_over_the_rest(void **state)
{
	struct taker t = {0};
	struct outbox *o = start(&t);

	(void)state;
	put(o, 1);
	put(o, 3);
	assert_true(outbox_stop(o, 5000));
	assert_int_equal(t.taken, 2);
}

static _Atomic bool let_go;

static void hang(struct outbox *o, void *ctx)
{
	(void)o, (void)ctx;
	while (!let_go)
		usleep(1000);
}

static void test_a_thread_that_hangs(void **state)
{
	const struct outbox_config config = {"test", ROOM, hang, NULL};
	struct outbox *o = NULL;
	uint64_t start_ns;

	(void)state;
	assert_int_equal(outbox_start(&o, &config), 0);
	start_ns = clock_mono_ns();
	assert_false(outbox_stop(o, 50));
	assert_true(clock_mono_ns() - start_ns < NSEC_PER_SEC);
	let_go = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_queue_loses_and_counts),
		cmocka_unit_test(test_stop_hands_over_the_rest),
		cmocka_unit_test(test_a_thread_that_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
