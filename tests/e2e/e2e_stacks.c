/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --stacks: the functions that a failing call came from. This file is compiled
 * with frame pointers (tests.mk), as its own functions are looked for.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/route.h"

#define PYTHON "/usr/bin/python3"
/* The caller stays on the stack: this is no tail call. */
#define STAYS(result) __asm__ volatile("" : : "r"(result) : "memory")

__attribute__((noinline)) static long read_answer(long fd)
{
	char bytes[8];
	long n = error_or(recv((int)fd, bytes, sizeof(bytes), 0));

	STAYS(n);
	return n;
}

__attribute__((noinline)) static long run_job(long fd, long b, long c, long d)
{
	long n = read_answer(fd);

	UNUSED(b, c, d);
	STAYS(n);
	return n;
}

__attribute__((noinline)) static long drop_client(long fd, long b, long c,
						  long d)
{
	long n = error_or(close((int)fd));

	UNUSED(b, c, d);
	STAYS(n);
	return n;
}

__attribute__((noinline)) static long connect_to(long family, long host,
						 long port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long n;

	inet_pton(AF_INET, host_address((int)family, (enum host)host),
		  &to.sin_addr);
	n = error_or(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	STAYS(n);
	close(fd);
	return n;
}

__attribute__((noinline)) static long reach_backend(long family, long host,
						    long port, long d)
{
	long n = connect_to(family, host, port);

	UNUSED(d);
	STAYS(n);
	return n;
}

/* Skips the test where doctor says that this kernel shows no stacks. */
static struct daemon *stacks_daemon(struct world *w, const char *const more[])
{
	struct daemon *d = own_daemon(w, more);
	json_t *all = doctor(w);
	char *text = json_dumps(all, 0);
	bool none = strstr(text, "(--stacks): this kernel has no");

	free(text);
	json_decref(all);
	if (none)
		harness_skip("doctor: this kernel shows no stacks (5.11)");
	return d;
}

/* --- what was kept -------------------------------------------------------- */

/* What `rstscope why ID` prints; static. */
static const char *why(const struct world *w, int64_t id, bool json)
{
	static char text[1 << 16];
	char number[24], *out = NULL;
	const char *argv[] = {program_path("rstscope"),
			      "why",
			      number,
			      "--store",
			      daemon_store(w->daemon),
			      json ? "--json" : NULL,
			      NULL};

	snprintf(number, sizeof(number), "%lld", (long long)id);
	assert_int_equal(run_program(argv, 10000, &out, NULL), 0);
	snprintf(text, sizeof(text), "%s", out);
	free(out);
	return text;
}

/* Its story, once the stack is in it. */
static const char *story_with_stack(const struct world *w, int64_t id)
{
	const char *text = "";

	for (int i = 0; i < 100; i++) {
		text = why(w, id, false);
		if (strstr(text, "Called from"))
			return text;
		harness_sleep(50);
	}
	fail_msg("no stack:\n%s", text);
	return text;
}

/* All of them, in this order, below "Called from". */
static void frames_in(const char *story, const char *const frames[])
{
	const char *at = strstr(story, "Called from");

	for (size_t i = 0; frames[i]; i++) {
		const char *found = strstr(at, frames[i]);

		if (!found)
			fail_msg("%s is not there, or not at its place:\n%s",
				 frames[i], story);
		at = found + strlen(frames[i]);
	}
}
#define FRAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static json_t *doctor_of(const struct world *w)
{
	const char *argv[] = {
		program_path("rstscope"), "doctor", "--json", "--store",
		daemon_store(w->daemon),  NULL};
	char *out = NULL;
	json_t *all;

	run_program(argv, 20000, &out, NULL);
	all = json_loads(out, 0, NULL);
	free(out);
	assert_non_null(all);
	return all;
}

static int64_t counted(const struct world *w, const char *name)
{
	json_t *all = doctor_of(w);
	int64_t n = json_integer_value(json_object_get(
		json_object_get(json_object_get(all, "daemon"), "stacks"),
		name));

	json_decref(all);
	return n;
}

/* --- the tests ------------------------------------------------------------ */

static const char *const stacks_on[] = {"--stacks", "on", NULL};

static void test_told_and_closing(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	int64_t told, sent;

	stacks_daemon(w, stacks_on);
	act(p.client, do_write, p.c, 1);
	harness_sleep(20);
	act(p.server, drop_client, p.s); /* with a byte unread */
	harness_sleep(20);
	assert_int_equal(act(p.client, run_job, p.c), -ECONNRESET);
	told = expect(w, .kind = "received", .by = p.client, .class = "read",
		      .call = "recvfrom", .error = "ECONNRESET",
		      .any_other = true);
	sent = expect(w, .kind = "sent", .by = p.server, .class = "close",
		      .call = "close", .any_other = true);
	frames_in(story_with_stack(w, told),
		  FRAMES("recv", "(libc", "read_answer (e2e_stacks)",
			 "run_job (e2e_stacks)"));
	frames_in(story_with_stack(w, sent),
		  FRAMES("close", "(libc", "drop_client (e2e_stacks)"));
	assert_non_null(strstr(why(w, told, true), "\"stack\":[{\"symbol\":"));
	/* lists are as the contract has them */
	assert_null(json_object_get(event_now(w, told), "stack"));
	harness_sleep(2500); /* the daemon's note */
	/* the daemon sees the rest of the machine, too */
	assert_true(counted(w, "taken") >= 2);
	assert_true(counted(w, "named") >= 2);
}

/* The RST comes while the caller sleeps in connect(), in a softirq. */
static void test_refused_by_another_host(void **state)
{
	struct world *w = *state;
	struct actor *client;
	int peer = netns_new();

	netns_link(netns_home(), "a", "10.77.1.1", peer, "b", "10.77.1.2");
	stacks_daemon(w, stacks_on);
	client = actor_new("client", 0);
	assert_int_equal(act(client, reach_backend, w->family, HOST_B, 4109),
			 -ECONNREFUSED);
	frames_in(story_with_stack(w,
				   expect(w, .kind = "refused", .by = client,
					  .class = "connect", .call = "connect",
					  .error = "ECONNREFUSED")),
		  FRAMES("connect", "(libc", "connect_to (e2e_stacks)",
			 "reach_backend (e2e_stacks)"));
}

static void test_off(void **state)
{
	struct world *w = *state;
	struct pair p;
	json_t *all;
	int64_t told;

	own_daemon(w, NULL);
	p = pair_new(w->family);
	act(p.server, do_linger, p.s);
	act(p.server, drop_client, p.s);
	harness_sleep(20);
	assert_int_equal(act(p.client, run_job, p.c), -ECONNRESET);
	told = expect(w, .kind = "received", .by = p.client, .class = "read",
		      .call = "recvfrom", .error = "ECONNRESET",
		      .any_other = true);
	harness_sleep(2500); /* the daemon's note */
	assert_null(strstr(why(w, told, false), "Called from"));
	assert_null(strstr(why(w, told, true), "\"stack\""));
	all = doctor_of(w);
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(
				json_object_get(json_object_get(all, "daemon"),
						"counts"),
				"stack"),
			"seen")),
		0);
	json_decref(all);
	assert_int_equal(counted(w, "taken"), 0);
}

