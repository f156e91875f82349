/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/column_list.h"

const char *const default_columns[] = {
	"id",	 "time", "process",    "failure", "peer", "cause",
	"count", "kind", "confidence", "idle",	  "age",  NULL,
};

static int unknown_column(const struct cli *cli, const char *name)
{
	struct suggestion s = {NULL, 0};
	char list[1024];
	size_t used = 0;

	for (const struct column *c = column_table; c->name; c++) {
		suggest_try(&s, name, c->name);
		used += snprintf(list + used, sizeof(list) - used, "%s%s",
				 used ? "," : "", c->name);
	}
	if (s.best)
		cli_error(cli,
			  "no column '%s' (did you mean %s?); there are %s",
			  name, s.best, list);
	else
		cli_error(cli, "no column '%s'; there are all,%s", name, list);
	return -EINVAL;
}

int columns_choose(const struct cli *cli, const char *list,
		   const struct column **chosen)
{
	char name[32];
	int n = 0;

	if (!strcmp(list, "all")) {
		for (; column_table[n].name; n++)
			chosen[n] = &column_table[n];
		return n;
	}
	for (;;) {
		size_t length = strcspn(list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		if (n == COLUMNS_MOST)
			return cli_usage(cli, "-o: more than %d columns",
					 COLUMNS_MOST);
		chosen[n] = column_find(name);
		if (!chosen[n] || length >= sizeof(name))
			return unknown_column(cli, name);
		n++;
		if (!list[length])
			return n;
		list += length + 1;
	}
}

void columns_help(FILE *out)
{
	fputs("\nColumns for -o (all: every one):\n", out);
	for (const struct column *c = column_table; c->name; c++)
		fprintf(out, "  %-14s %s\n", c->name, c->help);
	fputs("By default: ", out);
	for (size_t i = 0; default_columns[i]; i++)
		fprintf(out, "%s%s", i ? "," : "", default_columns[i]);
	fputs("\n(on a terminal the last ones as room allows)\n", out);
}
