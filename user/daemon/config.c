/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"
#include "user/daemon/config_file.h"
#include "user/observe/plan.h"
#include "user/serve/metrics.h"
#include "user/serve/otlp.h"
#include "user/store/store.h"

#define OPTIONS_MAX 32
/* What getopt_long() returns: the row of the table, out of a letter's way. */
#define ROW 256

const struct config_option *config_find(const char *name)
{
	const struct config_option *o;

	for (o = config_options; o->name; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

static int set_text(struct config *c, const struct config_option *o,
		    const char *value, char *err, size_t err_size)
{
	char *field = (char *)c + o->offset;

	if (!*value) {
		snprintf(err, err_size, "%s is missing", o->argument);
		return -EINVAL;
	}
	if (strlen(value) >= o->size) {
		snprintf(err, err_size, "longer than %zu bytes", o->size - 1);
		return -EINVAL;
	}
	strcpy(field, value);
	return 0;
}

static int set_switch(struct config *c, const struct config_option *o,
		      const char *value, char *err, size_t err_size)
{
	bool *field = (bool *)((char *)c + o->offset);

	if (!value || !strcmp(value, "on")) {
		*field = true;
	} else if (!strcmp(value, "off")) {
		*field = false;
	} else {
		snprintf(err, err_size, "'%s' is neither on nor off", value);
		return -EINVAL;
	}
	return 0;
}

static int set_number(struct config *c, const struct config_option *o,
		      const char *value, char *err, size_t err_size)
{
	static const char *const forms[] = {
		[OPTION_NUMBER] = "a number",
		[OPTION_DURATION] = "a duration like 90s, 12h or 7d",
		[OPTION_SIZE] = "a size like 512M or 2G",
	};
	int64_t *field = (int64_t *)((char *)c + o->offset);
	int64_t n = 0;
	int rc;

	if (o->type == OPTION_DURATION)
		rc = parse_duration_us(value, &n);
	else if (o->type == OPTION_SIZE)
		rc = parse_size(value, &n);
	else
		rc = parse_int(value, INT64_MIN, INT64_MAX, &n);
	/* Above 0 and below the unit: the least that is not "never". */
	if (!rc && o->type == OPTION_DURATION)
		n = n / o->unit + (n % o->unit > 0);
	if (rc == -EINVAL) {
		snprintf(err, err_size, "'%s' is not %s", value,
			 forms[o->type]);
		return -EINVAL;
	}
	if (rc || n < o->min || n > o->max) {
		snprintf(err, err_size, "'%s' is out of range", value);
		return -EINVAL;
	}
	*field = n;
	return 0;
}

int config_set(struct config *c, const struct config_option *o,
	       const char *value, char *err, size_t err_size)
{
	switch (o->type) {
	case OPTION_TEXT:
		return set_text(c, o, value, err, err_size);
	case OPTION_FLAG:
	case OPTION_SWITCH:
		return set_switch(c, o, value, err, err_size);
	case OPTION_NUMBER:
	case OPTION_DURATION:
	case OPTION_SIZE:
		return set_number(c, o, value, err, err_size);
	case OPTION_ACTION:
		/* The first one wins: --help --version is a call for help. */
		if (c->action == CONFIG_RUN)
			c->action = o->min;
		return 0;
	case OPTION_REFUSED:
		break;
	}
	snprintf(err, err_size, "%s", o->help);
	return -EINVAL;
}

static void set_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	strcpy(c->store, STORE_DEFAULT_URL);
	strcpy(c->listen, LISTEN_DEFAULT);
	strcpy(c->timeouts, TIMEOUTS_DEFAULT);
	strcpy(c->methods, PLAN_METHODS_ALL);
	c->retain_age_s = 7 * 86400;
	c->retain_bytes = 512ll << 20;
	c->metric_processes = METRICS_PROCESSES_DEFAULT;
	c->syscalls = true;
	c->netfilter = true;
}

static void build_getopt(struct option longs[OPTIONS_MAX],
			 char shorts[2 * OPTIONS_MAX + 3])
{
	const struct config_option *o;
	size_t n = 0;

	/* '+': stop at the first word that is no option; ':': quietly. */
	n += sprintf(shorts, "+:");
	for (o = config_options;
	     o->name && o - config_options < OPTIONS_MAX - 1; o++) {
		int row = o - config_options;

		longs[row] = (struct option){
			o->name, o->argument ? required_argument : no_argument,
			NULL, ROW + row};
		if (o->letter)
			n += sprintf(shorts + n, "%c%s", o->letter,
				     o->argument ? ":" : "");
	}
}

/* getopt_long() takes "--lis" for "--listen": fine until "--list" comes. */
static bool abbreviated(const char *word, const struct config_option *o)
{
	size_t n = strcspn(word, "=");

	return !strncmp(word, "--", 2) &&
	       (n - 2 != strlen(o->name) || strncmp(word + 2, o->name, n - 2));
}

static const struct config_option *row_of(int got)
{
	const struct config_option *o;

	if (got >= ROW)
		return &config_options[got - ROW];
	for (o = config_options; o->name; o++)
		if (o->letter && o->letter == got)
			return o;
	return NULL;
}

static int refuse(int got, const char *word, char *err, size_t err_size)
{
	const struct config_option *o = got == ':' ? row_of(optopt) : NULL;

	if (o && !abbreviated(word, o))
		snprintf(err, err_size, "%s needs an argument", word);
	else
		snprintf(err, err_size,
			 "unknown option '%s'; rstscoped --help lists them",
			 word);
	return -EINVAL;
}

/* Round one looks for the file and for calls for help, round two for all. */
static bool in_round(const struct config_option *o, int round)
{
	return round == 2 || o->type == OPTION_ACTION ||
	       o == config_find("config");
}

static int parse_line(struct config *c, int argc, char *const argv[], int round,
		      char *err, size_t err_size)
{
	struct option longs[OPTIONS_MAX] = {0};
	char shorts[2 * OPTIONS_MAX + 3], what[400];
	const struct config_option *o;
	int got;

	build_getopt(longs, shorts);
	opterr = 0;
	optind = 0; /* glibc: start anew */
	for (;;) {
		const char *word = argv[optind ? optind : 1];

		got = getopt_long(argc, argv, shorts, longs, NULL);
		if (got == -1)
			break;
		o = got == '?' || got == ':' ? NULL : row_of(got);
		if (!o || abbreviated(word, o))
			return refuse(got, word, err, err_size);
		if (in_round(o, round) &&
		    config_set(c, o, optarg, what, sizeof(what))) {
			snprintf(err, err_size, "--%s: %s", o->name, what);
			return -EINVAL;
		}
	}
	if (optind < argc) {
		snprintf(
			err, err_size,
			"'%s': rstscoped takes options only; --help lists them",
			argv[optind]);
		return -EINVAL;
	}
	return 0;
}

/* For the command line, to undo what the file says. */
static void off_is_none(char *text)
{
	if (!strcmp(text, "off"))
		memset(text, 0, strlen(text));
}

/* What only the whole can show. */
static int check(const struct config *c, char *err, size_t err_size)
{
	struct listen_address address;
	char what[300];

	if (listen_parse(c->listen, &address, what, sizeof(what)) ||
	    listen_check(&address, c->insecure_listen || c->token_file[0], what,
			 sizeof(what))) {
		snprintf(err, err_size, "--listen: %s", what);
		return -EINVAL;
	}
	if (c->otlp[0] && otlp_check_url(c->otlp, what, sizeof(what))) {
		snprintf(err, err_size, "--otlp: %s", what);
		return -EINVAL;
	}
	if (plan_check_methods(c->methods, what, sizeof(what))) {
		snprintf(err, err_size, "--methods: %s", what);
		return -EINVAL;
	}
	return 0;
}

int config_parse(struct config *c, int argc, char *const argv[], char *err,
		 size_t err_size)
{
	int rc;

	set_defaults(c);
	rc = parse_line(c, argc, argv, 1, err, err_size);
	if (rc || c->action != CONFIG_RUN)
		return rc;
	if (c->file[0])
		rc = config_read_file(c, c->file, err, err_size);
	if (!rc)
		rc = parse_line(c, argc, argv, 2, err, err_size);
	off_is_none(c->token_file);
	off_is_none(c->otlp);
	off_is_none(c->otlp_ca);
	return rc ? rc : check(c, err, err_size);
}
