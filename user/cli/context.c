/* SPDX-License-Identifier: Apache-2.0 */
/* The surroundings of a command: terminal, environment, store, interrupts. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/cli/cli.h"

#define WIDTH_LEAST 20
#define WIDTH_MOST  1000

static unsigned int terminal_width(int fd)
{
	const char *env = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (env && !parse_int(env, WIDTH_LEAST, WIDTH_MOST, &n))
		return n;
	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col >= WIDTH_LEAST)
		return size.ws_col;
	return 80;
}

void cli_init(struct cli *cli)
{
	const char *url = getenv("RSTSCOPE_STORE");

	memset(cli, 0, sizeof(*cli));
	cli_set_output(cli, stdout, STDOUT_FILENO);
	cli->err = stderr;
	cli->store_url = url && *url ? url : STORE_DEFAULT_URL;
	cli->show.now_us = clock_unix_us();
}

void cli_set_output(struct cli *cli, FILE *out, int fd)
{
	cli->out = out;
	cli->out_fd = fd;
	cli->show.terminal = isatty(fd);
	cli->width = cli->show.terminal ? terminal_width(fd) : 0;
}

void cli_decide_color(struct cli *cli)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (cli->color != WHEN_AUTO) {
		cli->colored = cli->color == WHEN_ALWAYS;
		return;
	}
	cli->colored = cli->show.terminal && !(no && *no) &&
		       !(term && !strcmp(term, "dumb"));
}

static void complain(const struct cli *cli, const char *fmt, va_list args)
{
	fprintf(cli->err, "rstscope%s%s: ", cli->command ? " " : "",
		cli->command ? cli->command : "");
	vfprintf(cli->err, fmt, args);
}

void cli_error(const struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(cli, fmt, args);
	va_end(args);
	fputc('\n', cli->err);
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(cli, fmt, args);
	va_end(args);
	fprintf(cli->err, "; see rstscope %s%s--help\n",
		cli->command ? cli->command : "", cli->command ? " " : "");
	return -EINVAL;
}

int cli_store_failed(const struct cli *cli, int err, const char *text)
{
	if (text && *text)
		cli_error(cli, "%s", text);
	else
		cli_error(cli, "%s: %s", cli->store_url, strerror(-err));
	return -EIO;
}

int cli_open_store(const struct cli *cli, struct store **store)
{
	char text[512] = "";
	int err = store_open(store, cli->store_url, STORE_READ, text,
			     sizeof(text));

	if (err == -ENOENT) {
		cli_error(
			cli,
			"no store at %s: rstscoped (sudo make run) creates it",
			cli->store_url);
		return -EIO;
	}
	if (err == -EACCES || err == -EPERM) {
		cli_error(cli, "%s: no permission to read it; try sudo",
			  cli->store_url);
		return -EIO;
	}
	return err ? cli_store_failed(cli, err, text) : 0;
}

bool cli_stopped(const struct cli *cli)
{
	return (cli->stop && *cli->stop) || ferror_unlocked(cli->out);
}

bool cli_sleep_ms(const struct cli *cli, int ms)
{
	/* No events asked for: only POLLERR, a pipe that nobody reads. */
	struct pollfd out = {.fd = cli->out_fd};

	if (cli_stopped(cli))
		return true;
	if (poll(&out, 1, ms) > 0 && (out.revents & (POLLERR | POLLNVAL)))
		return true;
	return cli_stopped(cli);
}