/* Raw records hold the addresses; replay gives the events as without. */
static void test_recorded(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	char file[256], *out = NULL;
	const char *more[] = {"--stacks", "on", "--record", file, NULL};
	const char *argv[] = {program_path("rstscope"), "replay", file,
			      "--json", NULL};
	struct daemon *d;

	snprintf(file, sizeof(file), "%s/records", scratch());
	d = stacks_daemon(w, more);
	act(p.server, do_linger, p.s);
	act(p.server, drop_client, p.s);
	harness_sleep(20);
	act(p.client, run_job, p.c);
	expect(w, .kind = "received", .by = p.client, .class = "read",
	       .call = "recvfrom", .error = "ECONNRESET", .any_other = true);
	assert_int_equal(daemon_stop(d), 0);
	assert_true(file_has(file, "\nstack "));
	assert_int_equal(run_program(argv, 10000, &out, NULL), 0);
	assert_non_null(strstr(out, "\"ECONNRESET\""));
	free(out);
}

static const char *put(const char *name, const char *text)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scratch(), name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		harness_die("%s", path);
	return path;
}

static char *port_text(long port)
{
	static char text[24];

	snprintf(text, sizeof(text), "%ld", port);
	return text;
}

static pid_t start(char *const argv[])
{
	char output[256];

	snprintf(output, sizeof(output), "%s/log", scratch());
	return spawn(output, argv);
}

