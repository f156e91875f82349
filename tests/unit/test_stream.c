/* SPDX-License-Identifier: Apache-2.0 */
/* The ring that live clients read: filters, slow clients, the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <time.h>
#include <cmocka.h>

#include "sample_event.h"
#include "user/serve/stream.h"

#define PUT_LIMIT_NS 2e9 /* for 100,000; it takes some 20 ms */

static int setup(void **state)
{
	*state = stream_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	stream_free(*state);
	return 0;
}

static struct stream_client *join(struct stream *s, const struct filter *f)
{
	struct stream_client *c = NULL;
	struct filter all;

	filter_init(&all);
	assert_int_equal(stream_join(s, f ? f : &all, NULL, &c), 0);
	return c;
}

static void put(struct stream *s, int64_t id, const char *comm)
{
	struct event ev;

	sample_full(&ev, id);
	strcpy(ev.process.comm, comm);
	stream_put(s, &ev);
}

/* All that waits for that client, until it has to sleep. */
static char *take(struct stream_client *c, size_t piece)
{
	char *out = calloc(1, 4 << 20);
	size_t used = 0;
	ssize_t n;

	while ((n = stream_read(c, used, out + used, piece)) > 0)
		used += n;
	assert_int_equal(n, 0);
	return out;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

static void test_opens_at_once(void **state)
{
	struct stream_client *c = join(*state, NULL);
	char *text = take(c, 1000);

	assert_string_equal(text, "retry: 2000\n\n");
	free(text);
	stream_leave(c);
}

static void test_event_as_the_cli_prints_it(void **state)
{
	struct stream_client *c;
	char want[8192], *line, *text;
	struct event ev;

	put(*state, 1, "before"); /* nobody listens: not kept */
	c = join(*state, NULL);
	free(take(c, 1000));
	sample_full(&ev, 7);
	stream_put(*state, &ev);
	line = event_to_line(&ev);
	snprintf(want, sizeof(want), "event: failure\ndata: %s\n", line);
	text = take(c, 7); /* in small pieces */
	assert_string_equal(text, want);
	free(text);
	free(line);
	stream_leave(c);
}

static void test_filter(void **state)
{
	struct stream_client *c;
	struct filter f;
	char *text;

	filter_init(&f);
	strcpy(f.process, "nginx");
	c = join(*state, &f);
	free(take(c, 1000));
	put(*state, 1, "node");
	put(*state, 2, "nginx");
	put(*state, 3, "node");
	text = take(c, 1000);
	assert_int_equal(count(text, "event: failure"), 1);
	assert_non_null(strstr(text, "\"comm\":\"nginx\""));
	free(text);
	stream_leave(c);
}

/* A slow client is told what it missed; a quick one beside it gets it all. */
static void test_slow_client(void **state)
{
	static const char missed[] =
		"event: missed\ndata: {\"events\":500}\n\n"
		"event: failure\ndata: {\"schema\":1,\"id\":501,";
	struct stream_client *slow = join(*state, NULL);
	struct stream_client *quick = join(*state, NULL);
	unsigned int got = 0;
	char *text;

	free(take(slow, 1000));
	free(take(quick, 1000));
	for (int i = 1; i <= STREAM_RING + 500; i++) {
		put(*state, i, "node");
		if (i % 100 && i != STREAM_RING + 500)
			continue;
		text = take(quick, 16384);
		got += count(text, "event: failure");
		assert_null(strstr(text, "event: missed"));
		free(text);
	}
	assert_int_equal(got, STREAM_RING + 500);
	text = take(slow, 16384);
	assert_int_equal(strncmp(text, missed, sizeof(missed) - 1), 0);
	assert_int_equal(count(text, "event: missed"), 1);
	assert_int_equal(count(text, "event: failure"), STREAM_RING);
	free(text);
	stream_leave(slow);
	stream_leave(quick);
}

/* Sixteen that never read: what is put does not wait for them. */
static void test_nobody_reads(void **state)
{
	struct stream_client *c[STREAM_CLIENTS], *more = NULL;
	struct filter f;
	uint64_t start;

	filter_init(&f);
	for (int i = 0; i < STREAM_CLIENTS; i++)
		c[i] = join(*state, NULL);
	assert_int_equal(stream_join(*state, &f, NULL, &more), -EBUSY);
	assert_null(more);
	start = clock_mono_ns();
	for (int i = 1; i <= 100000; i++)
		put(*state, i, "node");
	assert_true(clock_mono_ns() - start < PUT_LIMIT_NS);
	stream_leave(c[0]);
	assert_int_equal(stream_join(*state, &f, NULL, &c[0]), 0);
	for (int i = 0; i < STREAM_CLIENTS; i++)
		stream_leave(c[i]);
}

static void test_stop_ends_all(void **state)
{
	struct stream_client *c = join(*state, NULL);
	char out[100];

	assert_int_equal(stream_start(*state), 0);
	free(take(c, 1000));
	stream_stop(*state);
	assert_int_equal(stream_read(c, 0, out, sizeof(out)), -1);
	stream_leave(c);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_opens_at_once), CASE(test_event_as_the_cli_prints_it),
		CASE(test_filter),	  CASE(test_slow_client),
		CASE(test_nobody_reads),  CASE(test_stop_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
