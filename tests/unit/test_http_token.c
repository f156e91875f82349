/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/serve/http_token.h"

#define SECRET "0123456789abcdef"

static char path[] = "/tmp/rstscope-token.XXXXXX";
static char token[HTTP_TOKEN], err[512];

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

static int read_text(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	err[0] = '\0';
	memset(token, 0, sizeof(token));
	return http_token_read(path, token, err, sizeof(err));
}

static void refused(const char *text, mode_t mode, const char *why)
{
	if (!read_text(text, mode) || !strstr(err, why) || strchr(err, '\n'))
		fail_msg("'%s' %o: '%s'", text, mode, err);
	assert_null(strstr(err, SECRET));
	assert_string_equal(token, "");
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(read_text(SECRET "\n", 0600), 0);
	assert_string_equal(token, SECRET);
	assert_int_equal(read_text(SECRET "~", 0440), 0);
	assert_string_equal(token, SECRET "~");
}

static void test_refused(void **state)
{
	char longest[HTTP_TOKEN + 1];

	(void)state;
	refused(SECRET "\n", 0604, "chmod o=");
	refused(SECRET "\n", 0602, "chmod o=");
	refused("", 0600, "one line");
	refused("short\n", 0600, "one line");
	refused(SECRET "\n" SECRET "\n", 0600, "one line");
	refused(SECRET " x\n", 0600, "without blanks");
	refused(SECRET "\r\n", 0600, "one line");
	refused(SECRET "\xc3\xa4\n", 0600, "printable");
	memset(longest, 'x', HTTP_TOKEN);
	longest[HTTP_TOKEN] = '\0';
	refused(longest, 0600, "one line");
	longest[HTTP_TOKEN - 1] = '\0';
	assert_int_equal(read_text(longest, 0600), 0);
	assert_int_equal(
		http_token_read("/nonexistent/t", token, err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "No such file"));
	assert_int_equal(http_token_read("/tmp", token, err, sizeof(err)),
			 -EINVAL);
}

static void test_borne(void **state)
{
	static const char *const bad[] = {
		"",
		"Bearer",
		"Bearer ",
		SECRET,
		"Basic " SECRET,
		"Bearer x" SECRET,
		"Bearer " SECRET "x",
		"Bearer " SECRET " ",
		"Bearer 0123456789abcdeF",
		"Bearer 0123456789abcde",
	};
	char longest[2 * HTTP_TOKEN];

	(void)state;
	assert_int_equal(read_text(SECRET "\n", 0600), 0);
	assert_true(http_token_borne(token, "Bearer " SECRET));
	assert_true(http_token_borne(token, "bearer  " SECRET));
	assert_false(http_token_borne(token, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (http_token_borne(token, bad[i]))
			fail_msg("'%s' was let in", bad[i]);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "Bearer " SECRET, 23);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(http_token_borne(token, longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_borne),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
