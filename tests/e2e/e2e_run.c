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

#define RESETS	 4201 /* reads a request, then SO_LINGER 0 */
#define CLOSES	 4202 /* reads a request, then an orderly close */
#define WORDS	 16
#define LIMIT_MS 60000

/* --- a run -----------------------------------------------------------------
 */
struct outcome {
	int status;
	char *out,
		*err; /* of the command and of the report; freed at the end */
};

/* rstscope run WORD...; NULL ends them. */
static struct outcome run(const char *const words[])
{
	const char *argv[WORDS + 3] = {program_path("rstscope"), "run"};
	struct outcome o;

	for (size_t i = 0; words[i]; i++) {
		assert_true(i < WORDS);
		argv[i + 2] = words[i];
	}
	o.status = run_program(argv, LIMIT_MS, &o.out, &o.err);
	harness_defer(free, o.out);
	harness_defer(free, o.err);
	return o;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

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

static char *content(const char *path)
{
	char *text = calloc(1, 1 << 16);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 16) - 1, f) < (1 << 16) - 1);
	fclose(f);
	harness_defer(free, text);
	return text;
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
	o.status = run_program((const char *const[]){"sh", "-c", command, NULL},
			       LIMIT_MS, &o.out, &o.err);
	harness_defer(free, o.out);
	harness_defer(free, o.err);
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

/* --- a good wrapper ---------------------------------------------------------
 */
static void test_status(void **state)
{
	struct outcome o;

	(void)state;
	assert_int_equal(RUN("true").status, 0);
	assert_int_equal(RUN("sh", "-c", "exit 37").status, 37);
	assert_int_equal(RUN("sh", "-c", "kill -9 $$").status, 128 + 9);
	assert_int_equal(RUN("sh", "-c", "kill -TERM $$").status, 128 + 15);
	o = RUN("no-such-command");
	assert_int_equal(o.status, 127);
	assert_string_equal(o.err, "rstscope run: no-such-command: "
				   "No such file or directory\n");
	o = RUN("/etc/passwd");
	assert_int_equal(o.status, 126);
	assert_string_equal(o.err,
			    "rstscope run: /etc/passwd: Permission denied\n");
}

static void test_streams(void **state)
{
	struct outcome o;

	(void)state;
	o = RUN("sh", "-c", "echo out; echo err >&2");
	assert_string_equal(o.out, "out\n");
	assert_string_equal(o.err, "err\nrstscope run: no connection failed\n");
	/* options after the command's name are the command's */
	o = RUN("echo", "--quiet", "--json");
	assert_string_equal(o.out, "--quiet --json\n");
	assert_int_equal(shell_in(-1,
				  "test \"$(echo in | %s run -q cat)\" = in",
				  program_path("rstscope")),
			 0);
	/* an ignored SIGPIPE would be inherited */
	assert_int_equal(
		shell_in(-1,
			 "test \"$(%s run -q sh -c 'yes; echo $? >&2' 2>&1 "
			 ">/dev/full | tail -1)\" = 1",
			 program_path("rstscope")),
		0);
	assert_int_equal(
		shell_in(
			-1,
			"test \"$(%s run -q grep SigIgn /proc/self/status)\" = "
			"\"$(grep SigIgn /proc/self/status)\"",
			program_path("rstscope")),
		0);
}

/* It has started when its file is there; traps tell what came. */
static pid_t start_trapping(const char *log)
{
	static char script[1536];
	char *argv[] = {(char *)program_path("rstscope"),
			"run",
			"sh",
			"-c",
			script,
			NULL};

	snprintf(script, sizeof(script),
		 "trap 'echo term >>%1$s; exit 9' TERM\n"
		 "trap 'echo usr1 >>%1$s' USR1\n"
		 "trap 'echo int >>%1$s' INT\n"
		 "echo started >>%1$s\n"
		 "while :; do sleep 0.05; done\n",
		 log);
	return spawn("/dev/null", argv);
}

