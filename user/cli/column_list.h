/* SPDX-License-Identifier: Apache-2.0 */
/* -o: which columns, and in which order. */
#ifndef RSTSCOPE_COLUMN_LIST_H
#define RSTSCOPE_COLUMN_LIST_H

#include "user/cli/cli.h"
#include "user/tell/columns.h"

/* The default ones; on a terminal, those from the n-th on only if they fit. */
extern const char *const default_columns[];
#define DEFAULT_COLUMNS_FIXED 6

/*
 * Reads "id,time,peer" ("all": every one) into chosen[COLUMNS_MOST]; their
 * number, or -EINVAL after one line that names the columns.
 */
int columns_choose(const struct cli *cli, const char *list,
		   const struct column **chosen);
void columns_help(FILE *out);

#endif
