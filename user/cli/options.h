/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a command, from one table: its own ones, those of FILTER where
 * it takes them, and the ones that work everywhere. Parsing, --help, the man
 * page and the completions all come from option_at().
 */
#ifndef RSTSCOPE_OPTIONS_H
#define RSTSCOPE_OPTIONS_H

#include "user/cli/cli.h"

enum option_group { GROUP_OWN, GROUP_FILTER, GROUP_COMMON };

/* The i-th option of a command; false: there are no more. */
bool option_at(const struct command *command, size_t i,
	       struct cli_option *option, enum option_group *group);

/*
 * Reads the options of argv[1...]. With `first_only`, stops at the first word
 * that is none. 0, or -EINVAL after one line.
 */
int options_parse(struct cli *cli, const struct command *command,
		  struct request *req, int argc, char **argv, bool first_only);

/* The usage of one command, for people. */
void options_help(FILE *out, const struct command *command);
/* Rows for tools/gen-man: command TAB long TAB short TAB argument TAB help. */
void options_dump(FILE *out);

#endif
