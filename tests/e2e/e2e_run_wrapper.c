// SPDX-License-Identifier: Apache-2.0
/*
 * rstscope run as a wrapper: the command's status, streams and signals are as
 * without it; its own errors.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/outcome.h"

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
				     OUTCOME_LIMIT_MS, NULL, NULL),
			 8);
	assert_string_equal(content(log), "int\n");
}

static void test_usage(void **state)
{
	struct outcome o;

	(void)state;
	o = run_rstscope((const char *const[]){NULL});
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
	o = outcome_of((const char *const[]){"sh", "-c", command, NULL});
	assert_int_equal(o.status, 3);
	assert_string_equal(o.out, "");
	assert_has(o.err, "rstscope run: loading probes needs CAP_BPF");
	assert_int_equal(lines(o.err), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPV4(test_status),
		IPV4(test_streams),
		IPV4(test_signals_are_passed_on_once),
		IPV4(test_interrupt_from_the_terminal),
		IPV4(test_usage),
		IPV4(test_without_privileges),
	};

	return run_table(tests);
}
