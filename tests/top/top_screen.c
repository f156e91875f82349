/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rstscope top` as a person uses it: tmux is the terminal, types the keys and
 * reads the screen. RSTSCOPE_BUILD names the directory of the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/store/store.h"

#define WAIT_MS	   8000
#define SCREEN_MAX 65536
#define NOW	   clock_unix_us()
#define MINUTE_US  (60 * USEC_PER_SEC)

struct top_case {
	char dir[64], program[256], socket[32];
	struct store *store;
	char screen[SCREEN_MAX];
	int64_t next_id;
};

/* What a command printed, into out; its exit status. */
static int run(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int run(char *out, size_t size, const char *fmt, ...)
{
	char command[1024];
	size_t used = 0, n;
	va_list args;
	FILE *pipe;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (used + 1 < size &&
	       (n = fread(out + used, 1, size - used - 1, pipe)))
		used += n;
	out[used] = '\0';
	return pclose(pipe);
}

/* tmux COMMAND with a server of the test's own. */
#define tmux(c, fmt, ...)                                                      \
	do {                                                                   \
		char answer[256];                                              \
                                                                               \
		assert_int_equal(run(answer, sizeof(answer),                   \
				     "tmux -L %s " fmt,                        \
				     (c)->socket __VA_OPT__(, ) __VA_ARGS__),  \
				 0);                                           \
	} while (0)

static void keys(struct top_case *c, const char *words)
{
	tmux(c, "send-keys -t top %s", words);
}

static bool shows(struct top_case *c, const char *text)
{
	run(c->screen, sizeof(c->screen), "tmux -L %s capture-pane -p -t top",
	    c->socket);
	return strstr(c->screen, text) != NULL;
}

static void wait_until(struct top_case *c, const char *text, bool wanted)
{
	for (int ms = 0; shows(c, text) != wanted; ms += 50) {
		if (ms >= WAIT_MS)
			fail_msg("%s '%s' on:\n%s", wanted ? "no" : "still",
				 text, c->screen);
		usleep(50000);
	}
}

static void see(struct top_case *c, const char *text)
{
	wait_until(c, text, true);
}

static void put(struct top_case *c, int64_t ago_us, const char *comm,
		enum cause cause, int last_byte)
{
	const struct event *events[1];
	struct event ev;
	char err[256];

	event_init(&ev);
	ev.id = c->next_id++;
	strcpy(ev.host, "web1");
	ev.time_us = NOW - ago_us;
	ev.kind = KIND_RECEIVED;
	ev.count = 1;
	ev.process.known = true;
	ev.process.pid = 4711;
	snprintf(ev.process.comm, sizeof(ev.process.comm), "%s", comm);
	ev.syscall.known = true;
	ev.syscall.class = CALL_READ;
	strcpy(ev.syscall.name, "recvfrom");
	ev.syscall.errno_nr = ECONNRESET;
	ev.family = 4;
	memcpy(ev.local.ip, "\x0a\0\0\x05", 4);
	memcpy(ev.peer.ip, "\x0a\0\0", 3);
	ev.peer.ip[3] = (uint8_t)last_byte;
	ev.peer.port = 5432;
	ev.role = ROLE_CLIENT;
	ev.state = 1;
	ev.verdict.cause = cause;
	ev.verdict.confidence = 0.9;
	strcpy(ev.verdict.evidence[0].fact, "the evidence of the test");
	ev.verdict.evidence[0].supports = true;
	ev.verdict.evidences = 1;
	events[0] = &ev;
	assert_int_equal(store_put(c->store, events, 1, err, sizeof(err)), 0);
}

/* Two causes: one an hour old and many, one of the last minutes. */
static void put_failures(struct top_case *c)
{
	for (int i = 0; i < 30; i++)
		put(c, (30 - i) * 90 * USEC_PER_SEC + MINUTE_US, "node",
		    CAUSE_STALE_KEEPALIVE, 9);
	for (int i = 0; i < 6; i++)
		put(c, (6 - i) * USEC_PER_SEC, "java", CAUSE_SERVER_CRASH,
		    10 + i);
}

static void start_shell(struct top_case *c)
{
	tmux(c, "-f /dev/null new-session -d -s top -x 80 -y 24 "
		"'env PS1=ready: LC_ALL=C.UTF-8 HISTFILE= bash --norc'");
	tmux(c, "set-option -g window-size manual");
	see(c, "ready:");
}

/* bash mends a terminal by itself, sh does not. */
static void start_top(struct top_case *c)
{
	char words[768];

	snprintf(words, sizeof(words),
		 "'ulimit -c 0; sh -c \"stty -a >%s/before; %s --store "
		 "%s/events.db top; stty -a >%s/after\"' Enter",
		 c->dir, c->program, c->dir, c->dir);
	keys(c, words);
	see(c, "rstscope top  ");
	see(c, "36 failures");
}

static int setup(void **state)
{
	const char *build = getenv("RSTSCOPE_BUILD");
	struct top_case *c = calloc(1, sizeof(*c));
	char path[128], err[256];

	assert_non_null(c);
	strcpy(c->dir, "/tmp/rstscope-top-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	assert_non_null(realpath(build ? build : "build", c->screen));
	snprintf(c->program, sizeof(c->program), "%.200s/rstscope", c->screen);
	snprintf(c->socket, sizeof(c->socket), "rstscope-%d", getpid());
	snprintf(path, sizeof(path), "%s/events.db", c->dir);
	if (store_open(&c->store, path, STORE_WRITE, err, sizeof(err)))
		fail_msg("%s", err);
	c->next_id = 1;
	put_failures(c);
	start_shell(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct top_case *c = *state;

	tmux(c, "kill-server");
	store_close(c->store);
	run(c->screen, sizeof(c->screen), "rm -r '%s'", c->dir);
	free(c);
	return 0;
}

/* --- the tests ------------------------------------------------------------ */

static void shows_groups(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	see(c, "CAUSE  ");
	/* the fresh one has the higher rate, 6 in a minute, and is first */
	see(c, "new server_crash");
	see(c, "6.0/min");
	see(c, "16.7%");
	assert_true(strstr(c->screen, "server_crash") <
		    strstr(c->screen, "stale_keepalive"));
	assert_null(strstr(c->screen, "new stale"));
	see(c, "\xe2\x96\x88"); /* a full bar */
}

static void keys_switch_groups(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	keys(c, "2");
	see(c, "new java");
	see(c, "PROCESS");
	keys(c, "Tab");
	see(c, "10.0.0.15");
	keys(c, "4");
	see(c, "5432");
	keys(c, "Right");
	see(c, "    read ");
	keys(c, "Left");
	see(c, "    5432 ");
}

static void sorts_and_filters(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	keys(c, "s");
	see(c, "sort: count");
	assert_true(strstr(c->screen, "server_crash") >
		    strstr(c->screen, "stale_keepalive"));
	keys(c, "/ s t a l");
	see(c, "filter: stal");
	wait_until(c, "server_crash", false);
	see(c, "stale_keepalive");
	keys(c, "BSpace x Enter");
	see(c, "no group has that in its name");
	keys(c, "Escape");
	see(c, "server_crash");
}

static void enter_opens_why(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	keys(c, "Enter");
	see(c, "java[4711] read ECONNRESET");
	see(c, "event 36 (received)"); /* the newest of the group */
	see(c, "+ the evidence of the test");
	keys(c, "Escape");
	see(c, "CAUSE  ");
	keys(c, "Down Enter");
	see(c, "event 30 (received)");
	keys(c, "q");
	see(c, "CAUSE  ");
	keys(c, "?");
	see(c, "group by cause, process, peer, port, syscall");
	keys(c, "?");
	see(c, "CAUSE  ");
}

static void pause_stops_the_clock(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	keys(c, "Space");
	see(c, "[paused]");
	put(c, 0, "curl", CAUSE_RATE_LIMIT, 7);
	sleep(2);
	assert_false(shows(c, "rate_limit"));
	keys(c, "Space");
	see(c, "new rate_limit");
	see(c, "37 failures");
}

static void resizes(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	tmux(c, "resize-window -t top -x 100 -y 10");
	see(c, "q quit");
	wait_until(c, "rstscope top  ", true);
	tmux(c, "resize-window -t top -x 30 -y 5");
	see(c, "rstscope top  ");
	tmux(c, "resize-window -t top -x 80 -y 24");
	see(c, "q quit");
	see(c, "stale_keepalive");
}

/* The modes of the terminal and the text before are as they were. */
static void is_restored(struct top_case *c)
{
	char diff[2048];

	see(c, "ready:ulimit");
	wait_until(c, "q quit", false);
	keys(c, "'echo o$((1+1))k' Enter");
	see(c, "o2k");
	assert_int_equal(run(diff, sizeof(diff), "diff %s/before %s/after",
			     c->dir, c->dir),
			 0);
	keys(c, "clear Enter");
	wait_until(c, "o2k", false);
}

static void quits(void **state)
{
	struct top_case *c = *state;

	start_top(c);
	keys(c, "q");
	is_restored(c);
	start_top(c);
	keys(c, "C-c");
	is_restored(c);
}

static void restored_after_signals(void **state)
{
	static const int signals[] = {SIGTERM, SIGQUIT, SIGHUP, SIGSEGV,
				      SIGABRT};
	struct top_case *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		char pid[32];

		start_top(c);
		assert_int_equal(run(pid, sizeof(pid),
				     "pgrep -f '^%s.*%s/events.db top$'",
				     c->program, c->dir),
				 0);
		assert_int_equal(kill(atoi(pid), signals[i]), 0);
		is_restored(c);
	}
}

static void one_frame_in_a_pipe(void **state)
{
	struct top_case *c = *state;

	assert_int_equal(run(c->screen, sizeof(c->screen),
			     "%s --store %s/events.db top --by process",
			     c->program, c->dir),
			 0);
	assert_non_null(strstr(c->screen, "NEW PROCESS COUNT"));
	assert_non_null(strstr(c->screen, "new java        6 6.0/min 16.7%"));
	assert_null(strstr(c->screen, "\033"));
	assert_int_equal(run(c->screen, sizeof(c->screen),
			     "%s --store %s/events.db top --once | wc -l",
			     c->program, c->dir),
			 0);
	assert_int_equal(atoi(c->screen), 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(shows_groups),
		CASE(keys_switch_groups),
		CASE(sorts_and_filters),
		CASE(enter_opens_why),
		CASE(pause_stops_the_clock),
		CASE(resizes),
		CASE(quits),
		CASE(restored_after_signals),
		CASE(one_frame_in_a_pipe),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
