/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report with an observer, a writer and a clock of the test's own: their
 * functions below stand for those of the library.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/raw_pipeline.h"
#include "user/daemon/report.h"
#include "user/daemon/status.h"

static struct {
	int64_t now_us;
	struct writer_stats store;
	char *note, *key;
	int notes, first_notes;
	uint64_t clients, servers; /* the kernel's counters */
	struct store_connections connections;
} world;

int64_t clock_unix_us(void)
{
	return world.now_us;
}

uint64_t clock_mono_ns(void)
{
	return (uint64_t)world.now_us * 1000;
}

const struct record_context *observer_context(const struct observer *o)
{
	(void)o;
	return &raw_context;
}

void observer_get_counts(const struct observer *o, struct observe_counts *c)
{
	(void)o;
	memset(c, 0, sizeof(*c));
	c->tally[TALLY_SEEDED] = 12;
	c->tally[TALLY_RECEIVED] = 34;
	c->tally[TALLY_ESTABLISHED_CLIENT] = world.clients;
	c->tally[TALLY_ESTABLISHED_SERVER] = world.servers;
}

size_t observer_get_probes(const struct observer *o,
			   struct probe_status probes[PROBES_MAX])
{
	(void)o;
	memset(&probes[0], 0, sizeof(probes[0]));
	strcpy(probes[0].hook, "tcp_receive_reset");
	strcpy(probes[0].method, "tp_btf");
	probes[0].up = true;
	return 1;
}

size_t observer_get_blind_spots(const struct observer *o,
				struct blind_spot spots[BLIND_SPOTS_MAX])
{
	(void)o;
	strcpy(spots[0].text, "something is not seen");
	return 1;
}

void writer_get_stats(struct writer *w, struct writer_stats *stats)
{
	(void)w;
	*stats = world.store;
}

static void keep_note(const char *key, const char *text)
{
	free(world.note);
	free(world.key);
	world.note = strdup(text);
	world.key = strdup(key);
}

int writer_note(struct writer *w, const char *key, const char *text)
{
	(void)w;
	world.notes++;
	keep_note(key, text);
	return 0;
}

int writer_connections(struct writer *w, const struct store_connections *c)
{
	(void)w;
	world.connections = *c;
	return 0;
}

int store_set_note(struct store *s, const char *key, const char *text)
{
	(void)s;
	world.first_notes++;
	keep_note(key, text);
	return 0;
}

/* --- the tests ------------------------------------------------------------ */

/* Nobody looks into these. */
static char a_writer, a_store;
#define WRITER ((struct writer *)&a_writer)
#define STORE  ((struct store *)&a_store)

struct world {
	struct line *l;
	struct report *r;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct report_config config = {
		.host = "web1",
		.listen = "127.0.0.1:9477",
		.metric_processes = 5,
	};

	if (!w)
		return -1;
	memset(&world, 0, sizeof(world));
	world.now_us = 1790000000 * USEC_PER_SEC;
	world.clients = 1000;
	w->l = line_new();
	config.pipeline = w->l->p;
	w->r = report_new(&config);
	*state = w;
	return w->r ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	report_free(w->r);
	report_free(NULL);
	line_free(w->l);
	free(w);
	free(world.note);
	free(world.key);
	return 0;
}

static bool healthy(struct world *w, const char *why_not)
{
	char why[100] = "";
	bool is = report_healthy(w->r, why, sizeof(why));

	if (!is && !strstr(why, why_not))
		fail_msg("why: %s", why);
	return is;
}

static void test_starting(void **state)
{
	struct world *w = *state;

	assert_false(healthy(w, "starting"));
	report_first(w->r, STORE); /* what doctor reads, not health */
	assert_int_equal(world.first_notes, 1);
	assert_int_equal(world.notes, 0);
	assert_false(healthy(w, "starting"));
	report_update(w->r, WRITER, false);
	assert_true(healthy(w, ""));
}

