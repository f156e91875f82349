// SPDX-License-Identifier: Apache-2.0
/*
 * rstscope run around real programs, beside the daemon of the test program,
 * which must not matter.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/outcome.h"

#define RESETS 4201 /* reads a request, then SO_LINGER 0 */
#define CLOSES 4202 /* reads a request, then an orderly close */

/* Two servers outside of what is run. */
static void start_servers(void)
{
	static char script[] =
		"import socket, struct, threading, time\n"
		"def serve(port, abort):\n"
		"    l = socket.create_server(('127.0.0.1', port))\n"
		"    while True:\n"
		"        s, _ = l.accept()\n"
		"        s.recv(65536)\n"
		"        if abort:\n"
		"            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,"
		" struct.pack('ii', 1, 0))\n"
		"        s.close()\n"
		"for port, abort in ((4201, True), (4202, False)):\n"
		"    threading.Thread(target=serve, args=(port, "
		"abort)).start()\n"
		"time.sleep(600)\n";
	char *argv[] = {"/usr/bin/python3", "-c", script, NULL};

	spawn("/dev/null", argv);
	wait_listening(RESETS);
	wait_listening(CLOSES);
}

/* --- words of the runtimes -------------------------------------------------
 */
static void test_curl(void **state)
{
	struct outcome o;

	(void)state;
	start_servers();
	o = RUN("curl", "-sS", "http://127.0.0.1:4201/");
	assert_int_equal(o.status, 56);
	assert_string_equal(o.out, "");
	assert_has(o.err, "rstscope run: 1 connection failed\n");
	assert_has(o.err, "to 127.0.0.1:4201\n");
	assert_has(o.err, "  Saw      curl: (56) Recv failure: "
			  "Connection reset by peer\n");
	assert_has(o.err, "  Verdict  linger_zero, confidence 0.9");
	assert_has(o.err, "  Retry    ");
	o = RUN("--", "curl", "-sS", "http://127.0.0.1:4202/");
	assert_int_equal(o.status, 52);
	assert_has(o.err, "  Saw      curl: (52) Empty reply from server\n");
	o = RUN("curl", "-sS", "http://127.0.0.1:9/");
	assert_int_equal(o.status, 7);
	/* curl's own line, and ours in the same words */
	assert_has(o.err, "curl: (7) Failed to connect to 127.0.0.1 port 9 ");
	assert_has(o.err, "  Saw      curl: (7) Failed to connect to "
			  "127.0.0.1 port 9\n");
	assert_has(o.err, "  Verdict  connection_refused");
}

static void test_python(void **state)
{
	struct outcome o;

	(void)state;
	start_servers();
	o = RUN("/usr/bin/python3", "-c",
		"import http.client\n"
		"for port in 4201, 4202, 9:\n"
		"    try:\n"
		"        c = http.client.HTTPConnection('127.0.0.1', port)\n"
		"        c.request('GET', '/')\n"
		"        c.getresponse()\n"
		"    except Exception as e:\n"
		"        print(type(e).__name__, e)\n");
	assert_int_equal(o.status, 0);
	assert_has(o.out, "ConnectionResetError [Errno 104] Connection reset");
	assert_has(o.err, "rstscope run: 3 connections failed\n");
	assert_has(o.err, "  Saw      ConnectionResetError: [Errno 104] "
			  "Connection reset by peer\n");
	assert_has(o.err, "  Saw      http.client.RemoteDisconnected: Remote "
			  "end closed connection without response\n");
	assert_has(o.err, "  Saw      ConnectionRefusedError: [Errno 111] "
			  "Connection refused\n");
}

/*
 * As `npm test` does: a shell, which starts the runner, which starts a process
 * that asks; server and client are the command's.
 */
static void test_suite_with_server_and_client(void **state)
{
	struct outcome o;

	(void)state;
	if (!have_program("node"))
		harness_skip("node is not installed");
	o = RUN("sh", "-c",
		"node -e '"
		"const net = require(\"net\"), cp = require(\"child_process\");"
		"const s = net.createServer(c => c.on(\"data\", () => "
		"c.resetAndDestroy()));"
		"s.listen(0, \"127.0.0.1\", () => cp.execFile(\"node\", "
		"[\"-e\","
		"\"require(`http`).get(`http://127.0.0.1:${process.argv[1]}/`)"
		".on(`error`, e => { console.log(String(e)); process.exit(3) "
		"})\", s.address().port], (e, out) => { "
		"process.stdout.write(out); process.exit(e.code) }));'");
	assert_int_equal(o.status, 3);
	assert_string_equal(o.out, "Error: read ECONNRESET\n");
	/* one connection, though both of its ends are seen */
	assert_has(o.err, "rstscope run: 1 connection failed\n");
	assert_has(o.err, "  Saw      Error: read ECONNRESET\n");
	assert_has(o.err, "  Verdict  linger_zero");
	assert_lacks(o.err, "  Did");
}

/* --- whose failures ---------------------------------------------------------
 */
