/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope causes: what is known of each cause. */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/cli.h"
#include "user/cli/table.h"
#include "user/cli/text.h"
#include "user/explain/knowledge.h"
#include "user/tell/columns.h"

static int find_cause(const struct cli *cli, const char *name)
{
	struct suggestion s = {NULL, 0};
	int cause = cause_by_name(name);

	if (cause >= 0)
		return cause;
	for (int i = 0; i < CAUSES; i++)
		suggest_try(&s, name, cause_name(i));
	if (s.best)
		return cli_usage(cli, "no cause '%s' (did you mean %s?)", name,
				 s.best);
	cli_error(cli, "no cause '%s'; rstscope causes lists them", name);
	return -EINVAL;
}

static json_t *lines_json(const char *const *lines)
{
	json_t *list = json_array();

	for (size_t i = 0; i < KNOWLEDGE_LINES && lines[i]; i++)
		json_array_append_new(list, json_string(lines[i]));
	return list;
}

/* "received, hangup" as a list. */
static json_t *kinds_json(const char *kinds)
{
	json_t *list = json_array();

	while (*kinds) {
		size_t length = strcspn(kinds, ", ");

		json_array_append_new(list, json_stringn(kinds, length));
		kinds += length;
		kinds += strspn(kinds, ", ");
	}
	return list;
}

static int print_json(const struct cli *cli, enum cause cause)
{
	const struct cause_info *info = cause_info(cause);
	json_t *json = json_pack(
		"{s:s, s:o, s:s, s:o, s:o, s:o}", "name", cause_name(cause),
		"kinds", kinds_json(info->kinds), "summary", info->summary,
		"told_by", lines_json(info->told_by), "mimics",
		lines_json(info->mimics), "fixes", lines_json(info->fixes));
	int ret;

	if (!json)
		return -ENOMEM;
	ret = json_dumpf(json, cli->out, JSON_COMPACT);
	json_decref(json);
	fputc('\n', cli->out);
	return ret ? -EIO : 0;
}

static void print_lines(const struct cli *cli, const char *title,
			const char *const *lines)
{
	if (!lines[0])
		return;
	fprintf(cli->out, "\n%s\n", title);
	for (size_t i = 0; i < KNOWLEDGE_LINES && lines[i]; i++) {
		fputs("  - ", cli->out);
		text_print(cli->out, cli->width, 4, lines[i]);
	}
}

static int print_one(const struct cli *cli, enum cause cause)
{
	const struct cause_info *info = cause_info(cause);

	if (cli->json)
		return print_json(cli, cause);
	fprintf(cli->out, "%s%s%s (%s)\n", cli->colored ? COLOR_BOLD : "",
		cause_name(cause), cli->colored ? COLOR_OFF : "", info->kinds);
	fputs("  ", cli->out);
	text_print(cli->out, cli->width, 2, info->summary);
	print_lines(cli, "How it is told", info->told_by);
	print_lines(cli, "What looks alike", info->mimics);
	print_lines(cli, "What fixes it", info->fixes);
	return 0;
}

static int print_all(const struct cli *cli)
{
	static const struct table_column list_columns[] = {
		{"CAUSE"},
		{"KIND", .least = 8},
		{"WHAT HAPPENED", .least = 20},
	};
	struct table *table;
	int ret = 0;

	for (int i = 0; cli->json && !ret && i < CAUSES; i++)
		ret = print_json(cli, i);
	if (cli->json)
		return ret;
	table = table_new(cli->out, list_columns, ARRAY_SIZE(list_columns),
			  cli->width, cli->colored);
	if (!table)
		return -ENOMEM;
	for (int i = 0; !ret && i < CAUSES; i++) {
		const struct cause_info *info = cause_info(i);
		const char *cells[] = {cause_name(i), info->kinds,
				       info->summary};

		ret = table_add(table, cells, NULL);
	}
	if (!ret)
		ret = table_flush(table);
	table_free(table);
	return ret;
}

int cmd_causes(struct cli *cli, struct request *req)
{
	int cause;

	if (!req->argc)
		return print_all(cli);
	cause = find_cause(cli, req->argv[0]);
	return cause < 0 ? cause : print_one(cli, cause);
}
