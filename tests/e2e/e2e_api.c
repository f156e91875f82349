// SPDX-License-Identifier: Apache-2.0
/* The HTTP interface of a real daemon while real resets happen. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

#define LIMIT_MS 15000
#define BASE	 "http://127.0.0.1:9477"
#define STORM	 500
#define SECRET	 "a-token-of-24-characters"

#define LIVE_REQUEST                                                           \
	(long)"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const char *const listen_here[] = {"--listen", "127.0.0.1:9477", NULL};

static struct daemon *start(struct world *w, const char *const more[])
{
	if (!have_program("curl"))
		harness_skip("curl is not installed");
	return own_daemon(w, more);
}

static char *get_text(const char *path)
{
	char url[200], *out = NULL, *err = NULL;
	const char *const argv[] = {"curl", "-sS", "--fail", "--max-time",
				    "5",    url,   NULL};

	snprintf(url, sizeof(url), BASE "%s", path);
	if (run_program(argv, LIMIT_MS, &out, &err)) {
		print_error("%s: %s\n", url, err);
		fail();
	}
	free(err);
	return out;
}

static json_t *get(const char *path)
{
	char *text = get_text(path);
	json_t *json = json_loads(text, 0, NULL);

	if (!json)
		print_error("%s: %s\n", path, text);
	assert_non_null(json);
	free(text);
	return json;
}

/* The daemon sees the whole machine: what follows asks for one process. */
static json_t *get_of(const struct actor *who, const char *path)
{
	char text[100];

	snprintf(text, sizeof(text), "%s?benign=true&pid=%d", path,
		 (int)actor_pid(who));
	return get(text);
}

static bool holds(const json_t *events, const json_t *event)
{
	const json_t *one;
	size_t i;

	json_array_foreach(events, i, one)
	{
		if (json_equal(one, event))
			return true;
	}
	return false;
}

/* The API's events are those of `rstscope ls --json`, member for member. */
static void test_events_are_those_of_ls(void **state)
{
	json_t *page, *listed, *events, *event;
	struct world *w = *state;
	struct daemon *d = start(w, listen_here);
	struct actor *who;
	size_t i;

	who = one_reset(w, NULL);
	one_reset(w, NULL);
	expect_nothing_else(w);
	page = get_of(who, "/api/v1/events");
	listed = daemon_events(d, 0);
	events = json_object_get(page, "events");
	assert_int_equal(json_array_size(events), 1);
	json_array_foreach(events, i, event) assert_true(holds(listed, event));
	json_decref(page);
	json_decref(listed);
}

static void test_story_is_that_of_why(void **state)
{
	char path[64], number[24], *why = NULL;
	struct world *w = *state;
	struct daemon *d = start(w, listen_here);
	int64_t id;
	const char *const argv[] = {
		program_path("rstscope"), "why", number, "--store",
		daemon_store(d),	  NULL};
	json_t *story, *moment;
	size_t i;

	one_reset(w, &id);
	snprintf(number, sizeof(number), "%lld", (long long)id);
	snprintf(path, sizeof(path), "/api/v1/events/%s/story", number);
	story = get(path);
	assert_int_equal(run_program(argv, LIMIT_MS, &why, NULL), 0);
	assert_non_null(strstr(
		why, json_string_value(json_object_get(story, "headline"))));
	assert_non_null(strstr(
		why, json_string_value(json_object_get(story, "often"))));
	json_array_foreach(json_object_get(story, "moments"), i, moment)
		assert_non_null(strstr(why, json_string_value(json_object_get(
						    moment, "text"))));
	assert_true(i >= 3);
	json_decref(story);
	free(why);
}

static json_int_t count_of(const struct actor *who)
{
	json_t *summary = get_of(who, "/api/v1/summary");
	json_int_t n = json_integer_value(json_object_get(summary, "count"));

	json_decref(summary);
	return n;
}

