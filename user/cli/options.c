/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/options.h"
#include "user/cli/text.h"

#define HELP_WIDTH   80
#define HELP_INDENT  30
#define OPTIONS_MOST 48
#define LONG_BASE    256 /* getopt's values of options without a letter */

static int set_store(struct cli *cli, struct request *req,
		     const struct cli_option *option, const char *value)
{
	(void)req, (void)option;
	if (!*value)
		return cli_usage(cli, "--store: empty");
	cli->store_url = value;
	return 0;
}

static int set_json(struct cli *cli, struct request *req,
		    const struct cli_option *option, const char *value)
{
	(void)req, (void)option, (void)value;
	cli->json = true;
	return 0;
}

static int set_utc(struct cli *cli, struct request *req,
		   const struct cli_option *option, const char *value)
{
	(void)req, (void)option, (void)value;
	cli->show.utc = true;
	return 0;
}

static int set_color(struct cli *cli, struct request *req,
		     const struct cli_option *option, const char *value)
{
	static const char *const words[] = {
		[WHEN_AUTO] = "auto",
		[WHEN_ALWAYS] = "always",
		[WHEN_NEVER] = "never",
	};

	(void)req, (void)option;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(value, words[i])) {
			cli->color = i;
			return 0;
		}
	}
	return cli_usage(cli, "--color: '%s' is not auto, always or never",
			 value);
}

static int set_help(struct cli *cli, struct request *req,
		    const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->help = true;
	return 0;
}

static int set_filter(struct cli *cli, struct request *req,
		      const struct cli_option *option, const char *value)
{
	char err[256] = "";
	int ret = filter_set(&req->filter, option->name, value,
			     cli->show.now_us, err, sizeof(err));

	req->filter_set = true;
	if (!ret) {
		req->limit_set |= !strcmp(option->name, "limit");
		return 0;
	}
	return cli_usage(cli, "%s", *err ? err : option->name);
}

static const struct cli_option common_options[] = {
	{"store", 0, "URL",
	 "the store to read: sqlite:PATH (default: RSTSCOPE_STORE, "
	 "else " STORE_DEFAULT_URL ")",
	 set_store},
	{"json", 0, NULL, "print JSON, one object per line", set_json},
	{"utc", 0, NULL, "print times in UTC", set_utc},
	{"color", 0, "WHEN",
	 "auto (on a terminal, unless NO_COLOR is set), always or never",
	 set_color},
	{"help", 'h', NULL, "this text", set_help},
};

static size_t own_count(const struct command *command)
{
	size_t n = 0;

	while (command->options && command->options[n].name)
		n++;
	return n;
}

static size_t filter_count(const struct command *command)
{
	size_t n = 0;

	while (command->filter && filter_options[n].name)
		n++;
	return n;
}

bool option_at(const struct command *command, size_t i,
	       struct cli_option *option, enum option_group *group)
{
	size_t own = own_count(command), filters = filter_count(command);

	if (i < own) {
		*option = command->options[i];
		*group = GROUP_OWN;
		return true;
	}
	i -= own;
	if (i < filters) {
		*option = (struct cli_option){
			.name = filter_options[i].name,
			.argument = filter_options[i].argument,
			.help = filter_options[i].help,
			.set = set_filter,
		};
		*group = GROUP_FILTER;
		return true;
	}
	i -= filters;
	if (i >= ARRAY_SIZE(common_options))
		return false;
	*option = common_options[i];
	*group = GROUP_COMMON;
	return true;
}

/* The options of a command in getopt's form. */
struct parser {
	struct cli_option option[OPTIONS_MOST];
	struct option longs[OPTIONS_MOST + 1];
	char letters[2 * OPTIONS_MOST + 3];
	size_t n;
};

static void parser_init(struct parser *p, const struct command *command,
			bool first_only)
{
	enum option_group group;
	char *letter;

	memset(p, 0, sizeof(*p));
	letter = p->letters;
	if (first_only)
		*letter++ = '+';
	*letter++ = ':';
	while (p->n < OPTIONS_MOST &&
	       option_at(command, p->n, &p->option[p->n], &group)) {
		struct cli_option *o = &p->option[p->n];

		p->longs[p->n] = (struct option){
			.name = o->name,
			.has_arg =
				o->argument ? required_argument : no_argument,
			.val = LONG_BASE + p->n,
		};
		if (o->letter) {
			*letter++ = o->letter;
			if (o->argument)
				*letter++ = ':';
		}
		p->n++;
	}
}

/* The command that has it, where it is not this one; or NULL. */
static const char *owner_of(const char *name)
{
	struct cli_option o;
	enum option_group group;

	for (const struct command *c = commands; c->name; c++)
		for (size_t i = 0; option_at(c, i, &o, &group); i++)
			if (!strcmp(o.name, name))
				return c->name;
	return NULL;
}

