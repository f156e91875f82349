/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/table.h"
#include "user/cli/top_text.h"
#include "user/tell/groups.h"

_Static_assert(TOP_NAME == COLUMN_TEXT, "names are cells of columns");

const struct top_cell top_cells[TOP_CELLS] = {
	[TOP_FRESH] = {"", 3, false},
	[TOP_GROUP] = {NULL, 0, false}, /* the key's */
	[TOP_COUNT] = {"COUNT", 6, true},
	[TOP_RATE] = {"RATE", 8, true},
	[TOP_SHARE] = {"SHARE", 6, true},
	[TOP_CONNECTIONS] = {"OF-CONNS", 8, true},
	[TOP_TREND] = {"LAST 10MIN", TOP_SPARKS, false},
	[TOP_LAST] = {"LAST", 8, false},
};

const char *top_cell_header(const struct top_view *view, enum top_cell_id cell)
{
	return cell == TOP_GROUP ? group_key_find(top_keys[view->key])->header
				 : top_cells[cell].header;
}

void top_cell_text(const struct cli *cli, const struct top_model *m,
		   const struct top_rows *rows, const struct top_row *row,
		   enum top_cell_id cell, char *out, size_t size)
{
	switch (cell) {
	case TOP_FRESH:
		snprintf(out, size, "%s", row->fresh ? "new" : "");
		break;
	case TOP_GROUP:
		format_safe(row->name, out, size);
		break;
	case TOP_COUNT:
		snprintf(out, size, "%lld", (long long)row->count);
		break;
	case TOP_RATE:
		*out = '\0';
		if (row->per_second > 0)
			event_rate_text(row->per_second, out, size);
		break;
	case TOP_SHARE:
		snprintf(out, size, "%.1f%%", 100.0 * row->count / rows->total);
		break;
	case TOP_CONNECTIONS:
		connections_share_text(top_connections(m), row->count, out,
				       size);
		break;
	case TOP_TREND:
		top_spark_text(row, out);
		break;
	default:
		show_time(&cli->show, row->last_us, out, size);
	}
}

int top_print(const struct cli *cli, const struct top_model *m,
	      const struct top_view *view, const struct top_rows *rows)
{
	struct table_column columns[TOP_CELLS];
	char text[TOP_CELLS][COLUMN_TEXT];
	const char *row[TOP_CELLS];
	struct table *table;
	int ret = 0;

	for (enum top_cell_id c = 0; c < TOP_CELLS; c++) {
		columns[c] = (struct table_column){
			.header = c == TOP_FRESH ? "NEW"
						 : top_cell_header(view, c),
			.least = c == TOP_GROUP ? TOP_NAME_LEAST : 0,
			.right = top_cells[c].right,
		};
		row[c] = text[c];
	}
	table = table_new(cli->out, columns, TOP_CELLS, cli->width,
			  cli->colored);
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; !ret && i < rows->n; i++) {
		for (enum top_cell_id c = 0; c < TOP_CELLS; c++)
			top_cell_text(cli, m, rows, &rows->row[i], c, text[c],
				      sizeof(text[c]));
		ret = table_add(table, row, NULL);
	}
	if (!ret && table_rows(table))
		ret = table_flush(table);
	table_free(table);
	return ret;
}

static json_t *row_json(const struct top_model *m, const struct top_view *view,
			const struct top_rows *rows, const struct top_row *row)
{
	const struct connections *c = top_connections(m);
	json_t *sparks = json_array(), *share = json_null();
	char first[TIME_TEXT], last[TIME_TEXT];

	for (int i = 0; i < TOP_SPARKS; i++)
		json_array_append_new(sparks, json_real(row->spark[i]));
	if (c->number != NOT_KNOWN)
		share = json_pack("{s:f, s:f, s:b}", "share",
				  (double)row->count / c->number, "number",
				  c->number, "estimated", c->estimated);
	format_time_utc(row->first_us, first);
	format_time_utc(row->last_us, last);
	return json_pack("{s:{s:s}, s:I, s:f, s:f, s:o, s:o, s:b, s:s, s:s, "
			 "s:I}",
			 "group", top_keys[view->key], row->name, "count",
			 (json_int_t)row->count, "share",
			 (double)row->count / rows->total, "rate_per_second",
			 row->per_second, "connections", share, "last_minutes",
			 sparks, "new", row->fresh, "first", first, "last",
			 last, "newest", (json_int_t)row->newest_id);
}

int top_print_json(const struct cli *cli, const struct top_model *m,
		   const struct top_view *view, const struct top_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		json_t *json = row_json(m, view, rows, &rows->row[i]);
		int ret;

		if (!json)
			return -ENOMEM;
		ret = json_dumpf(json, cli->out,
				 JSON_COMPACT | JSON_REAL_PRECISION(6));
		json_decref(json);
		if (ret)
			return -EIO;
		fputc('\n', cli->out);
	}
	return 0;
}

void top_title(const struct cli *cli, const struct top_model *m,
	       const struct top_rows *rows, char *out, size_t size)
{
	char length[32], rate[32] = "none", at[40];
	int64_t since, end;

	top_window(m, &since, &end);
	format_duration_ms((end - since) / 1000.0, length, sizeof(length));
	show_time(&cli->show, end, at, sizeof(at));
	if (rows->per_second > 0)
		event_rate_text(rows->per_second, rate, sizeof(rate));
	snprintf(out, size, "rstscope top  %s  last %s: %lld failures, now %s",
		 at, length, (long long)rows->total, rate);
}
