/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/base/base.h"
#include "user/daemon/config.h"
#include "user/daemon/config_file.h"

static char path[] = "/tmp/rstscope-config.XXXXXX";
static char err[1024];

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* Words of a command line, ended by NULL. */
#define PARSE(c, ...)                                                          \
	parse(c, (char *[]){(char *)"rstscoped",                               \
			    __VA_ARGS__ __VA_OPT__(, ) NULL})

static int parse(struct config *c, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	err[0] = '\0';
	return config_parse(c, argc, argv, err, sizeof(err));
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_usage(int rc, const char *has)
{
	if (rc != -EINVAL || !strstr(err, has) || strchr(err, '\n'))
		fail_msg("wanted '%s', got %d '%s'", has, rc, err);
}

static void test_defaults(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(PARSE(&c), 0);
	assert_int_equal(c.action, CONFIG_RUN);
	assert_string_equal(c.store, "sqlite:/var/lib/rstscope/events.db");
	assert_string_equal(c.listen, "127.0.0.1:9477");
	assert_int_equal(c.retain_age_s, 7 * 86400);
	assert_int_equal(c.retain_bytes, 512 << 20);
	assert_int_equal(c.metric_processes, 50);
	assert_int_equal(c.once_us, 0);
	assert_int_equal(c.connections, 0);
	assert_true(c.syscalls && c.netfilter);
	assert_false(c.stacks);
	assert_false(c.packet);
	assert_false(c.separate_netns || c.insecure_listen || c.verbose);
	assert_string_equal(c.record, "");
	assert_string_equal(c.timeouts, "/etc/rstscope/timeouts.tsv");
	assert_string_equal(c.methods, "tp_btf,fentry,raw_tp,kprobe,iter");
}

static void test_all_options(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(PARSE(&c, "--store=/x.db", "--listen",
			       "unix:/run/r.sock", "--retain-age", "12h",
			       "--retain-size=2G", "--syscalls", "off",
			       "--netfilter=off", "--once", "90", "--record",
			       "/r", "--separate-netns", "--metric-processes",
			       "7", "--connections", "4096", "--timeouts",
			       "/t.tsv", "-v", "--methods", "kprobe,raw_tp",
			       "--stacks", "on", "--packet", "on"),
			 0);
	assert_string_equal(c.store, "/x.db");
	assert_string_equal(c.listen, "unix:/run/r.sock");
	assert_int_equal(c.retain_age_s, 12 * 3600);
	assert_int_equal(c.retain_bytes, 2ll << 30);
	assert_false(c.syscalls || c.netfilter);
	assert_true(c.packet);
	assert_int_equal(c.once_us, 90000000);
	assert_string_equal(c.record, "/r");
	assert_string_equal(c.timeouts, "/t.tsv");
	assert_string_equal(c.methods, "kprobe,raw_tp");
	assert_true(c.separate_netns && c.verbose && c.stacks);
	assert_int_equal(c.metric_processes, 7);
	assert_int_equal(c.connections, 4096);
}

static void test_actions(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(PARSE(&c, "--help"), 0);
	assert_int_equal(c.action, CONFIG_HELP);
	assert_int_equal(PARSE(&c, "-h", "--version"), 0);
	assert_int_equal(c.action, CONFIG_HELP);
	assert_int_equal(PARSE(&c, "--version"), 0);
	assert_int_equal(c.action, CONFIG_VERSION);
	assert_int_equal(PARSE(&c, "--dump-options"), 0);
	assert_int_equal(c.action, CONFIG_DUMP);
	/* Help comes also where the file is broken. */
	assert_int_equal(PARSE(&c, "--config", "/nowhere", "--help"), 0);
	assert_int_equal(c.action, CONFIG_HELP);
}

static void test_wrong_command_lines(void **state)
{
	struct config c;

	(void)state;
	expect_usage(PARSE(&c, "--bogus"), "unknown option '--bogus'");
	expect_usage(PARSE(&c, "--bogus=1"), "unknown option '--bogus=1'");
	expect_usage(PARSE(&c, "-x"), "unknown option '-x'");
	expect_usage(PARSE(&c, "--list", "off"), "unknown option '--list'");
	expect_usage(PARSE(&c, "--verbose", "--list"),
		     "unknown option '--list'");
	expect_usage(PARSE(&c, "word"), "'word': rstscoped takes options only");
	expect_usage(PARSE(&c, "-v", "word"), "'word'");
	expect_usage(PARSE(&c, "--store"), "--store needs an argument");
	expect_usage(PARSE(&c, "--store", ""), "--store: URL is missing");
	expect_usage(PARSE(&c, "--verbose=yes"), "--verbose=yes");
	expect_usage(PARSE(&c, "--syscalls", "maybe"),
		     "--syscalls: 'maybe' is neither on nor off");
	expect_usage(PARSE(&c, "--retain-age", "soon"),
		     "--retain-age: 'soon' is not a duration");
	expect_usage(PARSE(&c, "--retain-age", "-5"), "--retain-age: '-5'");
	expect_usage(PARSE(&c, "--retain-size", "big"), "is not a size");
	expect_usage(PARSE(&c, "--once", "0"), "--once: '0' is out of range");
	expect_usage(PARSE(&c, "--metric-processes", "1001"), "out of range");
	expect_usage(PARSE(&c, "--metric-processes", "9e9"), "not a number");
	expect_usage(PARSE(&c, "--connections", "99999999999999999999"),
		     "out of range");
	expect_usage(PARSE(&c, "--listen", "nonsense"),
		     "--listen: 'nonsense' is no address");
	expect_usage(PARSE(&c, "--export", "http://x"),
		     "--export: this build has no exporter");
	expect_usage(PARSE(&c, "--methods", "tp_btf,uprobe"),
		     "--methods: 'uprobe' is no method; there are tp_btf,");
	expect_usage(PARSE(&c, "--methods", "tp_btf,,iter"),
		     "--methods: '' is no method");
	expect_usage(PARSE(&c, "--methods", ""), "--methods: LIST is missing");
	expect_usage(PARSE(&c, "--timeouts", ""),
		     "--timeouts: FILE is missing");
	expect_usage(PARSE(&c, "--config", "/no/such"),
		     "/no/such: No such file");
}

static void test_exports(void **state)
{
	static char *const wrong[] = {(char *)"host:4318", (char *)"ftp://host",
				      (char *)"http://"};
	struct config c;

	(void)state;
	assert_int_equal(PARSE(&c), 0);
	assert_false(c.journal);
	assert_string_equal(c.otlp, "");
	assert_int_equal(
		PARSE(&c, "--journal", "on", "--otlp", "https://c:4318/x"), 0);
	assert_true(c.journal);
	assert_string_equal(c.otlp, "https://c:4318/x");
	assert_string_equal(c.otlp_ca, "");
	assert_int_equal(PARSE(&c, "--otlp=off", "--token-file=off"), 0);
	assert_string_equal(c.otlp, "");
	assert_int_equal(PARSE(&c, "--otlp-ca", "/etc/ca.pem"), 0);
	assert_string_equal(c.otlp_ca, "/etc/ca.pem");
	assert_string_equal(c.token_file, "");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		expect_usage(PARSE(&c, "--otlp", wrong[i]),
			     "--otlp: wants http://HOST:PORT");
}

static void test_insecure_listen(void **state)
{
	struct config c;

	(void)state;
	expect_usage(PARSE(&c, "--listen", "0.0.0.0:9477"),
		     "add --token-file FILE, or --insecure-listen");
	assert_int_equal(
		PARSE(&c, "--listen", "0.0.0.0:9477", "--insecure-listen"), 0);
	assert_true(c.insecure_listen);
	assert_int_equal(
		PARSE(&c, "--listen", "0.0.0.0:9477", "--token-file", "/t"), 0);
	assert_string_equal(c.token_file, "/t");
	assert_false(c.insecure_listen);
}

static void test_too_long(void **state)
{
	char big[2000];
	struct config c;

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	expect_usage(PARSE(&c, "--store", big), "--store: longer than");
	expect_usage(PARSE(&c, "--listen", big), "--listen: longer than");
	expect_usage(PARSE(&c, big), "'aaa");
}

static void test_file(void **state)
{
	struct config c;

	(void)state;
	write_file("# comment\n\n[rstscoped]\n  listen = off  \n"
		   "store=/a/b.db ; a comment\nretain-age: 30d\n"
		   "\tseparate-netns = on\nverbose = off\n"
		   "; more\nsyscalls = off\ntimeouts = /my/timers.tsv");
	assert_int_equal(PARSE(&c, "--config", path), 0);
	assert_string_equal(c.listen, "off");
	assert_string_equal(c.store, "/a/b.db");
	assert_int_equal(c.retain_age_s, 30 * 86400);
	assert_string_equal(c.timeouts, "/my/timers.tsv");
	assert_true(c.separate_netns);
	assert_false(c.verbose || c.syscalls);
}

/* Wherever --config stands. */
static void test_command_line_wins(void **state)
{
	struct config c;

	(void)state;
	write_file("listen = off\nsyscalls = off\nretain-age = 1d\n");
	assert_int_equal(PARSE(&c, "--syscalls", "on", "--config", path), 0);
	assert_string_equal(c.listen, "off");
	assert_true(c.syscalls);
	assert_int_equal(c.retain_age_s, 86400);
}

static void expect_line(const char *text, int line, const char *has)
{
	struct config c;
	char want[200];

	write_file(text);
	snprintf(want, sizeof(want), "%s:%d: %s", path, line, has);
	expect_usage(PARSE(&c, "--config", path), want);
}

static void test_wrong_files(void **state)
{
	char big[400];

	(void)state;
	expect_line("listen = off\n\nbogus = 1\n", 3, "unknown key 'bogus'");
	expect_line("# x\nsyscalls = maybe\n", 2,
		    "syscalls: 'maybe' is neither on nor off");
	expect_line("\n\n\nretain-age = soon", 4, "retain-age: 'soon' is not");
	expect_line("listen = off\nlisten = off\n", 2,
		    "'listen' is given twice");
	expect_line("config = /x\n", 1, "'config' belongs on the command line");
	expect_line("help = on\n", 1, "'help' belongs on the command line");
	expect_line("[other]\nlisten = off\n", 2, "unknown section [other]");
	expect_line("[rstscoped]\njust words\n", 2,
		    "'just words' is no KEY = VALUE");
	expect_line("[broken\n", 1, "this line cannot be understood");
	expect_line("export = http://x\n", 1,
		    "export: this build has no exporter");
	expect_line("store =\n", 1, "store: URL is missing");
	/* The first error is told, not the last. */
	expect_line("one = 1\ntwo = 2\n", 1, "unknown key 'one'");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memcpy(big, "\nstore=", 7);
	expect_line(big, 2, "the line is longer than");
}

static void test_file_of_garbage(void **state)
{
	struct config c;
	FILE *f = fopen(path, "w");
	int i;

	(void)state;
	for (i = 0; i < 5000; i++)
		fputc((i * 37 + i / 7) & 0xff, f);
	fclose(f);
	assert_int_equal(PARSE(&c, "--config", path), -EINVAL);
	assert_int_equal(PARSE(&c, "--config", "/"), -EINVAL);
}

/*
 * The example that is shipped: every key of the file, with the value that
 * holds anyway, so that taking the '#' away changes nothing.
 */
static void test_shipped_example(void **state)
{
	const struct config_option *o;
	struct config plain, c;
	char line[256], text[8192] = "";
	FILE *f = fopen("tools/rstscope.conf", "r");

	(void)state;
	if (!f)
		skip(); /* run from elsewhere than the top of the tree */
	while (fgets(line, sizeof(line), f)) {
		bool key = line[0] == '#' && line[1] > ' ' && strchr(line, '=');

		strcat(text, key ? line + 1 : line);
	}
	fclose(f);
	write_file(text);
	assert_int_equal(PARSE(&plain), 0);
	if (PARSE(&c, "--config", path))
		fail_msg("%s", err);
	memset(c.file, 0, sizeof(c.file));
	assert_memory_equal(&c, &plain, sizeof(c));
	for (o = config_options; o->name; o++) {
		char key[64];

		snprintf(key, sizeof(key), "\n%s = ", o->name);
		/* For one run, not for every one: */
		if (o->line_only || o->type == OPTION_REFUSED ||
		    !strcmp(o->name, "once") || !strcmp(o->name, "record"))
			assert_null(strstr(text, key));
		else if (!strstr(text, key))
			fail_msg("tools/rstscope.conf lacks '%s'", o->name);
	}
}

static void test_help_and_dump(void **state)
{
	const struct config_option *o;
	char *help = NULL, *dump = NULL, *line, want[128];
	size_t size;
	FILE *f;

	(void)state;
	f = open_memstream(&help, &size);
	config_print_help(f);
	fclose(f);
	f = open_memstream(&dump, &size);
	config_print_options(f);
	fclose(f);
	for (o = config_options; o->name; o++) {
		bool refused = o->type == OPTION_REFUSED;

		snprintf(want, sizeof(want), "--%s", o->name);
		assert_int_equal(!strstr(help, want), refused);
		snprintf(want, sizeof(want), "rstscoped\t%s\t", o->name);
		assert_int_equal(!strstr(dump, want), refused);
	}
	assert_non_null(strstr(dump, "rstscoped\tverbose\tv\t\tlog more\n"));
	for (line = strtok(help, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > 80)
			fail_msg("too wide: %s", line);
	free(help);
	free(dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_wrong_command_lines),
		cmocka_unit_test(test_exports),
		cmocka_unit_test(test_insecure_listen),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_command_line_wins),
		cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_file_of_garbage),
		cmocka_unit_test(test_shipped_example),
		cmocka_unit_test(test_help_and_dump),
	};

	return cmocka_run_group_tests_name("config", tests, setup, teardown);
}