static void test_children_that_die_at_once(void **state)
{
	struct outcome o;

	(void)state;
	start_servers();
	/* the last one: a session of its own, and a parent that has ended */
	o = RUN("sh", "-c",
		"f=$(mktemp); for i in 1 2 3; do "
		"curl -s http://127.0.0.1:4201/; done\n"
		"setsid sh -c '(sleep 0.3; curl -s http://127.0.0.1:4202/; "
		"echo done >$0) & exit' $f\n"
		"while [ ! -s $f ]; do sleep 0.05; done; rm $f; exit 4");
	assert_int_equal(o.status, 4);
	assert_has(o.err, "rstscope run: 4 connections failed\n");
	assert_has(o.err, "curl to 127.0.0.1:4201, 3 times\n");
	assert_has(o.err, "Empty reply from server");
}

/* A process beside it fails all the time. */
static void test_other_processes_are_not_told(void **state)
{
	char *argv[] = {"sh", "-c",
			"while :; do curl -s http://127.0.0.1:4201/; "
			"curl -s http://127.0.0.1:9/; done",
			NULL};
	struct outcome o;
	pid_t noise;

	(void)state;
	start_servers();
	noise = spawn("/dev/null", argv);
	harness_sleep(300);
	o = RUN("sleep", "1");
	assert_int_equal(o.status, 0);
	assert_string_equal(o.err, "rstscope run: no connection failed\n");
	o = RUN("--quiet", "sleep", "0.3");
	assert_string_equal(o.err, "");
	o = RUN("-q", "curl", "-s", "http://127.0.0.1:4202/");
	assert_int_equal(o.status, 52);
	assert_has(o.err, "rstscope run: 1 connection failed\n");
	assert_lacks(o.err, "4201");
	kill(-noise, SIGKILL);
	spawn_wait(noise, 5000);
}

static void test_resets_of_its_own(void **state)
{
	struct outcome o;

	(void)state;
	start_servers();
	o = RUN("/usr/bin/python3", "-c",
		"import socket, struct\n"
		"s = socket.create_connection(('127.0.0.1', 4201))\n"
		"s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,"
		" struct.pack('ii', 1, 0))\n"
		"s.close()\n");
	assert_int_equal(o.status, 0);
	assert_has(o.err, "no connection failed, 1 reset by the command\n");
	assert_has(o.err, "  Did      close sent RST\n");
	assert_has(o.err, "  Verdict  linger_zero");
}

/* --- the output -------------------------------------------------------------
 */
static unsigned int check_lines(char *text, const char *kind)
{
	unsigned int n = 0;
	char *next = NULL;

	for (char *line = strtok_r(text, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next), n++) {
		json_t *event = json_loads(line, 0, NULL);

		if (!event)
			fail_msg("no JSON: %s", line);
		expect_schema(event);
		assert_string_equal(
			json_string_value(json_object_get(event, "kind")),
			kind);
		json_decref(event);
	}
	return n;
}

static void test_json(void **state)
{
	char command[512], path[256];
	struct outcome o;

	(void)state;
	start_servers();
	snprintf(path, sizeof(path), "%s/events", scratch());
	/* the command does not get the descriptor; the report stays */
	snprintf(command, sizeof(command),
		 "exec %s run --json-fd 7 -- sh -c 'curl -s "
		 "http://127.0.0.1:4201/; ls /proc/self/fd | grep -cx 7' 7>%s",
		 program_path("rstscope"), path);
	o = outcome_of((const char *const[]){"sh", "-c", command, NULL});
	assert_string_equal(o.out, "0\n");
	assert_has(o.err, "rstscope run: 1 connection failed\n");
	assert_int_equal(check_lines(content(path), "received"), 1);
	/* in place of the report */
	o = RUN("--json", "curl", "-s", "http://127.0.0.1:9/");
	assert_int_equal(check_lines(o.err, "refused"), 1);
	o = RUN("--json", "true");
	assert_string_equal(o.err, "");
}

static void test_output_file(void **state)
{
	char path[256];
	struct outcome o;

	(void)state;
	snprintf(path, sizeof(path), "%s/report", scratch());
	o = RUN("--output", path, "curl", "-s", "http://127.0.0.1:9/");
	assert_int_equal(o.status, 7);
	assert_string_equal(o.err, "");
	assert_has(content(path), "rstscope run: 1 connection failed\n");
	/* a full disk: only a command that did well makes way for that */
	o = RUN("--output", "/dev/full", "true");
	assert_int_equal(o.status, 1);
	assert_has(o.err, "rstscope run: cannot write the report: No space");
	o = RUN("--output", "/dev/full", "sh", "-c", "exit 6");
	assert_int_equal(o.status, 6);
	assert_has(o.err, "cannot write the report");
	/* what cannot be opened is told before the command starts */
	o = RUN("--output", "/nonexistent/x", "echo", "started");
	assert_int_equal(o.status, 1);
	assert_string_equal(o.out, "");
	assert_has(o.err, "rstscope run: /nonexistent/x: No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPV4(test_curl),
		IPV4(test_python),
		IPV4(test_suite_with_server_and_client),
		IPV4(test_children_that_die_at_once),
		IPV4(test_other_processes_are_not_told),
		IPV4(test_resets_of_its_own),
		IPV4(test_json),
		IPV4(test_output_file),
	};

	return run_table(tests);
}