static int unknown_option(const struct cli *cli, const struct parser *p,
			  const char *word)
{
	struct suggestion s = {NULL, 0};
	const char *owner;
	char name[64];
	size_t length = strcspn(word, "=");

	if (optopt) /* a letter; word may be the one before it */
		return cli_usage(cli, "unknown option -%c", optopt);
	snprintf(name, sizeof(name), "%.*s", (int)(length - 2), word + 2);
	owner = owner_of(name);
	if (owner)
		return cli_usage(cli, "unknown option --%s here (%s has it)",
				 name, owner);
	for (size_t i = 0; i < p->n; i++)
		suggest_try(&s, name, p->option[i].name);
	if (s.best)
		return cli_usage(cli,
				 "unknown option --%s (did you mean --%s?)",
				 name, s.best);
	return cli_usage(cli, "unknown option --%s", name);
}

/*
 * getopt takes "--sin" for "--since". An abbreviation that is unique today may
 * not be so with the next version, so it is refused.
 */
static bool spelled_out(const struct cli_option *o, const char *word)
{
	size_t length = strlen(o->name);

	return !strncmp(word, "--", 2) && !strncmp(word + 2, o->name, length) &&
	       (word[2 + length] == '\0' || word[2 + length] == '=');
}

static const struct cli_option *by_letter(const struct parser *p, int letter)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->option[i].letter == letter)
			return &p->option[i];
	return NULL;
}

static int bad_option(const struct cli *cli, const struct parser *p, int found,
		      const char *word)
{
	const struct cli_option *o;

	if (found == ':' && optopt >= LONG_BASE)
		o = &p->option[optopt - LONG_BASE];
	else if (found == ':')
		o = by_letter(p, optopt);
	else if (optopt >= LONG_BASE)
		return cli_usage(cli, "--%s takes no argument",
				 p->option[optopt - LONG_BASE].name);
	else
		return unknown_option(cli, p, word);
	return cli_usage(cli, "--%s needs an argument: %s", o->name,
			 o->argument);
}

int options_parse(struct cli *cli, const struct command *command,
		  struct request *req, int argc, char **argv, bool first_only)
{
	struct parser p;
	int found, ret;

	memset(req, 0, sizeof(*req));
	filter_init(&req->filter);
	parser_init(&p, command, first_only);
	opterr = 0;
	optind = 0; /* glibc: start anew, as for each test */
	while ((found = getopt_long(argc, argv, p.letters, p.longs, NULL)) !=
	       -1) {
		const struct cli_option *o;
		const char *word = argv[optind - 1];

		if (found == '?' || found == ':')
			return bad_option(cli, &p, found, word);
		if (found < LONG_BASE) {
			o = by_letter(&p, found);
		} else {
			o = &p.option[found - LONG_BASE];
			if (optarg == word)
				word = argv[optind - 2];
			optopt = 0;
			if (!spelled_out(o, word))
				return unknown_option(cli, &p, word);
		}
		ret = o->set(cli, req, o, optarg);
		if (ret)
			return ret;
	}
	req->argc = argc - optind;
	req->argv = argv + optind;
	return 0;
}

static void print_option(FILE *out, const struct cli_option *o)
{
	char left[64], letter[5] = "    ";

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name,
		 o->argument ? " " : "", o->argument ? o->argument : "");
	fprintf(out, "  %-27s ", left);
	text_print(out, HELP_WIDTH, HELP_INDENT, o->help);
}

void options_help(FILE *out, const struct command *command)
{
	static const char *const title[] = {
		[GROUP_OWN] = "Options:",
		[GROUP_FILTER] = "FILTER:",
		[GROUP_COMMON] = "Everywhere:",
	};
	enum option_group group, last = GROUP_COMMON + 1;
	struct cli_option o;

	for (size_t i = 0; option_at(command, i, &o, &group); i++) {
		if (!o.help) /* hidden */
			continue;
		if (group != last)
			fprintf(out, "\n%s\n", title[group]);
		last = group;
		print_option(out, &o);
	}
}

static void dump_row(FILE *out, const char *command, const struct cli_option *o)
{
	char letter[2] = {o->letter, '\0'};

	fprintf(out, "%s\t%s\t%s\t%s\t%s\n", command, o->name, letter,
		o->argument ? o->argument : "", o->help);
}

static void dump_own(FILE *out, const struct command *c)
{
	for (size_t i = 0; c->options && c->options[i].name; i++)
		if (c->options[i].help)
			dump_row(out, c->name, &c->options[i]);
}

void options_dump(FILE *out)
{
	dump_own(out, &program);
	for (const struct command *c = commands; c->name; c++) {
		fprintf(out, "+command\t%s\t\t%s\t%s\n", c->name, c->arguments,
			c->help);
		if (c->filter)
			fprintf(out, "+takes-filter\t%s\t\t\t\n", c->name);
		dump_own(out, c);
	}
	for (const struct filter_option *f = filter_options; f->name; f++)
		fprintf(out, "+filter\t%s\t\t%s\t%s\n", f->name,
			f->argument ? f->argument : "", f->help);
	for (size_t i = 0; i < ARRAY_SIZE(common_options); i++)
		dump_row(out, "+common", &common_options[i]);
}
