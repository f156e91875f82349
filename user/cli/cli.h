/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every command of `rstscope` is given, and the table of commands.
 *
 * A command prints to cli->out and complains in one line with cli_error(). It
 * returns 0; -EINVAL used wrongly; -ENOENT there is no such event; -ENOTSUP the
 * kernel or the privileges do not suffice; any other -errno: it failed. main()
 * alone turns that into an exit status, so a command never passes on one of
 * these of a lower layer: see cli_store_failed.
 */
#ifndef RSTSCOPE_CLI_H
#define RSTSCOPE_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/store/filter.h"
#include "user/store/store.h"
#include "user/tell/show.h"

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

struct cli {
	FILE *out, *err;
	int out_fd;	       /* behind out; -1: none to watch */
	const char *command;   /* for messages; NULL before it is known */
	const char *store_url; /* never NULL */
	bool json;
	struct show show;   /* its terminal: out is one; tables fit it */
	unsigned int width; /* columns of that terminal; 0: as wide as needed */
	enum when color;
	bool colored; /* what came of color, NO_COLOR and the terminal */
	const volatile sig_atomic_t *stop; /* set: an interrupt; may be NULL */
	int status; /* of the command that `run` ran: ours where all went well
		     */
};

/* What the command line asked one command for. */
struct request {
	struct filter filter;
	bool limit_set, filter_set;
	bool help, version, dump;
	bool last;	      /* why */
	bool once;	      /* top */
	bool whole;	      /* doctor */
	bool separate_netns;  /* replay */
	const char *timeouts; /* replay, run: a file; NULL: the default ones */
	const char *columns;  /* -o; NULL: the default ones */
	const char *by;	      /* summary; NULL: the default */
	int64_t top;	      /* summary: that many groups; 0: all */
	const char *vs;	      /* summary; NULL: no earlier window */
	const char *html;     /* report: a file; NULL: not asked for */
	const char *md;
	bool quiet;	    /* run */
	const char *output; /* run: a file; NULL: stderr */
	int json_fd;	    /* run; 0: none */
	int argc;	    /* what is left beside options */
	char **argv;
};

struct cli_option {
	const char *name;
	char letter;	      /* 0: none */
	const char *argument; /* NULL: a flag */
	const char *help;
	/* 0, or -EINVAL after one line on cli->err. */
	int (*set)(struct cli *cli, struct request *req,
		   const struct cli_option *option, const char *value);
};

struct command {
	const char *name;
	const char *arguments; /* shown after the name in the usage line */
	const char *help;
	const struct cli_option *options; /* its own; name NULL ends it */
	bool filter;			  /* takes FILTER */
	int most;			  /* arguments beside options */
	int (*run)(struct cli *cli, struct request *req);
	bool words; /* its arguments are another command line */
};

/* Ends with name NULL. */
extern const struct command commands[];
/* The program itself: what may stand before the command's name. */
extern const struct command program;

const struct command *command_find(const char *name);
/* The whole program, without SIGPIPE and exit statuses: cli->out, cli->err. */
int cli_main(struct cli *cli, int argc, char **argv);

/* --- context.c ------------------------------------------------------------ */
/* stdout and stderr, the environment, the terminal. */
void cli_init(struct cli *cli);
/* It is printed there from here on; decides what depends on a terminal. */
void cli_set_output(struct cli *cli, FILE *out, int fd);
/* Settles cli->colored once the options are read. */
void cli_decide_color(struct cli *cli);
/* "rstscope ls: what"; one line. */
void cli_error(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, and says how to get help. Returns -EINVAL. */
int cli_usage(const struct cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Opens cli->store_url for reading; complains itself. */
int cli_open_store(const struct cli *cli, struct store **store);
/* Complains with text (or the errno's) and returns an errno of our own. */
int cli_store_failed(const struct cli *cli, int err, const char *text);
/* An interrupt came, or nobody reads what we write. */
bool cli_stopped(const struct cli *cli);
/* Sleeps; true: stop now. */
bool cli_sleep_ms(const struct cli *cli, int ms);

/* --- suggest.c ------------------------------------------------------------ */
/* How many keystrokes apart, at most `most` + 1. */
unsigned int suggest_distance(const char *a, const char *b, unsigned int most);
struct suggestion {
	const char *best;
	unsigned int distance;
};
/* Keeps candidate in *s if it is the nearest to text so far and near enough. */
void suggest_try(struct suggestion *s, const char *text, const char *candidate);

/* --- the commands --------------------------------------------------------- */
extern const struct cli_option doctor_options[];
extern const struct cli_option ls_options[];
extern const struct cli_option replay_options[];
extern const struct cli_option report_options[];
extern const struct cli_option run_options[];
extern const struct cli_option summary_options[];
extern const struct cli_option top_options[];
extern const struct cli_option why_options[];
/* -o, of ls, tail and replay. */
int set_columns(struct cli *cli, struct request *req,
		const struct cli_option *option, const char *value);
int cmd_ls(struct cli *cli, struct request *req);
int cmd_tail(struct cli *cli, struct request *req);
int cmd_top(struct cli *cli, struct request *req);
int cmd_why(struct cli *cli, struct request *req);
/* The story of one event, as why prints it. */
int why_tell(const struct cli *cli, struct store *store,
	     const struct event *ev);
int cmd_report(struct cli *cli, struct request *req);
int cmd_summary(struct cli *cli, struct request *req);
int cmd_causes(struct cli *cli, struct request *req);
int cmd_doctor(struct cli *cli, struct request *req);
int cmd_replay(struct cli *cli, struct request *req);
int cmd_run(struct cli *cli, struct request *req);
int cmd_help(struct cli *cli, struct request *req);

#endif