/* The server resets while sendOrder() is busy: its write() is told. */
static void test_node(void **state)
{
	static const char script[] =
		"const net = require('net'), fs = require('fs');\n"
		"function busy() {"
		" while (!fs.existsSync(process.argv[4])); }\n"
		"function sendOrder(s) { s.write('first'); busy();"
		" s.write('second'); }\n"
		"const c = net.connect(process.argv[2], '127.0.0.1', () => "
		"sendOrder(c));\n"
		"c.on('error', () => setTimeout(() => process.exit(0), "
		"process.argv[3]));\n";
	struct world *w = *state;
	char wait_ms[16], log[96], closed[96];
	char *argv[] = {"node",
			"--perf-basic-prof",
			"--interpreted-frames-native-stack",
			"--no-logfile-per-isolate",
			log,
			NULL,
			NULL,
			wait_ms,
			closed,
			NULL};
	struct actor *server = actor_new("server", 0);
	long listener, fd;
	char map[64];
	pid_t pid;

	if (!have_program("node"))
		harness_skip("node is not installed");
	stacks_daemon(w, stacks_on);
	listener = act(server, do_listen, w->family, 16);
	snprintf(wait_ms, sizeof(wait_ms), "%d", harness_ms(2000));
	snprintf(log, sizeof(log), "--logfile=%s/v8.log", scratch());
	snprintf(closed, sizeof(closed), "%s/closed", scratch());
	argv[5] = (char *)put("order.js", script);
	argv[6] = port_text(act(server, do_port, listener));
	pid = start(argv);
	fd = act(server, do_accept, listener);
	act(server, do_read, fd, 5);
	act(server, do_linger, fd);
	act(server, do_close, fd);
	put("closed", "");
	frames_in(story_with_stack(w, expect(w, .kind = "received", .pid = pid,
					     .comm = "node", .class = "write",
					     .call = "write",
					     .error = "ECONNRESET",
					     .any_other = true)),
		  FRAMES("write", "node::LibuvStreamWrap::DoTryWrite",
			 "sendOrder", "node"));
	snprintf(map, sizeof(map), "/tmp/perf-%d.map", pid);
	spawn_wait(pid, 10000);
	remove(map);
}

/* C frames, as far as Debian's Python has them. */
static void test_python(void **state)
{
	static const char script[] =
		"import socket, sys, time\n"
		"c = socket.create_connection(('127.0.0.1', "
		"int(sys.argv[1])))\n"
		"c.send(b'1')\n" /* connect() is over: recv() is told */
		"try: c.recv(10)\n"
		"except OSError: time.sleep(float(sys.argv[2]))\n";
	struct world *w = *state;
	char wait_s[16];
	char *argv[] = {PYTHON, NULL, NULL, wait_s, NULL};
	struct actor *server = actor_new("server", 0);
	long listener, fd;
	const char *story;
	pid_t pid;

	if (!have_program(PYTHON))
		harness_skip("python3 is not installed");
	stacks_daemon(w, stacks_on);
	listener = act(server, do_listen, w->family, 16);
	snprintf(wait_s, sizeof(wait_s), "%d", harness_ms(2000) / 1000);
	argv[1] = (char *)put("recv.py", script);
	argv[2] = port_text(act(server, do_port, listener));
	pid = start(argv);
	fd = act(server, do_accept, listener);
	act(server, do_read, fd, 1);
	act(server, do_linger, fd);
	act(server, do_close, fd);
	story = story_with_stack(
		w, expect(w, .kind = "received", .pid = pid, .comm = "python3",
			  .class = "read", .call = "recvfrom",
			  .error = "ECONNRESET", .any_other = true));
	frames_in(story, FRAMES("recv", "(libc", "python3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPV4(test_told_and_closing),
		IPV4(test_refused_by_another_host),
		IPV4(test_off),
		IPV4(test_recorded),
		IPV4(test_node),
		IPV4(test_python),
	};

	return run_table(tests);
}
