/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sample_event.h"
#include "schema_check.h"

static json_t *schema;

static int load_schema(void **state)
{
	(void)state;
	schema = json_load_file(SCHEMA_FILE, 0, NULL);
	return schema ? 0 : -1;
}

static int drop_schema(void **state)
{
	(void)state;
	json_decref(schema);
	return 0;
}

static void demand_valid(const struct event *ev)
{
	struct schema_check check;
	json_t *json = event_to_json(ev);

	assert_non_null(json);
	if (!schema_ok(&check, schema, json))
		fail_msg("%s", check.err);
	json_decref(json);
}

static void demand_turn(const struct event *ev)
{
	char err[128] = "", *line = event_to_line(ev);
	struct event back;
	json_t *json;

	assert_non_null(line);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	if (event_from_json(&back, json, err, sizeof(err)))
		fail_msg("%s", err);
	assert_memory_equal(&back, ev, sizeof(back));
	json_decref(json);
	free(line);
}

static void test_follows_schema(void **state)
{
	struct event ev;

	(void)state;
	sample_bare(&ev, 1);
	demand_valid(&ev);
	sample_full(&ev, 1);
	demand_valid(&ev);
	ev.other_comm[0] = '\0';
	ev.other_pid = ev.other_event = NOT_KNOWN;
	ev.process.pid = NOT_KNOWN;
	ev.verdict.confidence = 1.5;
	ev.verdict.timeout_seconds = 1 / 0.0;
	demand_valid(&ev);
}

/* The checker itself finds what it is for. */
static void test_checker_finds(void **state)
{
	struct schema_check check;
	struct event ev;
	json_t *json;

	(void)state;
	sample_full(&ev, 1);
	json = event_to_json(&ev);
	json_object_set_new(json, "count", json_integer(0));
	assert_false(schema_ok(&check, schema, json));
	json_object_set_new(json, "count", json_integer(1));
	assert_true(schema_ok(&check, schema, json));
	json_object_set_new(json, "extra", json_null());
	assert_false(schema_ok(&check, schema, json));
	json_object_del(json, "extra");
	json_object_set_new(json_object_get(json, "process"), "via",
			    json_string("magic"));
	assert_false(schema_ok(&check, schema, json));
	json_object_set_new(json, "process", json_null());
	assert_true(schema_ok(&check, schema, json));
	json_object_del(json_object_get(json, "cause"), "benign");
	assert_false(schema_ok(&check, schema, json));
	json_decref(json);
}

static void test_turn(void **state)
{
	struct event ev;

	(void)state;
	sample_bare(&ev, 1);
	demand_turn(&ev);
	sample_full(&ev, 12);
	demand_turn(&ev);
	ev.syscall.errno_nr = 4000; /* has no name */
	ev.state = NOT_KNOWN;
	demand_turn(&ev);
}

/* Every cause, blame and retry has a name that leads back. */
static void test_turn_verdicts(void **state)
{
	struct event ev;

	(void)state;
	sample_full(&ev, 1);
	for (int i = 0; i < CAUSES; i++) {
		ev.verdict.cause = (enum cause)i;
		ev.verdict.blame = (enum blame)(i % BLAMES);
		ev.verdict.retry = (enum retry)(i % RETRIES);
		demand_turn(&ev);
	}
}

static void test_unknown_is_null(void **state)
{
	struct event ev;
	json_t *json, *connection;

	(void)state;
	sample_bare(&ev, 1);
	json = event_to_json(&ev);
	connection = json_object_get(json, "connection");
	assert_true(json_is_null(json_object_get(json, "process")));
	assert_true(json_is_null(json_object_get(json, "syscall")));
	assert_true(json_is_null(json_object_get(json, "packet")));
	assert_true(json_is_null(json_object_get(connection, "idle_ms")));
	assert_true(json_is_null(json_object_get(connection, "peer_fin")));
	assert_string_equal(
		json_string_value(json_object_get(connection, "state")),
		"UNKNOWN");
	json_decref(json);
}

