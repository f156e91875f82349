// SPDX-License-Identifier: Apache-2.0
/* What a real daemon sends to an OTLP receiver while real resets happen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/scrape.h"

#define LIMIT_MS 15000
#define RECEIVER "http://127.0.0.1:4318"
#define LISTEN	 "127.0.0.1:9477"

static void log_has(const struct daemon *d, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/log", daemon_dir(d));
	file_wait_for(path, text, LIMIT_MS);
}

#define LOST "rstscope_events_lost_total"

static double metric(const char *name, const char *label)
{
	char *text = scrape(LISTEN);
	double value = scrape_sum(text, name, label);

	assert_non_null(text);
	free(text);
	return value;
}

/* Of the stage export; the daemon reports every 2 s. */
static void metric_reaches(const char *name, double value)
{
	int64_t end = harness_now_ms() + harness_ms(LIMIT_MS);
	double now = 0;

	while (harness_now_ms() < end) {
		now = metric(name, "stage=\"export\"");
		if (now >= value)
			return;
		usleep(100000);
	}
	fail_msg("%s is %g, not %g", name, now, value);
}

/* Lines of its log with that text. */
static unsigned int log_count(const struct daemon *d, const char *text)
{
	char path[128], line[1024];
	unsigned int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", daemon_dir(d));
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

/* --- OTLP ------------------------------------------------------------------
 */
static const char *const to_receiver[] = {"--otlp", RECEIVER, "--listen",
					  LISTEN, NULL};

/* `more`: its options, NULL-terminated, or NULL. */
static void start_receiver(const char *file, char *const more[])
{
	char *argv[12] = {"tests/e2e/otlp_receiver", "4318", (char *)file};

	if (!have_program("python3"))
		harness_skip("python3 is not installed");
	for (int n = 3; more && *more && n < 11; more++)
		argv[n++] = *more;
	spawn("/dev/null", argv);
	wait_listening(4318);
}

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
	fail_msg("no attribute %s", key);
	return NULL;
}

static void text_is(const json_t *record, const char *key, const char *type,
		    const char *want)
{
	const char *have = json_string_value(
		json_object_get(attribute(record, key), type));

	if (!have || strcmp(have, want))
		fail_msg("%s: '%s', not '%s'", key, have ? have : "", want);
}

/* The record of that event in one request; NULL: it is not there. */
static json_t *record_in(const char *body, const char *id)
{
	json_t *request = json_loads(body, 0, NULL), *records, *one;
	json_t *found = NULL;
	size_t i;

	assert_int_equal(json_unpack(request,
				     "{s:[{s:{s:[{s:s}]}, s:[{s:o}]}]}",
				     "resourceLogs", "resource", "attributes",
				     "key", &(const char *){NULL}, "scopeLogs",
				     "logRecords", &records),
			 0);
	json_array_foreach(records, i, one)
	{
		const json_t *value = attribute(one, "rstscope.id");

		if (!strcmp(json_string_value(
				    json_object_get(value, "intValue")),
			    id))
			found = json_incref(one);
	}
	json_decref(request);
	return found;
}

/* From the requests that were answered so; how many there were is added. */
static json_t *record_of(const char *file, int status, int64_t id, int *times)
{
	static char line[1 << 20];
	FILE *f = fopen(file, "re");
	char number[24], path[32], type[64];
	json_t *found = NULL, *one;
	int have, at;

	assert_non_null(f);
	snprintf(number, sizeof(number), "%lld", (long long)id);
	while (fgets(line, sizeof(line), f)) {
		assert_int_equal(sscanf(line, "%*f %d %31s %63s %n", &have,
					path, type, &at),
				 3);
		assert_string_equal(path, "/v1/logs");
		assert_string_equal(type, "application/json");
		one = record_in(line + at, number);
		if (one && have == status) {
			json_decref(found);
			found = json_incref(one);
			(*times)++;
		}
		json_decref(one);
	}
	fclose(f);
	return found;
}

