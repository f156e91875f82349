/* SPDX-License-Identifier: Apache-2.0 */
/* What the store holds: putting, asking, retention, notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "store_case.h"

static void test_put_get(void **state)
{
	struct store *s = open_store(*state, STORE_WRITE);
	struct event ev, back;
	int64_t id = -1;

	assert_int_equal(store_last_id(s, &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(store_get(s, 7, &back), -ENOENT);
	sample_full(&ev, 7);
	put(s, &ev);
	assert_int_equal(store_get(s, 7, &back), 0);
	assert_memory_equal(&back, &ev, sizeof(ev));
	assert_int_equal(store_last_id(s, &id), 0);
	assert_int_equal(id, 7);
	store_close(s);
}

/* Amending: the same id again replaces the event, in every index too. */
static void test_amend(void **state)
{
	struct store *s = open_store(*state, STORE_WRITE);
	struct event ev, back;
	struct filter f;

	sample_full(&ev, 7);
	put(s, &ev);
	strcpy(ev.process.comm, "java");
	put(s, &ev);
	filter_init(&f);
	strcpy(f.process, "node");
	assert_int_equal(ask(s, &f).n, 0);
	strcpy(f.process, "java");
	assert_int_equal(ask(s, &f).n, 1);
	assert_int_equal(store_get(s, 7, &back), 0);
	assert_string_equal(back.process.comm, "java");
	store_close(s);
}

static void test_order_and_limit(void **state)
{
	struct store *s = open_store(*state, STORE_WRITE);
	struct filter f;
	struct seen seen;

	put_many(s, 1, 400, 1000);
	filter_init(&f);
	seen = ask(s, &f);
	assert_int_equal(seen.n, 400);
	for (int i = 0; i < 400; i++)
		assert_int_equal(seen.id[i], i + 1);
	f.limit = 3;
	seen = ask(s, &f);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.id[0], 398);
	assert_int_equal(seen.id[2], 400);
	f.limit = NOT_KNOWN;
	f.after_id = 390;
	assert_int_equal(ask(s, &f).n, 10);
	store_close(s);
}

static void test_callback_stops(void **state)
{
	struct store *s = open_store(*state, STORE_WRITE);
	struct seen seen = {.stop_at = 2};
	struct filter f;

	put_many(s, 1, 300, 1000);
	filter_init(&f);
	assert_int_equal(store_query(s, &f, see, &seen, err, sizeof(err)), 42);
	assert_int_equal(seen.n, 2);
	store_close(s);
}

/* A zoo in which each filter finds some and leaves some. */
static void zoo(struct event *ev, int i)
{
	static const char *const peers[] = {
		"10.0.0.1",    "10.0.1.1",	  "192.168.7.9",
		"2001:db8::5", "2001:db8:0:1::5", "fe80::1",
	};

	sample_full(ev, i + 1);
	ev->time_us = SAMPLE_TIME + i * USEC_PER_SEC;
	ev->kind = (enum failure_kind)(i % KINDS);
	ev->verdict.cause = (enum cause)(i % CAUSES);
	ev->verdict.benign = i % 7 == 0;
	ev->count = 1 + i % 3;
	ev->syscall.known = i % 4 != 0;
	ev->syscall.class = (enum call_class)(i % CALL_CLASSES);
	ev->process.known = i % 5 != 0;
	ev->process.pid = 100 + i % 10;
	snprintf(ev->process.comm, sizeof(ev->process.comm), "p%d", i % 6);
	snprintf(ev->process.unit, sizeof(ev->process.unit), "u%d.service",
		 i % 3);
	memset(ev->process.container, "abc"[i % 3], 64);
	snprintf(ev->host, sizeof(ev->host), "h%d", i % 2);
	sample_ip(&ev->peer, &ev->family, peers[i % 6],
		  (uint16_t)(440 + i % 5));
	sample_ip(&ev->local, &ev->family, peers[i % 6],
		  (uint16_t)(443 + i % 4));
}

/* The two readings of FILTER, in SQL and in C, agree. */
static void compare_filter(struct store *s, const char *const *set)
{
	int64_t rows = -1, events = -1, expect_rows = 0, expect_events = 0;
	struct filter f;
	struct event ev;
	struct seen seen;

	filter_init(&f);
	for (; *set; set += 2)
		assert_int_equal(filter_set(&f, set[0], set[1],
					    SAMPLE_TIME + 400 * USEC_PER_SEC,
					    err, sizeof(err)),
				 0);
	seen = ask(s, &f);
	for (int i = 0; i < 400; i++) {
		zoo(&ev, i);
		if (!filter_match(&f, &ev))
			continue;
		assert_true(expect_rows < seen.n);
		assert_int_equal(seen.id[expect_rows++], ev.id);
		expect_events += ev.count;
	}
	assert_int_equal(seen.n, expect_rows);
	assert_in_range(seen.n, 1, 399);
	assert_int_equal(store_count(s, &f, &rows, &events), 0);
	assert_int_equal(rows, expect_rows);
	assert_int_equal(events, expect_events);
}

