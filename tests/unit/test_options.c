/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli_case.h"
#include "user/cli/dump.h"
#include "user/cli/options.h"

static void wrong(struct cli_case *c, const char *args, const char *message)
{
	if (case_run(c, args) != -EINVAL)
		fail_msg("'%s' was taken", args);
	assert_string_equal(c->out, "");
	assert_has(c->err, message);
	assert_int_equal(lines_of(c->err), 1);
}

static void mistakes_are_one_line(void **state)
{
	struct cli_case *c = *state;

	wrong(c, "", "a command is missing");
	wrong(c, "lss", "no command 'lss' (did you mean ls?)");
	wrong(c, "summry", "did you mean summary?");
	wrong(c, "xyzzy", "no command 'xyzzy';");
	wrong(c, "ls --sinc 1h", "--sinc (did you mean --since?)");
	wrong(c, "ls --sinc=1h", "--sinc (did you mean --since?)");
	wrong(c, "ls --xyzzy", "unknown option --xyzzy;");
	wrong(c, "ls -x", "unknown option -x");
	wrong(c, "ls --utc -x", "unknown option -x");
	wrong(c, "ls --since", "--since needs an argument: TIME");
	wrong(c, "ls -o", "--columns needs an argument");
	wrong(c, "ls --utc=1", "--utc takes no argument");
	wrong(c, "ls --color red", "--color: 'red' is not auto");
	wrong(c, "ls --kind nonsense", "--kind: 'nonsense'");
	wrong(c, "ls word", "'word' is one argument too many");
	wrong(c, "summary --versus 24h", "unknown option --versus");
	wrong(c, "--bad ls", "unknown option --bad");
	wrong(c, "help lss", "did you mean ls?");
	wrong(c, "ls --last", "unknown option --last here (why has it)");
	wrong(c, "--since 1h ls", "unknown option --since here (ls has it)");
	wrong(c, "tpo", "did you mean top?");
	wrong(c, "why --lst", "did you mean --last?");
	wrong(c, "why --last 5", "give the ID of an event, or --last");
	wrong(c, "why 5 --since 1h", "FILTER goes with --last");
}

static void options_stand_anywhere(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(1, 10);

	case_put(c, &ev);
	assert_int_equal(case_run(c, "--json ls"), 0);
	assert_has(c->out, "{\"");
	assert_int_equal(case_run(c, "ls --json"), 0);
	assert_has(c->out, "{\"");
	assert_int_equal(case_run(c, "why 1 --json"), 0);
	assert_has(c->out, "{\"");
	assert_int_equal(case_run(c, "ls -oid,pid"), 0);
	assert_string_equal(c->out, "ID  PID\n 1 1234\n");
}

static void store_is_missing(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(case_run(c, "--store sqlite:/nonexistent/x.db ls"),
			 -EIO);
	assert_has(c->err, "/nonexistent/x.db");
	assert_has(c->err, "rstscoped");
	assert_int_equal(lines_of(c->err), 1);
}

static void help_names_every_option(void **state)
{
	struct cli_case *c = *state;
	char args[64], text[64];

	for (const struct command *cmd = commands; cmd->name; cmd++) {
		enum option_group group;
		struct cli_option o;

		snprintf(args, sizeof(args), "%s --help", cmd->name);
		assert_int_equal(case_run(c, args), 0);
		assert_has(c->out, cmd->help);
		for (size_t i = 0; option_at(cmd, i, &o, &group); i++) {
			snprintf(text, sizeof(text), "--%s", o.name);
			assert_has(c->out, text);
			assert_non_null(o.set);
		}
		snprintf(args, sizeof(args), "help %s", cmd->name);
		assert_int_equal(case_run(c, args), 0);
	}
	assert_int_equal(case_run(c, "--help"), 0);
	assert_lacks(c->out, "dump-options");
}

/* What tools/gen-man splits at tabs must have five fields. */
static void dump_has_five_fields(void **state)
{
	struct cli_case *c = *state;
	char *line, *rest;

	assert_int_equal(case_run(c, "--dump-options"), 0);
	assert_has(c->out, "\n+filter\tpeer\t\tIP[/BITS][:PORT]\t");
	assert_has(c->out, "\nls\tcolumns\to\tCOLUMN,...\t");
	rest = c->out;
	while ((line = strsep(&rest, "\n")) && *line) {
		size_t tabs = 0;

		for (; *line; line++)
			tabs += *line == '\t';
		assert_int_equal(tabs, 4);
	}
}

static void distance_counts_keystrokes(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("ls", "ls", 3), 0);
	assert_int_equal(suggest_distance("sl", "ls", 3), 1);
	assert_int_equal(suggest_distance("lss", "ls", 3), 1);
	assert_int_equal(suggest_distance("", "abc", 9), 3);
	assert_int_equal(suggest_distance("kitten", "sitting", 9), 3);
	assert_int_equal(suggest_distance("abc", "xyz", 1), 2);
	assert_int_equal(
		suggest_distance("a",
				 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				 "aaaaaaaaaaaaaaaaaaaa",
				 5),
		6);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(mistakes_are_one_line),
		CASE(options_stand_anywhere),
		CASE(store_is_missing),
		CASE(help_names_every_option),
		CASE(dump_has_five_fields),
		cmocka_unit_test(distance_counts_keystrokes),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