static void record_is_right(const json_t *record, const struct actor *client)
{
	const char *body, *severity;
	char pid[16], want[64];

	assert_int_equal(json_unpack((json_t *)record, "{s:s, s:{s:s}}",
				     "severityText", &severity, "body",
				     "stringValue", &body),
			 0);
	snprintf(pid, sizeof(pid), "%d", (int)actor_pid(client));
	snprintf(want, sizeof(want),
		 "[%s] read ECONNRESET, peer 127.0.0.1:", pid);
	assert_non_null(strstr(body, want));
	assert_string_equal(severity, "WARN");
	text_is(record, "process.pid", "intValue", pid);
	text_is(record, "network.transport", "stringValue", "tcp");
	text_is(record, "network.type", "stringValue", "ipv4");
	text_is(record, "network.peer.address", "stringValue", "127.0.0.1");
	text_is(record, "error.type", "stringValue", "ECONNRESET");
	text_is(record, "rstscope.kind", "stringValue", "received");
	text_is(record, "rstscope.cause", "stringValue", "linger_zero");
	assert_true(json_is_real(json_object_get(
		attribute(record, "rstscope.confidence"), "doubleValue")));
	assert_true(json_is_false(json_object_get(
		attribute(record, "rstscope.benign"), "boolValue")));
}

/* It stops at once, which sends what waits. */
static void test_otlp(void **state)
{
	struct actor *client;
	struct daemon *d;
	char file[128];
	int times = 0;
	json_t *record;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, NULL);
	d = own_daemon(*state, to_receiver);
	client = one_reset(*state, &id);
	assert_int_equal(daemon_stop(d), 0);
	record = record_of(file, 200, id, &times);
	assert_int_equal(times, 1);
	record_is_right(record, client);
	json_decref(record);
}

/* Seconds between its first two requests. */
static double first_pause(const char *file)
{
	static char line[1 << 20];
	FILE *f = fopen(file, "re");
	double at[2] = {0, 0};

	assert_non_null(f);
	for (int i = 0; i < 2; i++) {
		assert_non_null(fgets(line, sizeof(line), f));
		at[i] = atof(line);
	}
	fclose(f);
	return at[1] - at[0];
}

/* Retry-After says 2 s, where it would come again after 1 s. */
static void busy_with(struct world *w, char *status)
{
	char *const more[] = {"--busy", "1", "--status", status, NULL};
	char file[128], text[64];
	struct daemon *d;
	int times = 0;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, more);
	d = own_daemon(w, to_receiver);
	one_reset(w, &id);
	log_has(d, "the receiver takes events again");
	snprintf(text, sizeof(text),
		 "the receiver answers %s; it is tried again", status);
	log_has(d, text);
	json_decref(record_of(file, 200, id, &times));
	assert_int_equal(times, 1);
	assert_true(first_pause(file) >= 1.9);
}

static void test_otlp_receiver_that_is_busy(void **state)
{
	busy_with(*state, "503");
}

static void test_otlp_too_many_requests(void **state)
{
	busy_with(*state, "429");
}

/* Not to be repeated: the events are lost, and counted. */
static void test_otlp_receiver_that_fails(void **state)
{
	char *const more[] = {"--busy", "1", "--status", "500", NULL};
	char file[128];
	struct daemon *d;
	int times = 0;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, more);
	d = own_daemon(*state, to_receiver);
	one_reset(*state, &id);
	log_has(d, "the receiver answers 500; these events are lost");
	metric_reaches(LOST, 1);
	json_decref(record_of(file, 500, id, &times));
	assert_int_equal(times, 1);
}

/* Counted as lost, told once, never sent again. */
static void test_otlp_events_that_are_rejected(void **state)
{
	char *const more[] = {"--reject", "1", NULL};
	char file[128];
	struct daemon *d;
	int times = 0;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, more);
	d = own_daemon(*state, to_receiver);
	one_reset(*state, &id);
	log_has(d, "the receiver rejects 1 of ");
	log_has(d, " events: too?old");
	metric_reaches(LOST, 1);
	one_reset(*state, &id);
	metric_reaches(LOST, 2);
	assert_int_equal(daemon_stop(d), 0);
	json_decref(record_of(file, 200, id, &times));
	assert_int_equal(times, 1);
	assert_int_equal(log_count(d, "the receiver rejects"), 1);
}

/* A verdict that is not final waits for what is learned later. */
static void test_otlp_tells_the_final_verdict(void **state)
{
	struct world *w = *state;
	char file[128];
	struct pair p;
	int times = 0;
	json_t *record;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, NULL);
	own_daemon(w, to_receiver);
	p = pair_new(w->family);
	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	id = expect(w, .kind = "received", .any_process = true, .class = NULL,
		    .cause = "linger_zero", .other = p.server);
	harness_sleep(2500);
	file_wait_for(file, "\"sent\"", LIMIT_MS); /* the other end's */
	assert_null(record_of(file, 200, id, &times));
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	file_wait_for(file, "\"ECONNRESET\"", LIMIT_MS);
	record = record_of(file, 200, id, &times);
	assert_int_equal(times, 1);
	record_is_right(record, p.client);
	json_decref(record);
}

