/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a row of `rstscope top`; one frame as a table, and as JSON. */
#ifndef RSTSCOPE_TOP_TEXT_H
#define RSTSCOPE_TOP_TEXT_H

#include "user/cli/top_model.h"

#define TOP_NAME_LEAST 12

enum top_cell_id {
	TOP_FRESH,
	TOP_GROUP,
	TOP_COUNT,
	TOP_RATE,
	TOP_SHARE,
	TOP_CONNECTIONS,
	TOP_TREND,
	TOP_LAST,
	TOP_CELLS,
};

struct top_cell {
	const char *header;
	int width; /* on the screen; 0: what is left */
	bool right;
};
extern const struct top_cell top_cells[TOP_CELLS];

const char *top_cell_header(const struct top_view *view, enum top_cell_id cell);
/* size >= TOP_NAME */
void top_cell_text(const struct cli *cli, const struct top_model *m,
		   const struct top_rows *rows, const struct top_row *row,
		   enum top_cell_id cell, char *out, size_t size);
/* When, how many, how often. */
void top_title(const struct cli *cli, const struct top_model *m,
	       const struct top_rows *rows, char *out, size_t size);

int top_print(const struct cli *cli, const struct top_model *m,
	      const struct top_view *view, const struct top_rows *rows);
int top_print_json(const struct cli *cli, const struct top_model *m,
		   const struct top_view *view, const struct top_rows *rows);

#endif
