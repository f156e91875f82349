// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/base.h"

#define LINE_MAX_BYTES 1024

/* syslog(3) priorities, which the journal reads from a "<N>" prefix. */
static const char *const priority[] = {
	[LOG_LEVEL_ERROR] = "<3>",
	[LOG_LEVEL_WARN] = "<4>",
	[LOG_LEVEL_INFO] = "<6>",
	[LOG_LEVEL_DEBUG] = "<7>",
};

static const char *const label[] = {
	[LOG_LEVEL_ERROR] = "",
	[LOG_LEVEL_WARN] = "warning: ",
	[LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_DEBUG] = "debug: ",
};

static _Atomic int threshold = LOG_LEVEL_INFO;
static const char *_Atomic program;

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_set_program(const char *name)
{
	program = name;
}

/*
 * systemd names the journal's socket in JOURNAL_STREAM; the variable is
 * inherited, so that only its match with the real stderr counts.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

/* One write per line, so that lines of several threads never mix. */
static void write_line(enum log_level level, const char *text)
{
	char line[LINE_MAX_BYTES + 128];
	const char *name = program;
	int n;

	if (stderr_is_journal())
		n = snprintf(line, sizeof(line), "%s%s\n", priority[level],
			     text);
	else
		n = snprintf(line, sizeof(line), "%s%s%s%s\n", name ? name : "",
			     name ? ": " : "", label[level], text);
	if (n <= 0)
		return;
	if ((size_t)n >= sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	/* Nothing is left to tell it to if stderr itself fails. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char raw[LINE_MAX_BYTES], safe[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;

	if ((int)level > threshold)
		return;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	/* A line break in outside text must not forge a second line. */
	format_safe(raw, safe, sizeof(safe));
	write_line(level, safe);
	errno = saved;
}