/* --- TLS -------------------------------------------------------------------
 */
#define TO_TLS "--otlp", "https://127.0.0.1:4318"

/* A certificate that no system trusts, with its key. */
static void make_certificate(const char *file)
{
	if (!have_program("openssl"))
		harness_skip("openssl is not installed");
	must_in(-1,
		"cd %s && openssl req -x509 -newkey ec -pkeyopt "
		"ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=receiver "
		"-addext subjectAltName=IP:127.0.0.1 -keyout key -out cert "
		"2>/dev/null && cat key cert >%s",
		scratch(), file);
}

static void test_otlp_over_tls(void **state)
{
	char file[128], pem[128], cert[128];
	char *const more[] = {"--cert", pem, NULL};
	const char *const trusting[] = {TO_TLS, "--otlp-ca", cert, NULL};
	struct daemon *d;
	int times = 0;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	snprintf(pem, sizeof(pem), "%s/pem", scratch());
	snprintf(cert, sizeof(cert), "%s/cert", scratch());
	make_certificate(pem);
	start_receiver(file, more);
	d = own_daemon(*state, trusting);
	one_reset(*state, &id);
	assert_int_equal(daemon_stop(d), 0);
	json_decref(record_of(file, 200, id, &times));
	assert_int_equal(times, 1);
}

static void test_otlp_certificate_of_a_stranger(void **state)
{
	static const char *const unwary[] = {TO_TLS, NULL};
	char file[128], pem[128];
	char *const more[] = {"--cert", pem, NULL};
	struct daemon *d;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	snprintf(pem, sizeof(pem), "%s/pem", scratch());
	make_certificate(pem);
	start_receiver(file, more);
	d = own_daemon(*state, unwary);
	one_reset(*state, &id);
	log_has(d, "certificate");
	assert_int_equal(daemon_stop(d), 0);
	assert_int_equal(access(file, F_OK), -1);
}

/* Each attempt is refused, which is no failure to tell of. */
static void test_otlp_receiver_that_is_away(void **state)
{
	struct world *w = *state;
	struct daemon *d = own_daemon(w, to_receiver);
	char file[128];
	int64_t id, began;
	int times = 0;

	one_reset(w, &id);
	log_has(d, "it is tried again");
	harness_sleep(5000);
	expect_nothing_else(w);
	assert_true(metric("rstscope_export_lag_seconds", "") >= 2);
	metric_reaches("rstscope_events_seen_total", 2);
	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, NULL);
	log_has(d, "the receiver takes events again");
	json_decref(record_of(file, 200, id, &times));
	assert_int_equal(times, 1); /* and none was lost for that */
	began = harness_now_ms();
	assert_int_equal(daemon_stop(d), 0);
	assert_true(harness_now_ms() - began < harness_ms(5000));
}

/* It takes the connection and says nothing: the end is not held up. */
static void test_otlp_receiver_that_hangs(void **state)
{
	struct actor *silent = actor_new("silent", 0);
	struct world *w = *state;
	char url[64];
	const char *const more[] = {"--otlp", url, NULL};
	struct daemon *d;
	int64_t id, began;

	snprintf(url, sizeof(url), "http://127.0.0.1:%ld",
		 act(silent, do_port, act(silent, do_listen, AF_INET, 8)));
	d = own_daemon(w, more);
	one_reset(w, &id);
	harness_sleep(1000);
	began = harness_now_ms();
	assert_int_equal(daemon_stop(d), 0);
	assert_true(harness_now_ms() - began < harness_ms(3000));
}

static void test_otlp_url(void **state)
{
	const char *const argv[] = {program_path("rstscoped"), "--otlp",
				    "collector:4318", NULL};
	char *err = NULL;

	(void)state;
	assert_int_equal(run_program(argv, LIMIT_MS, NULL, &err), 2);
	assert_non_null(strstr(err, "--otlp: wants http://HOST:PORT"));
	free(err);
}

int main(void)
{
	const struct CMUnitTest exports[] = {
		IPV4(test_otlp),
		IPV4(test_otlp_receiver_that_is_busy),
		IPV4(test_otlp_too_many_requests),
		IPV4(test_otlp_receiver_that_fails),
		IPV4(test_otlp_events_that_are_rejected),
		IPV4(test_otlp_tells_the_final_verdict),
		IPV4(test_otlp_over_tls),
		IPV4(test_otlp_certificate_of_a_stranger),
		IPV4(test_otlp_receiver_that_is_away),
		IPV4(test_otlp_receiver_that_hangs),
		IPV4(test_otlp_url),
	};

	return run_table(exports);
}
