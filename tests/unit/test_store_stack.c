/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks in the store: with their events, and only with them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store_case.h"
#include "user/store/stack_text.h"
#include "user/store/writer.h"

static struct stack sample_stack(void)
{
	struct stack st = {.frames = 2};

	st.frame[0] = (struct stack_frame){
		.address = 0x7f0000001234, .offset = 0x1234, .symbol = "recv"};
	strcpy(st.frame[0].module, "/usr/lib/libc.so.6");
	st.frame[1] =
		(struct stack_frame){.address = 0x55aa, .offset = NOT_KNOWN};
	return st;
}

/* Through the thread that has the store, as the daemon does it. */
static void write_stacks(const struct scratch *d, const int64_t *ids, size_t n)
{
	struct writer_config config = {0};
	struct stack st = sample_stack();
	struct writer *w = NULL;
	struct event ev;

	assert_int_equal(writer_start(&w, open_store(d, STORE_WRITE), &config),
			 0);
	sample_full(&ev, 1);
	assert_int_equal(writer_put(w, &ev), 0);
	sample_full(&ev, 2);
	assert_int_equal(writer_put(w, &ev), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(writer_put_stack(w, ids[i], stack_text(&st)),
				 0);
	writer_stop(w);
}

static void test_round_trip(void **state)
{
	const struct scratch *d = *state;
	json_t *list, *frame;
	struct store *s;

	write_stacks(d, (int64_t[]){1, 99}, 2);
	s = open_store(d, STORE_READ);
	list = stack_of(s, 1);
	assert_int_equal(json_array_size(list), 2);
	frame = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(frame, "symbol")),
			    "recv");
	assert_string_equal(json_string_value(json_object_get(frame, "module")),
			    "/usr/lib/libc.so.6");
	assert_int_equal(json_integer_value(json_object_get(frame, "offset")),
			 0x1234);
	/* where the process lives, its addresses are nobody's business */
	assert_true(json_is_null(json_object_get(frame, "address")));
	frame = json_array_get(list, 1);
	assert_true(json_is_null(json_object_get(frame, "symbol")));
	assert_true(json_is_null(json_object_get(frame, "module")));
	assert_true(json_is_null(json_object_get(frame, "offset")));
	json_decref(list);
	assert_null(stack_of(s, 2));
	assert_null(stack_of(s, 99)); /* of an event that is not there */
	store_close(s);
}

static void test_goes_with_its_event(void **state)
{
	const struct scratch *d = *state;
	int64_t deleted = 0;
	struct store *s;
	char *text = NULL;

	write_stacks(d, (int64_t[]){1, 2}, 2);
	s = open_store(d, STORE_WRITE);
	assert_int_equal(store_get_stack(s, 2, &text), 0);
	free(text);
	assert_int_equal(store_prune(s, SAMPLE_TIME + 100 * USEC_PER_SEC, 10, 0,
				     &deleted),
			 0);
	assert_int_equal(deleted, 2);
	assert_int_equal(store_get_stack(s, 1, &text), -ENOENT);
	assert_int_equal(store_get_stack(s, 2, &text), -ENOENT);
	store_close(s);
}

/* An amended event keeps the stack that came before. */
static void test_amended(void **state)
{
	const struct scratch *d = *state;
	struct event ev;
	struct store *s;
	json_t *list;

	write_stacks(d, (int64_t[]){1}, 1);
	s = open_store(d, STORE_WRITE);
	sample_full(&ev, 1);
	ev.count = 17;
	put(s, &ev);
	list = stack_of(s, 1);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_round_trip),
		STORE_TEST(test_goes_with_its_event),
		STORE_TEST(test_amended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
