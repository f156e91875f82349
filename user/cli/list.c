/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "user/base/base.h"
#include "user/cli/column_list.h"
#include "user/cli/list.h"
#include "user/cli/table.h"

/* Bounds the memory of a long table in a pipe. */
#define ROWS_AT_ONCE 2000

struct list {
	const struct cli *cli;
	const struct column *chosen[COLUMNS_MOST];
	struct table_column columns[COLUMNS_MOST];
	size_t n, count;
	bool streaming;
	struct table *table;
};

static int choose(struct list *l, const char *list)
{
	int n;

	if (list && l->cli->json)
		return cli_usage(l->cli, "-o and --json exclude each other");
	if (list) {
		n = columns_choose(l->cli, list, l->chosen);
		if (n < 0)
			return n;
		l->n = n;
		return 0;
	}
	for (l->n = 0; default_columns[l->n]; l->n++)
		l->chosen[l->n] = column_find(default_columns[l->n]);
	return 0;
}

int list_new(struct list **out, const struct cli *cli, const char *columns)
{
	struct list *l = calloc(1, sizeof(*l));
	int ret;

	if (!l)
		return -ENOMEM;
	l->cli = cli;
	ret = choose(l, columns);
	for (size_t i = 0; !ret && i < l->n; i++) {
		const struct column *c = l->chosen[i];

		l->columns[i] = (struct table_column){
			.header = c->header,
			.width = c->width,
			.least = c->least,
			.right = c->right,
			.optional = !columns && i >= DEFAULT_COLUMNS_FIXED,
		};
	}
	if (!ret) {
		l->table = table_new(cli->out, l->columns, l->n, cli->width,
				     cli->colored);
		if (!l->table)
			ret = -ENOMEM;
	}
	if (ret)
		list_free(l);
	else
		*out = l;
	return ret;
}

void list_free(struct list *l)
{
	if (!l)
		return;
	table_free(l->table);
	free(l);
}

void list_set_streaming(struct list *l)
{
	l->streaming = true;
	table_set_streaming(l->table);
}

size_t list_count(const struct list *l)
{
	return l->count;
}

static int add_json(struct list *l, const struct event *ev)
{
	char *line = event_to_line(ev);

	if (!line)
		return -ENOMEM;
	fputs(line, l->cli->out);
	free(line);
	if (l->streaming)
		fflush(l->cli->out);
	return 0;
}

int list_add(struct list *l, const struct event *ev)
{
	char text[COLUMNS_MOST][COLUMN_TEXT];
	const char *cells[COLUMNS_MOST], *colors[COLUMNS_MOST];
	int ret;

	l->count++;
	if (l->cli->json)
		return add_json(l, ev);
	for (size_t i = 0; i < l->n; i++) {
		column_text(l->chosen[i], &l->cli->show, ev, text[i]);
		cells[i] = text[i];
		colors[i] = column_color(l->chosen[i], ev);
	}
	ret = table_add(l->table, cells, colors);
	if (!ret && (l->streaming ||
		     (!l->cli->width && table_rows(l->table) >= ROWS_AT_ONCE)))
		ret = list_flush(l);
	return ret;
}

int list_flush(struct list *l)
{
	int ret = 0;

	if (!l->cli->json && table_rows(l->table))
		ret = table_flush(l->table);
	if (l->streaming)
		fflush(l->cli->out);
	return ret;
}