static pid_t listen_live(const char *file)
{
	char *argv[] = {"curl", "-sSN", BASE "/api/v1/stream", NULL};
	pid_t pid = spawn(file, argv);

	file_wait_for(file, "retry: 2000\n", LIMIT_MS);
	return pid;
}

static void test_live(void **state)
{
	struct world *w = *state;
	char file[128], text[64];
	int64_t id;
	pid_t curl;

	start(w, listen_here);
	snprintf(file, sizeof(file), "%s/stream", scratch());
	curl = listen_live(file);
	one_reset(w, &id);
	snprintf(text, sizeof(text), "data: {\"schema\":1,\"id\":%lld,",
		 (long long)id);
	file_wait_for(file, text, LIMIT_MS);
	file_wait_for(file, "\"name\":\"linger_zero\"", LIMIT_MS);
	kill(curl, SIGTERM);
	spawn_wait(curl, LIMIT_MS);
}

/* A page that is closed: what the daemon would still send met a RST. */
static void test_leaving_is_no_failure(void **state)
{
	struct actor *reader = actor_new("reader", 0);
	struct world *w = *state;
	long fd;

	start(w, listen_here);
	fd = act(reader, do_connect, w->family, HOST_LOOPBACK, 9477);
	assert_true(fd >= 0);
	act(reader, do_say, fd, LIVE_REQUEST);
	harness_sleep(1000);
	assert_true(act(reader, do_read, fd, 16384) > 0);
	act(reader, do_close, fd);
	harness_sleep(6000); /* it has a sign of life to send every 5 s */
	expect_nothing_else(w);
}

static json_int_t lost(void)
{
	json_int_t ring, queue, store;
	json_t *status = get("/api/v1/status");

	assert_int_equal(json_unpack(status, "{s:{s:{s:I, s:I, s:I}}}",
				     "daemon", "lost", "ring", &ring, "queue",
				     &queue, "store", &store),
			 0);
	json_decref(status);
	return ring + queue + store;
}

/* It asks for the stream and never reads, while many resets come. */
static void test_client_that_reads_nothing(void **state)
{
	struct world *w = *state;
	struct daemon *d = start(w, listen_here);
	struct actor *lazy = actor_new("lazy", 0);
	struct pair p = pair_new(w->family);
	long fd;

	fd = act(lazy, do_connect, w->family, HOST_LOOPBACK, 9477);
	assert_true(fd >= 0);
	act(lazy, do_say, fd, LIVE_REQUEST);
	for (int i = 0; i < STORM; i++) {
		act(p.server, do_linger, p.s);
		act(p.server, do_close, p.s);
		assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
		act(p.client, do_close, p.c);
		if (i + 1 < STORM)
			pair_connect(w->family, &p);
	}
	harness_sleep(1500); /* what was folded is written */
	assert_int_equal(count_of(p.client), STORM);
	assert_int_equal(count_of(p.server), STORM);
	assert_int_equal(lost(), 0);
	/* nor does it hold up the daemon's end */
	assert_int_equal(daemon_stop(d), 0);
}

static void test_foreign_host_name(void **state)
{
	static const char *const argv[] = {"curl",
					   "-sS",
					   "-H",
					   "Host: evil.example",
					   BASE "/api/v1/events",
					   NULL};
	char *out = NULL;

	start(*state, listen_here);
	assert_int_equal(run_program(argv, LIMIT_MS, &out, NULL), 0);
	assert_non_null(strstr(out, "\"status\":403"));
	free(out);
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
	const struct CMUnitTest api[] = {
		IPV4(test_events_are_those_of_ls),
		IPV4(test_story_is_that_of_why),
		IPV4(test_live),
		IPV4(test_leaving_is_no_failure),
		IPV4(test_client_that_reads_nothing),
		IPV4(test_foreign_host_name),
		IPV4(test_token),
		IPV4(test_token_file_refused),
	};

	return run_table(api);
}
