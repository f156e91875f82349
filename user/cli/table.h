/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: it fits a terminal (columns that may be left out are, the
 * others are cut, with a mark), and is never cut in a pipe. Rows are collected
 * until table_flush(); the widths of the first flush hold for all, so that
 * `tail` can print row by row. (libsmartcols does neither: it takes from all
 * columns alike, without a mark, and measures each table anew.)
 */
#ifndef RSTSCOPE_TABLE_H
#define RSTSCOPE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table_column {
	const char *header;
	unsigned int width; /* expected, where rows are flushed one by one */
	unsigned int least; /* may be cut to that; 0: never cut */
	bool right;
	bool optional; /* on a terminal: only if there is room */
};

struct table;

/* width 0: no terminal. NULL: out of memory. */
struct table *table_new(FILE *out, const struct table_column *columns, size_t n,
			unsigned int width, bool colored);
void table_free(struct table *t);
/* Rows will be flushed one by one: start with the expected widths. */
void table_set_streaming(struct table *t);
/*
 * cells[n] become copies, "" is shown as "-"; colors[n] (may be NULL, as may
 * each of them) are escape sequences that live on. 0 or -ENOMEM.
 */
int table_add(struct table *t, const char *const *cells,
	      const char *const *colors);
size_t table_rows(const struct table *t);
/* Prints the rows, below the header the first time, and forgets them. */
int table_flush(struct table *t);

#endif
