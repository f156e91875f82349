/* SPDX-License-Identifier: Apache-2.0 */
#include "user/base/base.h"
#include "user/cli/dump.h"
#include "user/cli/options.h"
#include "user/tell/columns.h"
#include "user/tell/groups.h"

static void dump_word(FILE *out, const char *what, const char *name,
		      const char *help)
{
	fprintf(out, "%s\t%s\t\t\t%s\n", what, name, help);
}

/* The words that an option's argument may be. */
static void dump_values(FILE *out)
{
	for (int i = 0; i < CAUSES; i++)
		dump_word(out, "+cause", cause_name(i), "");
	for (int i = 0; i < KINDS; i++)
		dump_word(out, "+kind", kind_name(i), "");
	for (int i = 0; i < CALL_CLASSES; i++)
		dump_word(out, "+class", call_class_name(i), "");
	for (const struct group_key *k = group_keys; k->name; k++)
		dump_word(out, "+key", k->name, k->help);
	for (const struct column *c = column_table; c->name; c++)
		dump_word(out, "+column", c->name, c->help);
}

void dump_all(FILE *out)
{
	options_dump(out);
	dump_values(out);
}
