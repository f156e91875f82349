// SPDX-License-Identifier: Apache-2.0
/* What leaves a real daemon while real resets happen, and who may ask. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

#define LIMIT_MS 15000
#define RECEIVER "http://127.0.0.1:4318"
#define SECRET	 "a-token-of-24-characters"

static struct daemon *start(struct world *w, const char *const more[])
{
	w->daemon = daemon_start(more);
	if (!w->daemon)
		harness_die("a daemon of the test's own");
	harness_defer((void (*)(void *))daemon_free, w->daemon);
	expect_start(w);
	return w->daemon;
}

/* The client, whose read() was told. */
static struct actor *one_reset(struct world *w, int64_t *id)
{
	struct pair p = pair_new(w->family);

	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	*id = expect(w, .kind = "received", .by = p.client, .class = "read",
		     .call = "read", .error = "ECONNRESET",
		     .cause = "linger_zero", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .class = "close",
	       .call = "close", .cause = "linger_zero", .other = p.client);
	return p.client;
}

static void log_has(const struct daemon *d, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/log", daemon_dir(d));
	file_wait_for(path, text, LIMIT_MS);
}

/* --- OTLP ------------------------------------------------------------------
 */
static const char *const to_receiver[] = {"--otlp", RECEIVER, "--listen",
					  "127.0.0.1:9477", NULL};

static void start_receiver(const char *file, const char *busy)
{
	char *argv[] = {"tests/e2e/otlp_receiver", "4318", (char *)file,
			(char *)busy, NULL};

	if (!have_program("python3") || !have_program("curl"))
		harness_skip("python3 and curl are not installed");
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
static void deliver_once(struct world *w, const char *busy)
{
	struct daemon *d;
	struct actor *client;
	char file[128];
	int times = 0;
	json_t *record;
	int64_t id;

	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, busy);
	d = start(w, to_receiver);
	client = one_reset(w, &id);
	if (atoi(busy))
		log_has(d, "the receiver takes events again");
	assert_int_equal(daemon_stop(d), 0);
	record = record_of(file, 200, id, &times);
	assert_int_equal(times, 1);
	record_is_right(record, client);
	json_decref(record);
	if (atoi(busy))
		log_has(d, "the receiver answers 503; it is tried again");
}

static void test_otlp(void **state)
{
	deliver_once(*state, "0");
}

static void test_otlp_receiver_that_is_busy(void **state)
{
	deliver_once(*state, "2");
}

static double metric(const char *name)
{
	const char *const argv[] = {"curl", "-sS", "--fail",
				    "http://127.0.0.1:9477/metrics", NULL};
	char *text = NULL, *at;
	double value;

	assert_int_equal(run_program(argv, LIMIT_MS, &text, NULL), 0);
	at = strstr(text, name);
	assert_non_null(at);
	value = strtod(at + strlen(name), NULL);
	free(text);
	return value;
}

