/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <locale.h>
#include <time.h>

#include "tests/unit/cli_case.h"
#include "user/cli/column_list.h"

static void names_are_unique_and_explained(void **state)
{
	(void)state;
	for (const struct column *a = column_table; a->name; a++) {
		assert_true(column_find(a->name) == a);
		assert_true(*a->header && *a->help);
		assert_true(a->width > 0);
		assert_true((a->format == FORMAT_FUNCTION) ==
			    (a->text != NULL));
	}
	for (size_t i = 0; default_columns[i]; i++)
		assert_non_null(column_find(default_columns[i]));
	assert_null(column_find("nonsense"));
}

/* A fact that was not observed is no zero. */
static void unknown_is_empty(void **state)
{
	static const char *const known[] = {
		"id",	 "count",  "kind",  "failure", "local",
		"peer",	 "role",   "state", "cause",   "confidence",
		"blame", "benign", "retry", "time",
	};
	struct show show = {.now_us = CASE_NOW_US};
	char text[COLUMN_TEXT];
	struct event ev;

	(void)state;
	event_init(&ev);
	for (const struct column *c = column_table; c->name; c++) {
		bool always = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			always |= !strcmp(known[i], c->name);
		column_text(c, &show, &ev, text);
		if (!always && *text)
			fail_msg("%s shows '%s' of nothing", c->name, text);
	}
}

static void text_of(const struct event *ev, const char *column,
		    const char *expected)
{
	struct show show = {.now_us = CASE_NOW_US};
	char text[COLUMN_TEXT];

	column_text(column_find(column), &show, ev, text);
	assert_string_equal(text, expected);
}

static void cells(void **state)
{
	struct event ev = case_event(7, 10);

	(void)state;
	text_of(&ev, "id", "7");
	text_of(&ev, "process", "node[1234]");
	text_of(&ev, "failure", "read ECONNRESET");
	text_of(&ev, "errno", "ECONNRESET");
	text_of(&ev, "call", "recvfrom");
	text_of(&ev, "peer", "10.0.0.9:3000");
	text_of(&ev, "cause", "stale_keepalive");
	text_of(&ev, "confidence", "0.93");
	text_of(&ev, "state", "ESTABLISHED");
	text_of(&ev, "idle", "");
	ev.idle_ms = 5020;
	text_of(&ev, "idle", "5.02 s");
	ev.peer_fin = TRI_NO;
	text_of(&ev, "peer_fin", "no");
	ev.unread_bytes = 0;
	text_of(&ev, "unread", "0 B");
	ev.verdict.confidence = 0.4;
	text_of(&ev, "cause", "stale_keepalive?");
	text_of(&ev, "time", "2026-11-24T05:59:50.000000Z");
}

static void failures_in_words(void **state)
{
	struct event ev = case_event(7, 10);

	(void)state;
	ev.syscall.class = CALL_WRITE;
	ev.syscall.errno_nr = EPIPE;
	text_of(&ev, "failure", "write EPIPE");
	ev.syscall.errno_nr = 4095;
	text_of(&ev, "failure", "write errno 4095");
	ev.syscall.known = false;
	text_of(&ev, "failure", "received, not told");
	text_of(&ev, "errno", "");
	ev.kind = KIND_SENT;
	text_of(&ev, "failure", "sent RST");
	ev.syscall.known = true;
	ev.syscall.class = CALL_CLOSE;
	ev.syscall.errno_nr = NOT_KNOWN;
	text_of(&ev, "failure", "close sent RST");
	ev.kind = KIND_HANGUP;
	ev.syscall.class = CALL_READ;
	text_of(&ev, "failure", "read hang-up");
}

/* A process may call itself anything. */
static void names_are_made_safe(void **state)
{
	struct event ev = case_event(7, 10);
	char text[COLUMN_TEXT];

	(void)state;
	strcpy(ev.process.comm, "a\033[2Jb\n\xff");
	for (const struct column *c = column_table; c->name; c++) {
		struct show show = {.now_us = CASE_NOW_US};

		column_text(c, &show, &ev, text);
		for (const char *s = text; *s; s++)
			assert_false(iscntrl((unsigned char)*s));
	}
	text_of(&ev, "comm", "a?[2Jb??");
}

static void times_are_local_on_a_terminal(void **state)
{
	struct show show = {.now_us = CASE_NOW_US, .terminal = true};
	char text[64];

	(void)state;
	setenv("TZ", "XYZ-2", 1); /* two hours east */
	tzset();
	show_time(&show, CASE_NOW_US - 10 * USEC_PER_SEC, text, 64);
	assert_string_equal(text, "07:59:50");
	show_time(&show, CASE_NOW_US - 86400 * USEC_PER_SEC, text, 64);
	assert_string_equal(text, "11-23 08:00:00");
	show.utc = true;
	show_time(&show, CASE_NOW_US - 10 * USEC_PER_SEC, text, 64);
	assert_string_equal(text, "05:59:50Z");
	show_time(&show, NOT_KNOWN, text, 64);
	assert_string_equal(text, "");
}

static void choosing(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(1, 10);

	case_put(c, &ev);
	assert_int_equal(case_run(c, "ls -o cause,id"), 0);
	assert_string_equal(c->out, "CAUSE           ID\nstale_keepalive  1\n");
	assert_int_equal(case_run(c, "ls -o all"), 0);
	assert_has(c->out, "COMMUNITY-ID");
	assert_int_equal(case_run(c, "ls -o id,tme"), -EINVAL);
	assert_has(c->err, "no column 'tme' (did you mean time?)");
	assert_has(c->err, "community_id");
	assert_int_equal(case_run(c, "ls -o id,,pid"), -EINVAL);
	assert_int_equal(case_run(c, "ls -o id --json"), -EINVAL);
	assert_has(c->err, "exclude each other");
}

static void ls_prints_all_in_a_pipe(void **state)
{
	struct cli_case *c = *state;

	for (int i = 1; i <= 1200; i++) {
		struct event ev = case_event(i, 1300 - i);

		ev.verdict.benign = i == 3;
		case_put(c, &ev);
	}
	assert_int_equal(case_run(c, "ls"), 0);
	assert_int_equal(lines_of(c->out), 1200); /* and a header */
	assert_int_equal(case_run(c, "ls --benign --json"), 0);
	assert_int_equal(lines_of(c->out), 1200);
	assert_int_equal(case_run(c, "ls --limit 2 -o id"), 0);
	assert_string_equal(c->out, "  ID\n1199\n1200\n");
	assert_int_equal(case_run(c, "ls --process nobody"), 0);
	assert_string_equal(c->out, "");
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_unique_and_explained),
		cmocka_unit_test(unknown_is_empty),
		cmocka_unit_test(cells),
		cmocka_unit_test(failures_in_words),
		cmocka_unit_test(names_are_made_safe),
		cmocka_unit_test(times_are_local_on_a_terminal),
		CASE(choosing),
		CASE(ls_prints_all_in_a_pipe),
	};

	return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
