/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/timeouts.h"

#define ROWS_MAX    4096
#define FILE_MAX    (1u << 20)
#define LINE_TEXT   512
#define COLUMNS	    7
#define SECONDS_MAX 31536000.0 /* a year */

struct timeouts {
	struct timeout_row *row;
	size_t rows, room;
};

static const char *const measure_names[MEASURES] = {
	[MEASURE_IDLE] = "idle",	 [MEASURE_AGE] = "age",
	[MEASURE_HEADER] = "header",	 [MEASURE_BODY] = "body",
	[MEASURE_REQUEST] = "request",	 [MEASURE_HANDSHAKE] = "handshake",
	[MEASURE_RESPONSE] = "response",
};

static const char *const ending_names[ENDINGS] = {
	[END_FIN] = "fin",
	[END_RST] = "rst",
	[END_SILENT] = "silent",
	[END_SILENT_RST] = "silent+rst",
	[END_FIN_AFTER] = "fin_after",
};

static const char *const checked_names[CHECKEDS] = {
	[CHECKED_MEASURED] = "measured",
	[CHECKED_READ] = "read",
	[CHECKED_MEMORY] = "memory",
	[CHECKED_USER] = "user",
};

static int find_name(const char *const *names, int n, const char *text)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], text))
			return i;
	return -ENOENT;
}

static int parse_number(const char *text, char **end, double *out)
{
	double value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	value = strtod(text, end);
	if (!isfinite(value) || value <= 0 || value > SECONDS_MAX)
		return -EINVAL;
	*out = value;
	return 0;
}

static const char *parse_seconds(const char *text, struct timeout_row *row)
{
	char *end;

	if (parse_number(text, &end, &row->low))
		return "seconds: a number above 0 is wanted";
	row->high = row->low;
	if (*end == '-' && parse_number(end + 1, &end, &row->high))
		return "seconds: LOW-HIGH is wanted";
	if (*end)
		return "seconds: a number is wanted";
	return row->high < row->low ? "seconds: LOW is above HIGH" : NULL;
}

static const char *parse_ports(char *text, struct timeout_row *row)
{
	char *save = NULL;

	for (char *p = strtok_r(text, ",", &save); p;
	     p = strtok_r(NULL, ",", &save)) {
		int64_t port;

		if (row->ports == TIMEOUT_PORTS)
			return "ports: at most four";
		if (parse_int(p, 1, 65535, &port))
			return "ports: numbers from 1 to 65535 are wanted";
		row->port[row->ports++] = (uint16_t)port;
	}
	return NULL;
}

static const char *copy_text(char *out, size_t size, const char *text)
{
	if (strlen(text) >= size)
		return "a text is longer than 79 bytes";
	format_safe(text, out, size);
	return NULL;
}

static const char *parse_columns(char *column[COLUMNS], struct timeout_row *row)
{
	const char *wrong = parse_seconds(column[0], row);
	int measure, ending, checked;

	if (wrong)
		return wrong;
	if (!column[1][0])
		return "component: a name is wanted";
	wrong = copy_text(row->component, sizeof(row->component), column[1]);
	if (!wrong)
		wrong = copy_text(row->setting, sizeof(row->setting),
				  column[2]);
	if (wrong)
		return wrong;
	measure = find_name(measure_names, MEASURES, column[3]);
	if (measure < 0)
		return "measures: one of idle, age, header, body, request, "
		       "handshake, response";
	ending = find_name(ending_names, ENDINGS, column[4]);
	if (ending < 0)
		return "ends: one of fin, rst, silent, silent+rst, fin_after";
	wrong = parse_ports(column[5], row);
	if (wrong)
		return wrong;
	checked = find_name(checked_names, CHECKEDS,
			    column[6][0] ? column[6] : "user");
	if (checked < 0)
		return "checked: one of measured, read, memory, user";
	row->measure = (enum measure)measure;
	row->ending = (enum ending)ending;
	row->checked = (enum checked)checked;
	return NULL;
}

/* NULL, or what is wrong with the line; an empty one leaves row->low 0. */
static const char *parse_line(const char *line, size_t size,
			      struct timeout_row *row)
{
	char copy[LINE_TEXT], *column[COLUMNS], *at = copy;

	memset(row, 0, sizeof(*row));
	if (size && line[size - 1] == '\r')
		size--;
	if (!size || line[0] == '#')
		return NULL;
	if (size >= sizeof(copy))
		return "the line is too long";
	if (memchr(line, '\0', size))
		return "the line holds a NUL byte";
	memcpy(copy, line, size);
	copy[size] = '\0';
	if (!strncmp(copy, "seconds\t", 8))
		return NULL;
	for (int i = 0; i < COLUMNS; i++) {
		column[i] = strsep(&at, "\t");
		if (!column[i] && i < COLUMNS - 1)
			return "seven columns between tabs are wanted";
	}
	if (at)
		return "more than seven columns";
	if (!column[COLUMNS - 1])
		column[COLUMNS - 1] = copy + size;
	return parse_columns(column, row);
}

