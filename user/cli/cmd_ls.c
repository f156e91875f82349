/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope ls, tail: which failures. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/list.h"
#include "user/cli/options.h"

/* On a terminal, where nobody scrolls further; a pipe gets them all. */
#define LIMIT_ON_TERMINAL 1000

#define TAIL_POLL_MS 200
/*
 * What took the error and what caused it is often known a moment after the RST:
 * tail shows an event once, when it is complete or that old.
 */
#define TAIL_SETTLE_US (500 * 1000)

int set_columns(struct cli *cli, struct request *req,
		const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->columns = value;
	return 0;
}

const struct cli_option ls_options[] = {
	{"columns", 'o', "COLUMN,...", "the columns to print, in that order",
	 set_columns},
	{NULL},
};

struct ls {
	struct cli *cli;
	struct list *list;
	int64_t last_id; /* tail: those above it come later */
};

static int ls_event(const struct event *ev, void *ctx)
{
	struct ls *ls = ctx;
	int ret;

	if (ls->last_id && ev->id > ls->last_id)
		return 0;
	ret = list_add(ls->list, ev);
	return ret ? ret : cli_stopped(ls->cli);
}

/* For people only: what the table does not show, on the error stream. */
static void tell_hidden(struct cli *cli, struct store *store,
			const struct request *req, size_t shown, bool limited)
{
	struct filter all = req->filter;
	int64_t rows, wanted, events;

	if (!cli->show.terminal || cli->json)
		return;
	all.limit = NOT_KNOWN;
	if (store_count(store, &all, &wanted, &events))
		return;
	if (limited && wanted > (int64_t)shown)
		fprintf(cli->err,
			"the newest %zu of %lld; --limit N shows more\n", shown,
			(long long)wanted);
	if (!shown)
		fprintf(cli->err, "no failures match%s\n",
			req->filter.until_us == NOT_KNOWN
				? "; --since 1d looks further back"
				: "");
	if (req->filter.benign)
		return;
	all.benign = true;
	if (!store_count(store, &all, &rows, &events) && rows > wanted)
		fprintf(cli->err, "%lld benign not shown; --benign does\n",
			(long long)(rows - wanted));
}

/* Ends a query: an interrupt is no failure, an errno told by store is. */
static int finish(struct cli *cli, int ret, const char *err)
{
	if (ret > 0 || cli_stopped(cli))
		return 0;
	return ret ? cli_store_failed(cli, ret, err) : 0;
}

int cmd_ls(struct cli *cli, struct request *req)
{
	struct ls ls = {.cli = cli};
	bool limited = cli->show.terminal && !cli->json && !req->limit_set;
	struct store *store = NULL;
	char err[512] = "";
	int ret, flushed;

	ret = list_new(&ls.list, cli, req->columns);
	if (ret)
		return ret;
	ret = cli_open_store(cli, &store);
	if (ret)
		goto cleanup;
	filter_default_window(&req->filter, cli->show.now_us);
	if (limited)
		req->filter.limit = LIMIT_ON_TERMINAL;
	ret = store_query(store, &req->filter, ls_event, &ls, err, sizeof(err));
	/* Damaged events are left out; the others are shown all the same. */
	flushed = list_flush(ls.list);
	ret = finish(cli, ret ? ret : flushed, err);
	if (!ret && !cli_stopped(cli)) {
		fflush(cli->out);
		tell_hidden(cli, store, req, list_count(ls.list), limited);
	}
cleanup:
	store_close(store);
	list_free(ls.list);
	return ret;
}

struct tail {
	struct ls ls;
	struct filter wanted; /* asked of the settled event */
	struct filter next;   /* asked of the store: everything after_id */
};

static bool settled(const struct event *ev)
{
	bool complete = ev->syscall.known && ev->process.known &&
			ev->verdict.cause != CAUSE_UNKNOWN;

	/* A clock that was set back must not hold back all that follows. */
	return complete ||
	       llabs(clock_unix_us() - ev->time_us) >= TAIL_SETTLE_US;
}

/* In the order of ids: one that is not settled holds back those after it. */
static int tail_event(const struct event *ev, void *ctx)
{
	struct tail *t = ctx;

	if (cli_stopped(t->ls.cli) || !settled(ev))
		return 1;
	t->next.after_id = ev->id;
	return filter_match(&t->wanted, ev) ? list_add(t->ls.list, ev) : 0;
}

static int follow(struct tail *t, struct store *store)
{
	struct cli *cli = t->ls.cli;
	char err[512] = "";
	bool damaged = false;
	int ret;

	do {
		cli->show.now_us = clock_unix_us();
		ret = store_query(store, &t->next, tail_event, t, err,
				  sizeof(err));
		if (ret == -EBADMSG && !damaged) {
			cli_error(cli, "%s", err);
			damaged = true; /* said once; the others go on */
		} else if (ret < 0 && ret != -EBADMSG) {
			return finish(cli, ret, err);
		}
	} while (!cli_sleep_ms(cli, TAIL_POLL_MS));
	return 0;
}

/* With --since, what there is already; else the start is now. */
static int tail_begin(struct tail *t, struct store *store)
{
	char err[512] = "";
	int64_t last;
	int ret = store_last_id(store, &last);

	if (ret)
		return cli_store_failed(t->ls.cli, ret, NULL);
	t->next.after_id = last;
	t->ls.last_id = last;
	if (t->wanted.since_us == NOT_KNOWN || !last)
		return 0;
	ret = store_query(store, &t->wanted, ls_event, &t->ls, err,
			  sizeof(err));
	return finish(t->ls.cli, ret, err);
}

int cmd_tail(struct cli *cli, struct request *req)
{
	struct tail t = {.ls.cli = cli, .wanted = req->filter};
	struct store *store = NULL;
	int ret;

	filter_init(&t.next);
	t.next.benign = true;
	ret = list_new(&t.ls.list, cli, req->columns);
	if (ret)
		return ret;
	list_set_streaming(t.ls.list);
	ret = cli_open_store(cli, &store);
	if (!ret)
		ret = tail_begin(&t, store);
	if (!ret)
		ret = follow(&t, store);
	store_close(store);
	list_free(t.ls.list);
	return ret;
}
