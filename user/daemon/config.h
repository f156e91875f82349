/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's configuration: from the command line and from an INI file. One
 * table of options drives both, --help, the man pages and the completions.
 */
#ifndef RSTSCOPE_CONFIG_H
#define RSTSCOPE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "user/serve/listen.h"

enum config_action {
	CONFIG_RUN,
	CONFIG_HELP,
	CONFIG_VERSION,
	CONFIG_DUMP, /* the option table, for tools */
};

/* This one may be missing. */
#define TIMEOUTS_DEFAULT "/etc/rstscope/timeouts.tsv"

struct config {
	enum config_action action;
	char file[512];		  /* --config; "": none */
	char store[512];	  /* store_open() understands it */
	char listen[LISTEN_TEXT]; /* listen_parse() understands it */
	char timeouts[512];	  /* the user's, for the cause engine */
	char record[512];	  /* "": do not record */
	char token_file[512];	  /* "": no token is asked for */
	char otlp[512];		  /* ""; otlp_check_url() takes it */
	char methods[64];	  /* plan_check_methods() takes it */
	char otlp_ca[512];	  /* "": the certificates of the system */
	int64_t retain_age_s;	  /* 0: for ever */
	int64_t retain_bytes;	  /* 0: no bound */
	int64_t once_us;	  /* 0: until told to stop */
	int64_t metric_processes;
	int64_t connections; /* 0: from the machine's memory */
	bool syscalls;
	bool netfilter;
	bool stacks;
	bool packet;
	bool separate_netns;
	bool insecure_listen;
	bool journal;
	bool verbose;
};

/*
 * What holds where nothing is said, then the file, then the command line over
 * it. 0; -EINVAL usage (exit status 2), with one line in err: "FILE:LINE: ..."
 * where the file is at fault.
 */
int config_parse(struct config *c, int argc, char *const argv[], char *err,
		 size_t err_size);

void config_print_help(FILE *out);
/* One option a line: command, long, short, argument, help; tabs between. */
void config_print_options(FILE *out);

/* The table, for tests and documents; the last one has name NULL. */
enum option_type {
	OPTION_TEXT,
	OPTION_FLAG,   /* no argument; on or off in the file */
	OPTION_SWITCH, /* on or off */
	OPTION_NUMBER,
	OPTION_DURATION, /* stored in units of `unit` microseconds */
	OPTION_SIZE,
	OPTION_ACTION,	/* command line only; `min` is the action */
	OPTION_REFUSED, /* known, but not in this build: help says why */
};
struct config_option {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	const char *argument; /* NULL: none */
	const char *help;
	size_t offset, size; /* in struct config */
	int64_t min, max, unit;
	bool line_only; /* not in the file */
};
extern const struct config_option config_options[];

#endif