static void test_time_and_numbers(void **state)
{
	struct event ev;
	char *line;

	(void)state;
	sample_full(&ev, 1);
	ev.time_us = 1790000000000007ll;
	line = event_to_line(&ev);
	assert_non_null(
		strstr(line, "\"time\":\"2026-09-21T14:13:20.000007Z\""));
	assert_non_null(strstr(line, "\"confidence\":0.93,"));
	assert_non_null(strstr(line, "\"seconds\":5.5,"));
	assert_non_null(strstr(line, "\"errno\":\"ECONNRESET\""));
	free(line);
}

/* A process may call itself anything. */
static void test_hostile_names(void **state)
{
	struct event ev;
	json_t *json;
	char *line;

	(void)state;
	sample_full(&ev, 1);
	strcpy(ev.process.comm, "a\xff\"\n\x1b[31m\xc3");
	demand_valid(&ev);
	line = event_to_line(&ev);
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	assert_null(strchr(line, '\x1b'));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	json_decref(json);
	free(line);
}

static void demand_refused(const char *path, json_t *value, const char *what)
{
	char err[128] = "", group[32];
	const char *dot = strchr(path, '.');
	struct event ev, back, before;
	json_t *json, *into;

	sample_full(&ev, 1);
	memset(&back, 7, sizeof(back));
	before = back;
	json = into = event_to_json(&ev);
	if (dot) {
		snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
		into = json_object_get(json, group);
		path = dot + 1;
	}
	json_object_set_new(into, path, value);
	assert_int_equal(event_from_json(&back, json, err, sizeof(err)),
			 -EINVAL);
	if (!strstr(err, what))
		fail_msg("'%s' lacks '%s'", err, what);
	assert_memory_equal(&back, &before, sizeof(back));
	json_decref(json);
}

static void test_refuses(void **state)
{
	(void)state;
	demand_refused("schema", json_integer(2), "schema");
	demand_refused("id", json_null(), "id is missing");
	demand_refused("kind", json_string("eaten"), "kind");
	demand_refused("time", json_string("1h"), "time");
	demand_refused("time", json_integer(5), "time");
	demand_refused("count", json_integer(-4), "count");
	demand_refused("foo", json_null(), "foo is not known");
	demand_refused("process", json_integer(1), "process");
	demand_refused("process.pid", json_string("1"), "process.pid");
	demand_refused("process.comm",
		       json_string("much longer than sixteen bytes"),
		       "process.comm");
	demand_refused("syscall.errno", json_string("EFOO"), "syscall.errno");
	demand_refused("connection.peer", json_object(), "connection.peer");
	demand_refused("connection.family", json_string("ipv4"), "local");
	demand_refused("connection.bar", json_true(), "connection.bar");
	demand_refused("cause.name", json_string("gremlins"), "cause.name");
	demand_refused("cause.confidence", json_real(1.01), "confidence");
	demand_refused("cause.evidence", json_null(), "evidence");
	demand_refused("advice.fixes", json_string("x"), "fixes");
	demand_refused("advice.retry", json_string("maybe"), "retry");
}

static void test_refuses_no_object(void **state)
{
	char err[128] = "";
	struct event ev;

	(void)state;
	assert_int_equal(event_from_json(&ev, NULL, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "event: JSON is not an object");
}

int main(void)
{
	const struct CMUnitTest event_json[] = {
		cmocka_unit_test(test_follows_schema),
		cmocka_unit_test(test_checker_finds),
		cmocka_unit_test(test_turn),
		cmocka_unit_test(test_turn_verdicts),
		cmocka_unit_test(test_unknown_is_null),
		cmocka_unit_test(test_time_and_numbers),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_refuses_no_object),
	};

	return cmocka_run_group_tests(event_json, load_schema, drop_schema);
}
