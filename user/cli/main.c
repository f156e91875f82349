/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope: interrupts, failing output, exit statuses. cli_main() does it. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/cli/cli.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static void on_closed_pipe(int signal)
{
	(void)signal; /* it is seen as EPIPE */
}

/* What was ignored when we were started stays so, also for what we start. */
static void handle(int signal, void (*fn)(int), int flags)
{
	struct sigaction action = {.sa_handler = fn, .sa_flags = flags}, old;

	if (!sigaction(signal, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(signal, &action, NULL);
}

static void set_signals(void)
{
	/* Once is enough: a second interrupt ends what does not listen. */
	handle(SIGINT, on_signal, SA_RESETHAND);
	handle(SIGTERM, on_signal, SA_RESETHAND);
	handle(SIGPIPE, on_closed_pipe, SA_RESTART);
}

/* sudo and cron run without a locale; process names are UTF-8 all the same. */
static void set_locale(void)
{
	setlocale(LC_ALL, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		setlocale(LC_CTYPE, "C.UTF-8");
	setlocale(LC_NUMERIC, "C");
}

/*
 * stdio forgets the errno of a write that failed somewhere within printf(), and
 * a closed pipe (quiet) must be told from a full disk (not quiet).
 */
static ssize_t write_out(void *cookie, const char *data, size_t size)
{
	int *failed = cookie;
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(STDOUT_FILENO, data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*failed = errno;
			return 0;
		}
		done += n;
	}
	return size;
}

static FILE *open_output(int *failed)
{
	cookie_io_functions_t io = {.write = write_out};

	return fopencookie(failed, "w", io);
}

static enum exit_status status_of(int ret)
{
	switch (ret) {
	case 0:
		return EXIT_OK;
	case -EINVAL:
		return EXIT_USAGE;
	case -ENOENT:
		return EXIT_NO_EVENT;
	case -ENOTSUP:
		return EXIT_KERNEL;
	default:
		return EXIT_FAILED;
	}
}

int main(int argc, char **argv)
{
	struct cli cli;
	int ret, failed = 0;

	set_locale();
	set_signals();
	cli_init(&cli);
	cli.stop = &stop;
	cli.out = open_output(&failed);
	if (!cli.out) {
		cli_error(&cli, "%s", strerror(errno));
		return EXIT_FAILED;
	}
	ret = cli_main(&cli, argc, argv);
	if (fclose(cli.out) && !failed)
		failed = errno;
	if (!failed)
		return ret ? (int)status_of(ret) : cli.status;
	if (failed != EPIPE) /* whoever closed the pipe knows */
		cli_error(&cli, "cannot write: %s", strerror(failed));
	return EXIT_FAILED;
}