static int append(struct timeouts *t, const struct timeout_row *row)
{
	if (t->rows == t->room) {
		size_t room = t->room ? 2 * t->room : 128;
		void *more = reallocarray(t->row, room, sizeof(*t->row));

		if (!more)
			return -ENOMEM;
		t->row = more;
		t->room = room;
	}
	t->row[t->rows++] = *row;
	return 0;
}

int timeouts_add_text(struct timeouts *t, const char *text, size_t size,
		      const char *name, char *err, size_t err_size)
{
	size_t before = t->rows, line_nr = 0;

	while (size) {
		const char *newline = memchr(text, '\n', size);
		size_t line = newline ? (size_t)(newline - text) : size;
		struct timeout_row row;
		const char *wrong = parse_line(text, line, &row);
		int rc = 0;

		line_nr++;
		if (!wrong && t->rows == ROWS_MAX)
			wrong = "too many rows";
		if (!wrong && row.low > 0)
			rc = append(t, &row);
		if (wrong || rc) {
			t->rows = before;
			snprintf(err, err_size, "%s:%zu: %s", name, line_nr,
				 wrong ? wrong : "out of memory");
			return rc ? rc : -EINVAL;
		}
		if (!newline)
			break;
		size -= line + 1;
		text = newline + 1;
	}
	return 0;
}

static int read_all(FILE *in, char **text, size_t *size)
{
	char *buffer = malloc(FILE_MAX + 1);

	if (!buffer)
		return -ENOMEM;
	*size = fread(buffer, 1, FILE_MAX + 1, in);
	if (ferror(in) || *size > FILE_MAX) {
		int rc = ferror(in) ? -EIO : -EFBIG;

		free(buffer);
		return rc;
	}
	*text = buffer;
	return 0;
}

int timeouts_add_file(struct timeouts *t, const char *path, char *err,
		      size_t err_size)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size;
	int rc;

	if (!in) {
		rc = -errno;
		snprintf(err, err_size, "%s: %s", path, strerror(-rc));
		return rc;
	}
	rc = read_all(in, &text, &size);
	fclose(in);
	if (rc) {
		snprintf(err, err_size, "%s: %s", path, strerror(-rc));
		return rc;
	}
	rc = timeouts_add_text(t, text, size, path, err, err_size);
	free(text);
	return rc;
}

struct timeouts *timeouts_new(void)
{
	struct timeouts *t = calloc(1, sizeof(*t));
	char err[128];

	if (!t)
		return NULL;
	if (timeouts_add_text(t, timeouts_builtin, strlen(timeouts_builtin),
			      "built-in", err, sizeof(err))) {
		timeouts_free(t);
		return NULL;
	}
	return t;
}

void timeouts_free(struct timeouts *t)
{
	if (!t)
		return;
	free(t->row);
	free(t);
}

size_t timeouts_count(const struct timeouts *t)
{
	return t->rows;
}

const struct timeout_row *timeouts_row(const struct timeouts *t, size_t i)
{
	return i < t->rows ? &t->row[i] : NULL;
}

double timeout_late(double seconds)
{
	return 0.25 + 0.01 * seconds;
}

double timeout_early(double seconds)
{
	return 0.03 + 0.005 * seconds;
}

static double closeness(const struct timeout_row *row, double seconds)
{
	double off;

	if (seconds < row->low) {
		off = (row->low - seconds) / timeout_early(row->low);
		return off > 1 ? 0 : 1 - 0.5 * off;
	}
	if (seconds <= row->high)
		return 1;
	off = (seconds - row->high) / timeout_late(row->high);
	return off > 1 ? 0 : 1 - 0.5 * off;
}

bool timeout_row_has_port(const struct timeout_row *row, uint16_t port)
{
	for (unsigned int i = 0; i < row->ports; i++)
		if (row->port[i] == port)
			return true;
	return false;
}

static double port_factor(const struct timeout_row *row, uint16_t port)
{
	if (!row->ports)
		return 0.7;
	return timeout_row_has_port(row, port) ? 1 : 0.55;
}

struct timeout_match timeouts_match(const struct timeouts *t, double seconds,
				    unsigned int measures, unsigned int endings,
				    uint16_t port)
{
	static const double founded[CHECKEDS] = {
		[CHECKED_MEASURED] = 1,
		[CHECKED_READ] = 0.95,
		[CHECKED_MEMORY] = 0.4,
		[CHECKED_USER] = 1.5, /* somebody knows this network */
	};
	struct timeout_match best = {NULL, 0};

	for (size_t i = 0; i < t->rows; i++) {
		const struct timeout_row *row = &t->row[i];
		double score;

		if (!(measures & (1u << row->measure)) ||
		    !(endings & (1u << row->ending)))
			continue;
		score = closeness(row, seconds);
		if (score <= 0)
			continue;
		score *= port_factor(row, port) * founded[row->checked];
		if (score > best.score)
			best = (struct timeout_match){row, score};
	}
	if (best.score > 1)
		best.score = 1;
	return best;
}