static void test_filters_agree(void **state)
{
	static const char *const sets[][7] = {
		{NULL},
		{"benign", "", "kind", "sent"},
		{"since", "100s"},
		{"until", "100s"},
		{"process", "p1"},
		{"pid", "103"},
		{"peer", "10.0.0.1"},
		{"peer", "10.0.0.0/16"},
		{"peer", "2001:db8::/32"},
		{"peer", "2001:db8::/63"},
		{"peer", "::/0"},
		{"peer", "0.0.0.0/0"},
		{"peer", "10.0.0.0/8:441"},
		{"port", "443"},
		{"cause", "linger_zero"},
		{"kind", "hangup"},
		{"syscall", "write"},
		{"unit", "u1"},
		{"container", "bb"},
		{"container", "BB"},
		{"host", "h1"},
		{"since", "300s", "process", "p2", "host", "h0"},
		{"since", "300s", "peer", "10.0.0.0/8"},
		{"since", "300s", "peer", "::/0"},
	};
	struct store *s = open_store(*state, STORE_WRITE);
	struct event ev;

	for (int i = 0; i < 400; i++) {
		zoo(&ev, i);
		put(s, &ev);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		compare_filter(s, sets[i]);
	store_close(s);
}

static int64_t prune_all(struct store *s, int64_t now_us, int64_t age_s,
			 int64_t bytes, int *calls)
{
	int64_t deleted, sum = 0;

	for (*calls = 0; *calls < 1000; ++*calls) {
		deleted = -1;
		assert_int_equal(store_prune(s, now_us, age_s, bytes, &deleted),
				 0);
		assert_in_range(deleted, 0, STORE_PRUNE_EVENTS);
		sum += deleted;
		if (!deleted)
			break;
	}
	return sum;
}

static void test_prune_age(void **state)
{
	struct store *s = open_store(*state, STORE_WRITE);
	int64_t id = 0, bytes, events;
	struct filter f;
	int calls;

	put_many(s, 1, 100, USEC_PER_SEC);
	assert_int_equal(
		prune_all(s, SAMPLE_TIME + 100 * USEC_PER_SEC, 50, 0, &calls),
		49);
	filter_init(&f);
	assert_int_equal(ask(s, &f).id[0], 50);
	/* All gone: the ids go on nevertheless. */
	assert_int_equal(
		prune_all(s, SAMPLE_TIME + 1000 * USEC_PER_SEC, 50, 0, &calls),
		51);
	assert_int_equal(store_size(s, &bytes, &events), 0);
	assert_int_equal(events, 0);
	assert_int_equal(store_last_id(s, &id), 0);
	assert_int_equal(id, 100);
	assert_int_equal(prune_all(s, SAMPLE_TIME, 0, 0, &calls), 0);
	store_close(s);
}

static void test_prune_size(void **state)
{
	struct store_checked checked;
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	int64_t bytes, events, deleted;
	struct filter f;
	int calls;

	for (int i = 0; i < 8; i++)
		put_many(s, 1 + i * 1000, 1000, 1000);
	assert_int_equal(store_size(s, &bytes, &events), 0);
	assert_true(bytes > 4 << 20);
	deleted = prune_all(s, SAMPLE_TIME, 0, 2 << 20, &calls);
	assert_true(calls > 1);
	assert_int_equal(store_size(s, &bytes, &events), 0);
	assert_int_equal(events, 8000 - deleted);
	assert_in_range(events, 1000, 6000);
	filter_init(&f);
	f.limit = 500;
	assert_int_equal(ask(s, &f).id[499], 8000);
	assert_int_equal(store_check(s, true, &checked, err, sizeof(err)), 0);
	store_close(s);
	/* Given back to the file system, not only to SQLite. */
	assert_true(scratch_size(d->path) <= 2 << 20);
}

static void test_notes(void **state)
{
	struct store *s = open_store(*state, STORE_WRITE);
	char *text = NULL;

	assert_int_equal(store_get_note(s, "probes", &text), -ENOENT);
	assert_int_equal(store_set_note(s, "probes", "{}"), 0);
	assert_int_equal(store_set_note(s, "probes", "it's \xc3\xa9"), 0);
	assert_int_equal(store_set_note(s, "empty", ""), 0);
	assert_int_equal(store_sync(s), 0);
	store_close(s);
	s = open_store(*state, STORE_READ);
	assert_int_equal(store_get_note(s, "probes", &text), 0);
	assert_string_equal(text, "it's \xc3\xa9");
	free(text);
	assert_int_equal(store_get_note(s, "empty", &text), 0);
	assert_string_equal(text, "");
	free(text);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest store[] = {
		STORE_TEST(test_put_get),
		STORE_TEST(test_amend),
		STORE_TEST(test_order_and_limit),
		STORE_TEST(test_callback_stops),
		STORE_TEST(test_filters_agree),
		STORE_TEST(test_prune_age),
		STORE_TEST(test_prune_size),
		STORE_TEST(test_notes),
	};

	return cmocka_run_group_tests(store, NULL, NULL);
}
