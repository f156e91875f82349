/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of commands: a store of its own in a temporary directory, and
 * cli_main() with what it printed.
 */
#ifndef RSTSCOPE_CLI_CASE_H
#define RSTSCOPE_CLI_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/cli/cli.h"

struct cli_case {
	char dir[64], url[128];
	struct store *store; /* for writing; NULL once closed */
	struct cli cli;
	volatile sig_atomic_t stop; /* an interrupt, for tail */
	char *out, *err;	    /* of the last run */
	size_t out_size, err_size;
};

#define CASE_NOW_US (1795500000ll * USEC_PER_SEC)

static inline int case_setup(void **state)
{
	struct cli_case *c = calloc(1, sizeof(*c));
	char err[256] = "";

	strcpy(c->dir, "/tmp/rstscope-cli-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	snprintf(c->url, sizeof(c->url), "sqlite:%s/events.db", c->dir);
	if (store_open(&c->store, c->url, STORE_WRITE, err, sizeof(err)))
		fail_msg("%s", err);
	*state = c;
	return 0;
}

static inline int case_teardown(void **state)
{
	struct cli_case *c = *state;
	char command[128];

	store_close(c->store);
	free(c->out);
	free(c->err);
	snprintf(command, sizeof(command), "rm -r '%s'", c->dir);
	assert_int_equal(system(command), 0);
	free(c);
	return 0;
}

/* An event as node[1234] would see it, `ago` seconds before CASE_NOW_US. */
static inline struct event case_event(int64_t id, int64_t ago)
{
	struct event ev;

	event_init(&ev);
	ev.id = id;
	strcpy(ev.host, "web1");
	ev.time_us = CASE_NOW_US - ago * USEC_PER_SEC;
	ev.kind = KIND_RECEIVED;
	ev.count = 1;
	ev.process.known = true;
	ev.process.pid = 1234;
	strcpy(ev.process.comm, "node");
	ev.process.via = VIA_SYSCALL;
	ev.syscall.known = true;
	ev.syscall.class = CALL_READ;
	strcpy(ev.syscall.name, "recvfrom");
	ev.syscall.errno_nr = ECONNRESET;
	ev.syscall.delay_us = 120;
	ev.family = 4;
	memcpy(ev.local.ip, "\x0a\0\0\x05", 4);
	ev.local.port = 43000;
	memcpy(ev.peer.ip, "\x0a\0\0\x09", 4);
	ev.peer.port = 3000;
	ev.role = ROLE_CLIENT;
	ev.state = 1;
	ev.verdict.cause = CAUSE_STALE_KEEPALIVE;
	ev.verdict.confidence = 0.93;
	ev.verdict.blame = BLAME_PEER;
	ev.verdict.retry = RETRY_IF_IDEMPOTENT;
	return ev;
}

static inline void case_put(struct cli_case *c, const struct event *ev)
{
	char err[256] = "";

	if (store_put(c->store, &ev, 1, err, sizeof(err)))
		fail_msg("%s", err);
}

/* Runs "rstscope ARGS" (words without blanks) as in a pipe; what it returns. */
static inline int case_run(struct cli_case *c, const char *args)
{
	char line[512], *argv[32], *rest = line;
	int argc = 0, ret;

	free(c->out);
	free(c->err);
	memset(&c->cli, 0, sizeof(c->cli));
	c->cli.out = open_memstream(&c->out, &c->out_size);
	c->cli.err = open_memstream(&c->err, &c->err_size);
	c->cli.out_fd = -1;
	c->cli.stop = &c->stop;
	c->cli.store_url = c->url;
	c->cli.show.now_us = CASE_NOW_US;
	snprintf(line, sizeof(line), "rstscope %s", args);
	if (!*args)
		line[strlen("rstscope")] = '\0';
	while (argc < 31 && (argv[argc] = strsep(&rest, " ")))
		argc++;
	argv[argc] = NULL;
	ret = cli_main(&c->cli, argc, argv);
	fclose(c->cli.out);
	fclose(c->cli.err);
	return ret;
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static inline size_t lines_of(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

#endif
