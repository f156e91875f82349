/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and what finds its way in it. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/cli.h"
#include "user/cli/column_list.h"
#include "user/cli/dump.h"
#include "user/cli/options.h"
#include "version.h"

static int set_version(struct cli *cli, struct request *req,
		       const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->version = true;
	return 0;
}

static int set_dump(struct cli *cli, struct request *req,
		    const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->dump = true;
	return 0;
}

static const struct cli_option program_options[] = {
	{"version", 'V', NULL, "the version", set_version},
	{"dump-options", 0, NULL, NULL, set_dump}, /* for tools/gen-man */
	{NULL},
};

const struct command program = {
	.name = "rstscope",
	.arguments = "[OPTION]... COMMAND [ARGUMENT]...",
	.help = "which process, which call, which cause: TCP resets explained",
	.options = program_options,
};

const struct command commands[] = {
	{"ls", "[FILTER] [-o COLUMN,...]",
	 "which failures: a table, newest last", ls_options, true, 0, cmd_ls},
	{"tail", "[FILTER] [-o COLUMN,...]",
	 "the same, live, until interrupted", ls_options, true, 0, cmd_tail},
	{"top", "[FILTER] [--by KEY]",
	 "groups of failures, live: rate, share, the last minutes", top_options,
	 true, 0, cmd_top},
	{"why", "ID | --last [FILTER]",
	 "one failure as a story: what happened, who did it, what to change",
	 why_options, true, 1, cmd_why},
	{"summary", "[FILTER] [--by KEY,...] [--vs TIME]",
	 "how many, of what, how often", summary_options, true, 0, cmd_summary},
	{"report", "[FILTER] [--html FILE] [--md FILE]",
	 "an incident report to attach: picture, groups, verdicts, fixes",
	 report_options, true, 0, cmd_report},
	{"causes", "[NAME]",
	 "the knowledge: each cause, how it is told, what fixes it", NULL,
	 false, 1, cmd_causes},
	{"run", "[OPTION]... [--] COMMAND [ARGUMENT]...",
	 "runs a command; tells at its end which connections failed, and why",
	 run_options, false, INT_MAX, cmd_run, true},
	{"replay", "[FILTER] FILE",
	 "raw records of rstscoped --record, explained anew", replay_options,
	 true, 1, cmd_replay},
	{"doctor", "", "whether the daemon runs, what it sees, what was lost",
	 doctor_options, false, 0, cmd_doctor},
	{"help", "[COMMAND]", "how to use a command", NULL, false, 1, cmd_help},
	{NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int unknown_command(const struct cli *cli, const char *name)
{
	struct suggestion s = {NULL, 0};

	for (const struct command *c = commands; c->name; c++)
		suggest_try(&s, name, c->name);
	if (s.best)
		return cli_usage(cli, "no command '%s' (did you mean %s?)",
				 name, s.best);
	return cli_usage(cli, "no command '%s'", name);
}

/* What is asked in the night, and what to type; tests/examples types it. */
static const struct {
	const char *command, *question;
} questions[] = {
	{"summary --by process,peer", "who is hit, and by whom?"},
	{"summary --vs 24h", "new, or as always? did the fix help?"},
	{"summary --by subnet", "one peer, one network, or all of them?"},
	{"summary --by cause", "why? at which idle times, as timers have?"},
	{"summary --by retry", "was anything lost, what may be retried?"},
	{"ls --cause process_exit", "did a process die?"},
	{"summary --by blame", "we, the peer, or the path?"},
	{"summary --benign", "how much of it is noise?"},
	{"why --last", "what happened, how sure is it, what to change?"},
	{"doctor", "what was missed?"},
};

static void print_program_help(FILE *out)
{
	fprintf(out, "Usage: rstscope %s\n%s\n\nCommands:\n", program.arguments,
		program.help);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-10s %s\n", c->name, c->help);
	fputs("\nOn call:\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		fprintf(out, "  rstscope %-26s %s\n", questions[i].command,
			questions[i].question);
	options_help(out, &program);
	fputs("\nrstscope COMMAND --help tells more; so does man rstscope.\n",
	      out);
}

static void print_command_help(FILE *out, const struct command *c)
{
	fprintf(out, "Usage: rstscope %s%s%s\n%s\n", c->name,
		*c->arguments ? " " : "", c->arguments, c->help);
	options_help(out, c);
	if (c->options == ls_options || c->options == replay_options)
		columns_help(out);
	if (c->filter && c->options != replay_options)
		fputs("\nThe last hour unless --since says otherwise.\n", out);
}

int cmd_help(struct cli *cli, struct request *req)
{
	const struct command *c;

	if (!req->argc) {
		print_program_help(cli->out);
		return 0;
	}
	c = command_find(req->argv[0]);
	if (!c) {
		cli->command = NULL;
		return unknown_command(cli, req->argv[0]);
	}
	print_command_help(cli->out, c);
	return 0;
}

static int run_command(struct cli *cli, const struct command *c, int argc,
		       char **argv)
{
	struct request req;
	int ret;

	cli->command = c->name;
	ret = options_parse(cli, c, &req, argc, argv, c->words);
	if (ret)
		return ret;
	if (req.help) {
		print_command_help(cli->out, c);
		return 0;
	}
	if (req.argc > c->most)
		return cli_usage(cli, "'%s' is one argument too many",
				 req.argv[c->most]);
	cli_decide_color(cli);
	return c->run(cli, &req);
}

int cli_main(struct cli *cli, int argc, char **argv)
{
	const struct command *c;
	struct request req;
	int ret = options_parse(cli, &program, &req, argc, argv, true);

	if (ret)
		return ret;
	if (req.version) {
		fprintf(cli->out, "rstscope %s (%s)\n", RSTSCOPE_VERSION,
			RSTSCOPE_REVISION);
		return 0;
	}
	if (req.dump) {
		dump_all(cli->out);
		return 0;
	}
	if (req.help) {
		print_program_help(cli->out);
		return 0;
	}
	if (!req.argc)
		return cli_usage(cli, "a command is missing");
	c = command_find(req.argv[0]);
	if (!c)
		return unknown_command(cli, req.argv[0]);
	return run_command(cli, c, req.argc, req.argv);
}