/* Only a loop that turns is well. */
static void test_stale(void **state)
{
	struct world *w = *state;

	report_update(w->r, WRITER, false);
	world.now_us += 10 * USEC_PER_SEC;
	assert_true(healthy(w, ""));
	world.now_us += 1;
	assert_false(healthy(w, "hangs: 10 s"));
	report_update(w->r, WRITER, false);
	assert_true(healthy(w, ""));
}

static void test_store_error(void **state)
{
	struct world *w = *state;

	world.store.last_error = ENOSPC;
	report_update(w->r, WRITER, false);
	assert_false(healthy(w, "No space left on device"));
	world.store.last_error = 0;
	report_update(w->r, WRITER, false);
	assert_true(healthy(w, ""));
}

static json_t *note_json(void)
{
	json_t *json = json_loads(world.note, 0, NULL);

	assert_non_null(json);
	assert_string_equal(world.key, STATUS_NOTE);
	return json;
}

static void is_text(const json_t *json, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(json, key));

	assert_non_null(got);
	assert_string_equal(got, want);
}

static int64_t number(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void test_note(void **state)
{
	struct world *w = *state;
	json_t *json;

	world.store.lost_store = 99;
	report_update(w->r, WRITER, false);
	json = note_json();
	is_text(json, "host", "web1");
	is_text(json, "listen", "127.0.0.1:9477");
	is_text(json, "kernel", "6.18.0");
	assert_int_equal(json_array_size(json_object_get(json, "probes")), 1);
	assert_non_null(strstr(world.note, "tcp_receive_reset"));
	assert_non_null(strstr(world.note, "something is not seen"));
	assert_int_equal(number(json, "sockets_seeded"), 12);
	assert_int_equal(number(json_object_get(json, "lost"), "store"), 99);
	assert_int_equal(number(json, "started_us"), world.now_us);
	assert_int_equal(number(json, "updated_us"), world.now_us);
	json_decref(json);
}

/* What happened before the start is no connection of ours. */
static void test_connections(void **state)
{
	struct world *w = *state;
	int64_t start_us = world.now_us;

	world.now_us += 2 * USEC_PER_SEC;
	world.clients += 5;
	world.servers += 3;
	report_update(w->r, WRITER, false);
	assert_int_equal(world.connections.from_us, start_us);
	assert_int_equal(world.connections.until_us, world.now_us);
	assert_int_equal(world.connections.client, 5);
	assert_int_equal(world.connections.server, 3);
	world.now_us += 60 * USEC_PER_SEC;
	report_update(w->r, WRITER, false);
	world.now_us += 2 * USEC_PER_SEC;
	world.clients++;
	report_update(w->r, WRITER, true);
	assert_int_equal(world.connections.from_us,
			 world.now_us - 2 * USEC_PER_SEC);
	assert_int_equal(world.connections.client, 1);
	assert_int_equal(world.connections.server, 0);
}

static void test_last_note(void **state)
{
	struct world *w = *state;
	json_t *json;

	for (int ended = 0; ended <= 1; ended++) {
		report_update(w->r, WRITER, ended);
		json = note_json();
		assert_int_equal(json_is_true(json_object_get(json, "ended")),
				 ended);
		json_decref(json);
	}
	assert_int_equal(world.notes, 2);
}

static void test_metrics(void **state)
{
	struct world *w = *state;
	char *page = NULL;
	size_t size;

	world.store.events = 4711;
	report_update(w->r, WRITER, false);
	assert_int_equal(metrics_render(report_metrics(w->r), METRICS_TEXT,
					&page, &size),
			 0);
	assert_non_null(strstr(page, "\nrstscope_sockets_seeded 12\n"));
	assert_non_null(strstr(page, "\nrstscope_store_events 4711\n"));
	assert_non_null(strstr(page, "kernel=\"6.18.0\""));
	assert_non_null(strstr(page, "probe=\"tcp_receive_reset\""));
	free(page);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_starting),	CASE(test_stale),
		CASE(test_store_error), CASE(test_note),
		CASE(test_last_note),	CASE(test_metrics),
		CASE(test_connections),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
