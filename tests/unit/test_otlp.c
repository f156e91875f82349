/* SPDX-License-Identifier: Apache-2.0 */
/* Events as OTLP log records, and what a receiver's answer says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "sample_event.h"
#include "user/serve/otlp.h"
#include "user/serve/otlp_json.h"

static const json_t *attribute(const json_t *record, const char *key)
{
	const json_t *list = json_object_get(record, "attributes"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!strcmp(json_string_value(json_object_get(one, "key")),
			    key))
			return json_object_get(one, "value");
	}
	return NULL;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Times and 64-bit numbers are text (Protocol Buffers), severity a number. */
static void test_record(void **state)
{
	struct event ev;
	json_t *record;

	(void)state;
	sample_full(&ev, 17);
	ev.time_us = 1764000000123456;
	ev.verdict.benign = false;
	record = otlp_record(&ev, 1764000001000000);
	assert_string_equal(text(record, "timeUnixNano"),
			    "1764000000123456000");
	assert_string_equal(text(record, "observedTimeUnixNano"),
			    "1764000001000000000");
	assert_int_equal(
		json_integer_value(json_object_get(record, "severityNumber")),
		13);
	assert_string_equal(text(record, "severityText"), "WARN");
	assert_string_equal(text(record, "eventName"), "rstscope.failure");
	assert_string_equal(text(attribute(record, "rstscope.id"), "intValue"),
			    "17");
	assert_non_null(
		text(attribute(record, "network.peer.port"), "intValue"));
	assert_non_null(text(attribute(record, "process.pid"), "intValue"));
	json_decref(record);
	ev.verdict.benign = true;
	record = otlp_record(&ev, 1764000001000000);
	assert_int_equal(
		json_integer_value(json_object_get(record, "severityNumber")),
		9);
	json_decref(record);
}

/* What is not known is left out, never 0 or empty. */
static void test_unknowns(void **state)
{
	static const char *const absent[] = {
		"process.pid",	"process.executable.name", "rstscope.comm",
		"container.id", "rstscope.syscall",	   "rstscope.idle_ms",
	};
	struct event ev;
	json_t *record;

	(void)state;
	sample_bare(&ev, 1);
	record = otlp_record(&ev, 1);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (attribute(record, absent[i]))
			fail_msg("%s is there", absent[i]);
	assert_string_equal(
		text(attribute(record, "error.type"), "stringValue"),
		kind_name(ev.kind));
	json_decref(record);
}

static bool rejection(const char *answer, struct otlp_rejection *out)
{
	memset(out, 0xff, sizeof(*out));
	return otlp_rejection(answer, strlen(answer), out);
}

static void test_rejection(void **state)
{
	static const char *const none[] = {
		"",
		"{}",
		"{\"partialSuccess\":{}}",
		"{\"partialSuccess\":null}",
		"{\"partialSuccess\":[]}",
		"{\"partialSuccess\":{\"rejectedLogRecords\":\"0\"}}",
		"{\"partialSuccess\":{\"rejectedLogRecords\":\"-3\"}}",
		"{\"partialSuccess\":{\"rejectedLogRecords\":\"x\"}}",
		"{\"partialSuccess\":{\"errorMessage\":7}}",
		"{\"partialSuccess\":{\"rejectedLogRec",
		"<html>",
	};
	struct otlp_rejection r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (rejection(none[i], &r))
			fail_msg("%s: %llu '%s'", none[i],
				 (unsigned long long)r.events, r.why);
	assert_true(rejection("{\"partialSuccess\":{\"rejectedLogRecords\":"
			      "\"3\",\"errorMessage\":\"too old\"}}",
			      &r));
	assert_int_equal(r.events, 3);
	assert_string_equal(r.why, "too old");
	assert_true(rejection("{\"partialSuccess\":{\"rejectedLogRecords\":2}}",
			      &r));
	assert_int_equal(r.events, 2);
	assert_string_equal(r.why, "");
	/* a warning: all were taken */
	assert_true(
		rejection("{\"partialSuccess\":{\"errorMessage\":\"x\"}}", &r));
	assert_int_equal(r.events, 0);
}

static void test_ca_refused(void **state)
{
	struct otlp_config config = {"https://127.0.0.1:1", "/nonexistent",
				     "host"};
	struct otlp *o = NULL;
	char err[300];

	(void)state;
	assert_int_equal(otlp_start(&o, &config, err, sizeof(err)), -EINVAL);
	assert_string_equal(
		err, "--otlp-ca: /nonexistent: No such file or directory");
	config.ca = "/dev/null";
	assert_int_equal(otlp_start(&o, &config, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "--otlp-ca: /dev/null has no certificate");
	config.ca = "/tmp";
	assert_int_equal(otlp_start(&o, &config, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "Is a directory"));
	assert_null(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_unknowns),
		cmocka_unit_test(test_rejection),
		cmocka_unit_test(test_ca_refused),
	};

	return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
