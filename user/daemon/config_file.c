/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"
#include "user/daemon/config_file.h"

struct reading {
	FILE *in;
	const char *path;
	int line;
	uint64_t given; /* bit i: config_options[i] was set */
	struct config *config;
	char *err;
	size_t err_size;
	bool failed; /* err holds the first error */
};

static void fail(struct reading *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void fail(struct reading *r, const char *fmt, ...)
{
	char what[512];
	va_list args;

	if (r->failed)
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(r->err, r->err_size, "%s:%d: %s", r->path, r->line, what);
	r->failed = true;
}

/*
 * Counts lines, which the library does not tell, and takes indentation away,
 * which it would read as the continuation of the value before.
 */
static char *read_line(char *line, int size, void *ctx)
{
	struct reading *r = ctx;
	size_t n, skip;

	if (r->failed || !fgets(line, size, r->in))
		return NULL;
	r->line++;
	n = strlen(line);
	if ((n && line[n - 1] != '\n' && !feof(r->in)) || (int)n == size - 1) {
		fail(r, "the line is longer than %d bytes", size - 2);
		return NULL;
	}
	skip = strspn(line, " \t");
	memmove(line, line + skip, n - skip + 1);
	n = strcspn(line, "\r\n");
	/* Every line that is not empty, a comment or a section has a value. */
	if (n && !strchr("#;[", line[0]) && !strpbrk(line, "=:"))
		fail(r, "'%.*s' is no KEY = VALUE", (int)n, line);
	return line;
}

static int take_value(void *ctx, const char *section, const char *name,
		      const char *value)
{
	const struct config_option *o = config_find(name);
	struct reading *r = ctx;
	char what[400];
	uint64_t bit;

	if (*section && strcmp(section, "rstscoped")) {
		fail(r, "unknown section [%s]; only [rstscoped], or none",
		     section);
		return 0;
	}
	if (!o || o->line_only) {
		fail(r,
		     o ? "'%s' belongs on the command line"
		       : "unknown key '%s'; rstscoped --help lists them",
		     name);
		return 0;
	}
	bit = 1ull << (o - config_options);
	if (r->given & bit) {
		fail(r, "'%s' is given twice", name);
		return 0;
	}
	r->given |= bit;
	if (config_set(r->config, o, value, what, sizeof(what))) {
		fail(r, "%s: %s", name, what);
		return 0;
	}
	return 1;
}

int config_read_file(struct config *c, const char *path, char *err,
		     size_t err_size)
{
	struct reading r = {
		.path = path,
		.config = c,
		.err = err,
		.err_size = err_size,
	};
	int bad;

	r.in = fopen(path, "re");
	if (!r.in) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	bad = ini_parse_stream(read_line, &r, take_value, &r);
	if (ferror(r.in) && !r.failed) {
		snprintf(err, err_size, "%s: cannot be read", path);
		r.failed = true;
	}
	fclose(r.in);
	/* Whatever the library refuses beyond what is checked above. */
	if (bad && !r.failed) {
		r.line = bad;
		fail(&r, "this line cannot be understood");
	}
	return r.failed ? -EINVAL : 0;
}