/* Each attempt is refused, which is no failure to tell of. */
static void test_otlp_receiver_that_is_away(void **state)
{
	struct world *w = *state;
	struct daemon *d = start(w, to_receiver);
	char file[128];
	int64_t id, began;
	int times = 0;

	if (!have_program("curl"))
		harness_skip("curl is not installed");
	one_reset(w, &id);
	log_has(d, "it is tried again");
	harness_sleep(5000);
	expect_nothing_else(w);
	assert_true(metric("\nrstscope_export_lag_seconds ") >= 2);
	assert_true(metric("_seen_total{stage=\"export\"} ") >= 2);
	snprintf(file, sizeof(file), "%s/received", scratch());
	start_receiver(file, "0");
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
	d = start(w, more);
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

/* --- journald --------------------------------------------------------------
 */
/* A stand-in for journald, in a file system that the daemon alone sees. */
static int journal_open(void)
{
	static const struct sockaddr_un a = {AF_UNIX,
					     "/run/systemd/journal/socket"};
	struct timeval limit = {LIMIT_MS / 1000, 0};
	int fd;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/run", "tmpfs", 0, NULL) ||
	    mkdir("/run/systemd", 0755) || mkdir("/run/systemd/journal", 0755))
		harness_die("a /run of its own: %s", strerror(errno));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)))
		harness_die("journal socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

/* The machine is busy with other failures, too. */
static void next_with(int fd, const char *field, char text[4096])
{
	ssize_t n;

	do {
		n = recv(fd, text, 4095, 0);
		if (n < 0)
			fail_msg("no entry with %s", field);
		text[n] = '\0';
	} while (!strstr(text, field));
}

static void test_journal(void **state)
{
	static const char *const journal[] = {"--journal", "on", NULL};
	int before = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int here = open(".", O_PATH | O_CLOEXEC); /* setns() leads to / */
	char field[64], text[4096];
	struct world *w = *state;
	struct actor *client;
	int fd = journal_open();
	int64_t id;

	w->daemon = daemon_start(journal);
	assert_int_equal(setns(before, CLONE_NEWNS), 0);
	assert_int_equal(fchdir(here), 0);
	close(before);
	close(here);
	assert_non_null(w->daemon);
	harness_defer((void (*)(void *))daemon_free, w->daemon);
	expect_start(w);
	client = one_reset(w, &id);
	snprintf(field, sizeof(field), "RSTSCOPE_PID=%d\n",
		 (int)actor_pid(client));
	next_with(fd, field, text);
	snprintf(field, sizeof(field), "RSTSCOPE_ID=%lld\n", (long long)id);
	assert_non_null(strstr(text, field));
	assert_non_null(strstr(text, "RSTSCOPE_CAUSE=linger_zero\n"));
	assert_non_null(strstr(text, "RSTSCOPE_KIND=received\n"));
	assert_non_null(strstr(text, "PRIORITY=4\n"));
	assert_non_null(strstr(text, "] read ECONNRESET, peer 127.0.0.1:"));
	assert_int_equal(daemon_stop(w->daemon), 0);
	close(fd);
}

static void test_journal_that_is_away(void **state)
{
	static const char *const journal[] = {"--journal", "on", "--listen",
					      "127.0.0.1:9477", NULL};
	struct world *w = *state;
	struct daemon *d;
	int64_t id;

	if (!have_program("curl"))
		harness_skip("curl is not installed");
	if (!access("/run/systemd/journal/socket", F_OK))
		harness_skip("journald runs here");
	d = start(w, journal);
	log_has(d, "journald is not there");
	one_reset(w, &id);
	harness_sleep(3000); /* the metrics are of 2 s before */
	assert_true(metric("_lost_total{stage=\"export\"} ") >= 2);
	assert_int_equal(daemon_stop(d), 0);
}

/* --- the token -------------------------------------------------------------
 */
static int status_of(const char *path, const char *authorization)
{
	char url[100], header[100], *out = NULL;
	const char *const argv[] = {
		"curl",		"-sS", "-o",   "/dev/null", "-w",
		"%{http_code}", "-H",  header, url,	    NULL};
	int status;

	snprintf(url, sizeof(url), "http://127.0.0.1:9477%s", path);
	snprintf(header, sizeof(header), "Authorization:%s", authorization);
	assert_int_equal(run_program(argv, LIMIT_MS, &out, NULL), 0);
	status = atoi(out);
	free(out);
	return status;
}

static void test_token(void **state)
{
	char file[128], log[128];
	const char *const more[] = {"--listen", "0.0.0.0:9477", "--token-file",
				    file,	"-v",		NULL};
	struct daemon *d;

	if (!have_program("curl"))
		harness_skip("curl is not installed");
	snprintf(file, sizeof(file), "%s/token", scratch());
	must_in(-1, "umask 077; echo " SECRET " >%s", file);
	d = start(*state, more);
	assert_int_equal(status_of("/healthz", ""), 200);
	assert_int_equal(status_of("/metrics", ""), 401);
	assert_int_equal(status_of("/", ""), 401);
	assert_int_equal(status_of("/api/v1/events", "Bearer wrong"), 401);
	assert_int_equal(status_of("/nothing", ""), 401);
	assert_int_equal(status_of("/metrics", "Bearer " SECRET), 200);
	assert_int_equal(status_of("/api/v1/events", "Bearer " SECRET), 200);
	assert_int_equal(daemon_stop(d), 0);
	snprintf(log, sizeof(log), "%s/log", daemon_dir(d));
	assert_false(file_has(log, SECRET));
}

static void refused_with(const char *word, const char *token_file)
{
	char store[160], *err = NULL;
	const char *const argv[] = {program_path("rstscoped"),
				    "--listen",
				    "0.0.0.0:9477",
				    "--store",
				    store,
				    token_file ? "--token-file" : NULL,
				    token_file,
				    NULL};

	snprintf(store, sizeof(store), "%s/e.db", scratch());
	assert_int_equal(run_program(argv, LIMIT_MS, NULL, &err), 2);
	if (!strstr(err, word) || strchr(err, '\n') != err + strlen(err) - 1)
		fail_msg("wants one line with '%s': %s", word, err);
	assert_null(strstr(err, SECRET));
	free(err);
}

static void test_token_file_refused(void **state)
{
	char file[128];

	(void)state;
	refused_with("--token-file", NULL);
	snprintf(file, sizeof(file), "%s/token", scratch());
	refused_with("No such file", file);
	must_in(-1, "echo " SECRET " >%s; chmod 644 %s", file, file);
	refused_with("chmod o=", file);
	must_in(-1, "echo short >%s; chmod 600 %s", file, file);
	refused_with("one line", file);
}

int main(void)
{
	const struct CMUnitTest exports[] = {
		IPV4(test_otlp),
		IPV4(test_otlp_receiver_that_is_busy),
		IPV4(test_otlp_receiver_that_is_away),
		IPV4(test_otlp_receiver_that_hangs),
		IPV4(test_otlp_url),
		IPV4(test_journal),
		IPV4(test_journal_that_is_away),
		IPV4(test_token),
		IPV4(test_token_file_refused),
	};

	return run_table(exports);
}
