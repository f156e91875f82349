/* SPDX-License-Identifier: Apache-2.0 */
/* Long work shows itself on a terminal (a pty), and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/base/progress.h"

/* What came out at the other end by now. */
static void read_all(int fd, char *out, size_t size)
{
	size_t used = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
}

static void work(int terminal, int ms)
{
	FILE *out = fdopen(terminal, "w");
	struct progress p;

	assert_non_null(out);
	progress_start(&p, out, "events read");
	progress_set(&p, 1234);
	usleep((useconds_t)ms * 1000);
	progress_end(&p);
	fclose(out);
}

static void shown_on_a_terminal(void **state)
{
	char text[4096];
	int ends[2];

	(void)state;
	assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0);
	work(dup(ends[1]), 1200);
	read_all(ends[0], text, sizeof(text));
	assert_ptr_equal(strstr(text, "\r\033[K1234 events read ..."), text);
	assert_true(strlen(text) > 4);
	assert_string_equal(text + strlen(text) - 4, "\r\033[K");
	close(ends[0]);
	close(ends[1]);
}

static void short_work_shows_nothing(void **state)
{
	char text[4096];
	int ends[2];

	(void)state;
	assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0);
	work(dup(ends[1]), 20);
	read_all(ends[0], text, sizeof(text));
	assert_string_equal(text, "");
	close(ends[0]);
	close(ends[1]);
}

static void nothing_in_a_pipe(void **state)
{
	char text[4096];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	work(ends[1], 1200);
	read_all(ends[0], text, sizeof(text));
	assert_string_equal(text, "");
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shown_on_a_terminal),
		cmocka_unit_test(short_work_shows_nothing),
		cmocka_unit_test(nothing_in_a_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