static unsigned int times(const char *text, const char *word)
{
	unsigned int n = 0;

	while ((text = strstr(text, word))) {
		text++;
		n++;
	}
	return n;
}

static void test_signals_are_passed_on_once(void **state)
{
	char log[256];
	pid_t pid;

	(void)state;
	snprintf(log, sizeof(log), "%s/log", scratch());
	pid = start_trapping(log);
	file_wait_for(log, "started", 30000);
	kill(pid, SIGUSR1);
	file_wait_for(log, "usr1", 5000);
	kill(pid, SIGINT);
	file_wait_for(log, "int", 5000);
	kill(pid, SIGTERM);
	assert_int_equal(spawn_wait(pid, 10000), 9);
	assert_int_equal(times(content(log), "usr1"), 1);
	assert_int_equal(times(content(log), "int"), 1);
	assert_int_equal(times(content(log), "term"), 1);
}

/* ^C goes to the whole group: to the command without our help. */
static void test_interrupt_from_the_terminal(void **state)
{
	char log[256], command[1024];

	(void)state;
	snprintf(log, sizeof(log), "%s/log", scratch());
	snprintf(command, sizeof(command),
		 "import os, pty, sys, time\n"
		 "pid, fd = pty.fork()\n"
		 "if not pid:\n"
		 "    os.execv('%s', ['rstscope', 'run', 'sh', '-c', "
		 "'trap \"echo int >>%s\" INT; echo started; "
		 "sleep 1; sleep 1; exit 8'])\n"
		 "text = b''\n"
		 "while b'started' not in text: text += os.read(fd, 100)\n"
		 "time.sleep(0.2)\n"
		 "os.write(fd, b'\\x03')\n"
		 "try:\n"
		 "    while os.read(fd, 100): pass\n"
		 "except OSError: pass\n"
		 "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n",
		 program_path("rstscope"), log);
	assert_int_equal(run_program((const char *const[]){"/usr/bin/python3",
							   "-c", command, NULL},
				     LIMIT_MS, NULL, NULL),
			 8);
	assert_string_equal(content(log), "int\n");
}

static void test_usage(void **state)
{
	struct outcome o;

	(void)state;
	o = run((const char *const[]){NULL});
	assert_int_equal(o.status, 2);
	assert_has(o.err, "rstscope run: COMMAND is missing");
	o = RUN("--nonsense", "true");
	assert_int_equal(o.status, 2);
	assert_has(o.err, "unknown option --nonsense");
	o = RUN("--json-fd", "77", "true");
	assert_int_equal(o.status, 2);
	assert_has(o.err, "--json-fd: 77 is not open for writing");
	o = RUN("--json-fd", "x", "true");
	assert_int_equal(o.status, 2);
	o = RUN("--timeouts", "/nonexistent", "true");
	assert_int_equal(o.status, 2);
}

static void test_without_privileges(void **state)
{
	char command[512];
	struct outcome o;

	(void)state;
	if (!have_program("setpriv"))
		harness_skip("setpriv is not installed");
	/* the program may lie where nobody else can reach it */
	snprintf(command, sizeof(command),
		 "cp %s %s/rstscope && setpriv --reuid 65534 --regid 65534 "
		 "--clear-groups %s/rstscope run echo started",
		 program_path("rstscope"), scratch(), scratch());
	o.status = run_program((const char *const[]){"sh", "-c", command, NULL},
			       LIMIT_MS, &o.out, &o.err);
	harness_defer(free, o.out);
	harness_defer(free, o.err);
	assert_int_equal(o.status, 3);
	assert_string_equal(o.out, "");
	assert_has(o.err, "rstscope run: loading probes needs CAP_BPF");
	assert_int_equal(times(o.err, "\n"), 1);
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
		IPV4(test_status),
		IPV4(test_streams),
		IPV4(test_signals_are_passed_on_once),
		IPV4(test_interrupt_from_the_terminal),
		IPV4(test_usage),
		IPV4(test_without_privileges),
	};

	return run_table(tests);
}
