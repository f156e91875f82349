// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/outcome.h"

#include <stdio.h>
#include <string.h>

#include "tests/e2e/harness.h"

#define WORDS	     16
#define CONTENT_SIZE (1 << 16)

const char *cli(void)
{
	return program_path("rstscope");
}

struct outcome outcome_of(const char *const argv[])
{
	struct outcome o;

	o.status = run_program(argv, OUTCOME_LIMIT_MS, &o.out, &o.err);
	harness_defer(free, o.out);
	harness_defer(free, o.err);
	return o;
}

struct outcome run_rstscope(const char *const words[])
{
	const char *argv[WORDS + 3] = {cli(), "run"};

	for (size_t i = 0; words[i]; i++) {
		assert_true(i < WORDS);
		argv[i + 2] = words[i];
	}
	return outcome_of(argv);
}

void refused_with(int status, const char *word, const char *fmt, ...)
{
	char command[1024], *out = NULL, *err = NULL;
	const char *const argv[] = {"sh", "-c", command, NULL};
	va_list ap;
	int have;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	have = run_program(argv, OUTCOME_LIMIT_MS, &out, &err);
	if (have != status || lines(err) != 1 || !strstr(err, word) || *out) {
		print_error("%s\nstatus %d, not %d; wants one line with "
			    "\"%s\"; stderr:\n%sstdout:\n%s",
			    command, have, status, word, err, out);
		fail();
	}
	free(out);
	free(err);
}

void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

unsigned int lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

char *content(const char *path)
{
	char *text = calloc(1, CONTENT_SIZE);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_true(fread(text, 1, CONTENT_SIZE - 1, f) < CONTENT_SIZE - 1);
	fclose(f);
	harness_defer(free, text);
	return text;
}
