/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <cmocka.h>

#include "user/daemon/notify.h"
#include "user/daemon/status.h"

static struct status example(void)
{
	static const struct probe_status probes[] = {
		{.hook = "tcp_send_reset",
		 .method = "raw_tp",
		 .up = true,
		 .required = true,
		 .missed_known = true,
		 .missed = 12},
		{.hook = "kfree_skb",
		 .method = "none",
		 .why = "not \"allowed\""},
	};
	static const struct blind_spot spots[] = {{"splice\nfrom a socket"}};
	struct status s = {
		.pid = 77,
		.version = "1.2",
		.revision = "abc",
		.kernel = "6.18",
		.host = "web-1",
		.listen = "off",
		.started_us = 1764000000000000,
		.updated_us = 1764000001000000,
		.probes = probes,
		.n_probes = 2,
		.blind_spots = spots,
		.n_blind_spots = 1,
		.sockets_seeded = 9,
		.store = {.lost_queue = 4, .lost_store = 5},
		.processes = {1, 2, 3, 4},
		.stacks = {.on = true, .taken = 6, .named = 5, .bare = 1},
	};

	s.counts.kind[REC_RECEIVED] = (struct rec_count){10, 7, 2, 1};
	s.counts.kind[REC_OOM].dropped = 1;
	s.counts.tally[TALLY_ESTABLISHED_CLIENT] = 100;
	s.counts.tally[TALLY_ESTABLISHED_SERVER] = 200;
	s.counts.tally[TALLY_CONN_FULL] = 3;
	s.counts.ignored_known = true;
	s.counts.tally[TALLY_IGNORED_SEQUENCE] = 6;
	s.counts.tally[TALLY_IGNORED_CHALLENGED] = 7;
	s.counts.tally[TALLY_IGNORED_NO_SOCKET] = 8;
	return s;
}

static json_t *load(const struct status *s)
{
	char *text = status_json(s);
	json_t *json;

	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

static json_int_t number(json_t *json, const char *a, const char *b,
			 const char *c)
{
	json = json_object_get(json, a);
	if (b)
		json = json_object_get(json, b);
	if (c)
		json = json_object_get(json, c);
	assert_true(json_is_integer(json));
	return json_integer_value(json);
}

static void test_everything_is_there(void **state)
{
	struct status s = example();
	json_t *json = load(&s), *probe;

	(void)state;
	assert_int_equal(number(json, "pid", NULL, NULL), 77);
	assert_int_equal(number(json, "started_us", NULL, NULL),
			 1764000000000000);
	assert_true(json_is_false(json_object_get(json, "ended")));
	assert_string_equal(json_string_value(json_object_get(json, "host")),
			    "web-1");
	probe = json_array_get(json_object_get(json, "probes"), 1);
	assert_string_equal(json_string_value(json_object_get(probe, "why")),
			    "not \"allowed\"");
	assert_true(json_is_false(json_object_get(probe, "up")));
	assert_true(json_is_null(json_object_get(probe, "missed_runs")));
	probe = json_array_get(json_object_get(json, "probes"), 0);
	assert_int_equal(number(probe, "missed_runs", NULL, NULL), 12);
	assert_int_equal(json_array_size(json_object_get(json, "probes")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "blind_spots")),
			 1);
	assert_int_equal(number(json, "counts", "received", "seen"), 10);
	assert_int_equal(number(json, "counts", "received", "submitted"), 7);
	assert_int_equal(number(json, "counts", "received", "dropped"), 2);
	assert_int_equal(number(json, "counts", "received", "folded"), 1);
	assert_int_equal(json_object_size(json_object_get(json, "counts")),
			 REC_KINDS - 1);
	assert_int_equal(number(json, "lost", "ring", NULL), 3);
	assert_int_equal(number(json, "lost", "queue", NULL), 4);
	assert_int_equal(number(json, "lost", "store", NULL), 5);
	assert_int_equal(number(json, "connections", "client", NULL), 100);
	assert_int_equal(number(json, "connections", "server", NULL), 200);
	assert_int_equal(number(json, "connections", "table_full", NULL), 3);
	assert_int_equal(number(json, "ignored", "out_of_window", NULL), 6);
	assert_int_equal(number(json, "ignored", "challenged", NULL), 7);
	assert_int_equal(number(json, "ignored", "no_socket", NULL), 8);
	assert_int_equal(number(json, "sockets_seeded", NULL, NULL), 9);
	assert_int_equal(number(json, "processes", "missed", NULL), 4);
	assert_int_equal(number(json, "stacks", "taken", NULL), 6);
	assert_int_equal(number(json, "stacks", "named", NULL), 5);
	assert_int_equal(number(json, "stacks", "bare", NULL), 1);
	assert_int_equal(number(json, "stacks", "lost", NULL), 0);
	json_decref(json);
}

static void test_unknowns_and_hostile_text(void **state)
{
	struct status s = example();
	json_t *json;

	(void)state;
	s.sockets_seeded = NOT_KNOWN;
	s.host = "h\xc3\"";
	s.kernel = NULL;
	s.n_probes = s.n_blind_spots = 0;
	s.ended = true;
	json = load(&s);
	assert_true(json_is_null(json_object_get(json, "sockets_seeded")));
	assert_string_equal(json_string_value(json_object_get(json, "host")),
			    "h?\"");
	assert_true(json_is_true(json_object_get(json, "ended")));
	assert_int_equal(json_array_size(json_object_get(json, "probes")), 0);
	json_decref(json);
}

/* Nobody to tell: nothing happens. */
static void test_notify_without_systemd(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	notify_ready();
	notify_status("%d", 1);
	notify_stopping();
	assert_int_equal(notify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	unsetenv("WATCHDOG_PID");
	assert_int_equal(notify_watchdog_us(), 30000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_there),
		cmocka_unit_test(test_unknowns_and_hostile_text),
		cmocka_unit_test(test_notify_without_systemd),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
