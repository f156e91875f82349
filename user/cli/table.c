/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/table.h"
#include "user/cli/text.h"

#define CUT_MARK    4
#define COLOR_RESET "\033[0m"
#define WIDEST	    47 /* an IPv6 address and its port */

struct cell {
	char *text;
	const char *color;
};

struct table {
	FILE *out;
	const struct table_column *columns;
	size_t n;
	unsigned int total; /* of the terminal, 0: none */
	bool colored, streaming, laid_out;
	unsigned int *width;
	bool *shown;
	struct cell *cells; /* rows * n */
	size_t rows, room;
};

struct table *table_new(FILE *out, const struct table_column *columns, size_t n,
			unsigned int width, bool colored)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->out = out;
	t->columns = columns;
	t->n = n;
	t->total = width;
	t->colored = colored;
	t->width = calloc(n, sizeof(*t->width));
	t->shown = calloc(n, sizeof(*t->shown));
	if (!t->width || !t->shown) {
		table_free(t);
		return NULL;
	}
	return t;
}

static void forget_rows(struct table *t)
{
	for (size_t i = 0; i < t->rows * t->n; i++)
		free(t->cells[i].text);
	t->rows = 0;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	forget_rows(t);
	free(t->cells);
	free(t->width);
	free(t->shown);
	free(t);
}

void table_set_streaming(struct table *t)
{
	t->streaming = true;
}

size_t table_rows(const struct table *t)
{
	return t->rows;
}

/* With room for the mark of text_cut(). */
static char *cell_text(const char *text)
{
	const char *shown = *text ? text : "-";
	char *copy = malloc(strlen(shown) + CUT_MARK);

	return copy ? strcpy(copy, shown) : NULL;
}

int table_add(struct table *t, const char *const *cells,
	      const char *const *colors)
{
	struct cell *row;

	if (t->rows == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		struct cell *more =
			reallocarray(t->cells, room * t->n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->cells = more;
		t->room = room;
	}
	row = t->cells + t->rows * t->n;
	for (size_t i = 0; i < t->n; i++) {
		row[i].text = cell_text(cells[i]);
		row[i].color = colors && t->colored ? colors[i] : NULL;
		if (!row[i].text) {
			while (i--)
				free(row[i].text);
			return -ENOMEM;
		}
	}
	t->rows++;
	return 0;
}

static unsigned int natural_width(const struct table *t, size_t column)
{
	const struct table_column *c = &t->columns[column];
	unsigned int most = text_width(c->header);

	if (t->streaming && c->width > most)
		most = c->width;
	for (size_t i = 0; i < t->rows; i++) {
		unsigned int w = text_width(t->cells[i * t->n + column].text);

		if (w > most)
			most = w;
	}
	return most;
}

/* Takes from the column that exceeds its least width most, again and again. */
static void shrink(struct table *t, unsigned int used)
{
	while (used > t->total) {
		size_t most = t->n;

		for (size_t i = 0; i < t->n; i++) {
			const struct table_column *c = &t->columns[i];

			if (t->shown[i] && c->least && t->width[i] > c->least &&
			    (most == t->n ||
			     t->width[i] - c->least >
				     t->width[most] - t->columns[most].least))
				most = i;
		}
		if (most == t->n)
			return; /* too narrow: lines wrap, nothing is lost */
		t->width[most]--;
		used--;
	}
}

/* Later rows may be longer than the first: what room is left is theirs. */
static void widen(struct table *t, unsigned int used)
{
	bool grown = true;

	while (grown) {
		grown = false;
		for (size_t i = 0; i < t->n && used < t->total; i++) {
			if (!t->shown[i] || !t->columns[i].least ||
			    t->width[i] >= WIDEST)
				continue;
			t->width[i]++;
			used++;
			grown = true;
		}
	}
}

static void lay_out(struct table *t)
{
	unsigned int used = 0;

	for (size_t i = 0; i < t->n; i++) {
		t->width[i] = natural_width(t, i);
		t->shown[i] = !t->columns[i].optional || !t->total;
		if (t->shown[i])
			used += t->width[i] + (used ? 1 : 0);
	}
	if (t->total && used > t->total)
		shrink(t, used);
	for (size_t i = 0; i < t->n; i++) {
		if (t->shown[i] || used + 1 + t->width[i] > t->total)
			continue;
		t->shown[i] = true;
		used += 1 + t->width[i];
	}
	if (t->streaming && t->total)
		widen(t, used);
	t->laid_out = true;
}

static void cut_cells(struct table *t)
{
	for (size_t i = 0; t->total && i < t->rows * t->n; i++) {
		char *text = t->cells[i].text;

		if (t->columns[i % t->n].least)
			text_cut(text, strlen(text) + CUT_MARK,
				 t->width[i % t->n]);
	}
}

static void print_cell(const struct table *t, size_t column, const char *text,
		       const char *color, const char **gap, unsigned int *owed)
{
	unsigned int wide = text_width(text), pad = 0;

	if (t->width[column] > wide)
		pad = t->width[column] - wide;
	/* Blanks are owed until something follows: no line ends in them. */
	fprintf(t->out, "%s%*s", *gap, (int)*owed, "");
	*gap = " ";
	*owed = 0;
	if (t->columns[column].right)
		fprintf(t->out, "%*s", (int)pad, "");
	else
		*owed = pad;
	if (color)
		fprintf(t->out, "%s%s" COLOR_RESET, color, text);
	else
		fputs(text, t->out);
}

/* NULL: the header. */
static void print_row(const struct table *t, const struct cell *row)
{
	const char *gap = "";
	unsigned int owed = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (!t->shown[i])
			continue;
		print_cell(t, i, row ? row[i].text : t->columns[i].header,
			   row ? row[i].color : NULL, &gap, &owed);
	}
	fputc('\n', t->out);
}

int table_flush(struct table *t)
{
	bool first = !t->laid_out;

	if (first)
		lay_out(t);
	cut_cells(t);
	if (first)
		print_row(t, NULL);
	for (size_t i = 0; i < t->rows; i++)
		print_row(t, t->cells + i * t->n);
	forget_rows(t);
	return ferror(t->out) ? -EIO : 0;
}
