// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/base/base.h"

/* Where stderr goes while a test looks at it. */
struct capture {
	FILE *file;
	int saved;
	char text[4096];
};

static void capture_start(struct capture *c)
{
	c->file = tmpfile();
	assert_non_null(c->file);
	c->saved = dup(STDERR_FILENO);
	dup2(fileno(c->file), STDERR_FILENO);
}

static const char *capture_end(struct capture *c)
{
	ssize_t n;

	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	n = pread(fileno(c->file), c->text, sizeof(c->text) - 1, 0);
	c->text[n > 0 ? n : 0] = '\0';
	fclose(c->file);
	return c->text;
}

static void test_lines(void **state)
{
	struct capture c;

	(void)state;
	log_set_program("prog");
	log_set_level(LOG_LEVEL_INFO);
	capture_start(&c);
	log_error("no %s", "store");
	log_warn("slow");
	log_info("up");
	log_debug("unseen");
	assert_string_equal(capture_end(&c),
			    "prog: no store\nprog: warning: slow\nprog: up\n");
}

static void test_level(void **state)
{
	struct capture c;

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	capture_start(&c);
	log_warn("unseen");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("seen");
	log_set_level(LOG_LEVEL_INFO);
	assert_string_equal(capture_end(&c), "prog: debug: seen\n");
}

/* Text from outside must neither forge a line nor move the cursor. */
static void test_outside_text(void **state)
{
	struct capture c;

	(void)state;
	capture_start(&c);
	log_info("comm %s", "a\nprog: b\033[2J");
	assert_string_equal(capture_end(&c), "prog: comm a?prog: b?[2J\n");
}

static void test_long_line(void **state)
{
	char big[3000];
	struct capture c;
	size_t n;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	capture_start(&c);
	log_info("%s", big);
	n = strlen(capture_end(&c));
	assert_in_range(n, 1000, 1200);
	assert_int_equal(c.text[n - 1], '\n');
}

static void test_errno_survives(void **state)
{
	struct capture c;

	(void)state;
	capture_start(&c);
	errno = ENOSPC;
	log_info("x");
	assert_int_equal(errno, ENOSPC);
	capture_end(&c);
}

/* Priorities are for the journal alone, which names itself. */
static void test_journal(void **state)
{
	char stream[64];
	struct capture c;
	struct stat st;

	(void)state;
	capture_start(&c);
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_error("bad");
	log_warn("slow");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_error("inherited");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(capture_end(&c),
			    "<3>bad\n<4>slow\nprog: inherited\n");
}

int main(void)
{
	const struct CMUnitTest log[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_outside_text),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_errno_survives),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests(log, NULL, NULL);
}
