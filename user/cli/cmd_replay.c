/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rstscope replay: raw records of `rstscoped --record` through the pipeline of
 * the daemon. An event may be amended by a later record, so all are kept,
 * packed, until the file ends, and printed as they were then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/base/progress.h"
#include "user/cli/kept.h"
#include "user/cli/list.h"
#include "user/cli/options.h"
#include "user/cli/timers.h"
#include "user/daemon/pipeline.h"

struct replay {
	struct cli *cli;
	struct request *req;
	struct record_context context;
	struct pipeline *pipeline;
	struct kept kept;
	int failed;
};

static void on_event(const struct event *ev, int64_t counted, void *ctx)
{
	struct replay *r = ctx;
	int ret = kept_put(&r->kept, ev);

	(void)counted;
	if (ret && !r->failed)
		r->failed = ret;
}

static void on_folded(const struct event *ev, int64_t counted, void *ctx)
{
	(void)ev, (void)counted, (void)ctx; /* pipeline_flush() brings it */
}

/* What was due before the next record came is settled before it. */
static void feed(struct replay *r, const union record *rec)
{
	uint64_t due;

	while ((due = pipeline_due_ns(r->pipeline)) &&
	       due <= rec->head.time_ns) {
		pipeline_advance(r->pipeline, due);
		if (pipeline_due_ns(r->pipeline) == due)
			break; /* nothing moved */
	}
	pipeline_feed(r->pipeline, rec, rec->head.size);
}

static int read_records(struct replay *r, struct record_reader *reader,
			const char *path)
{
	char err[256] = "";
	struct progress progress;
	int64_t records = 0;
	union record rec;
	int ret = 0;

	progress_start(&progress, r->cli->err, "records read");
	while (!r->failed && !cli_stopped(r->cli) &&
	       (ret = record_reader_next(reader, &rec, err, sizeof(err))) > 0) {
		feed(r, &rec);
		progress_set(&progress, ++records);
	}
	progress_end(&progress);
	if (ret < 0) {
		cli_error(r->cli, "%s: %s", path, err);
		return -EIO;
	}
	pipeline_advance(r->pipeline, UINT64_MAX);
	pipeline_flush(r->pipeline);
	if (r->failed)
		cli_error(r->cli, "%s", strerror(-r->failed));
	return r->failed ? -EIO : 0;
}

static int new_pipeline(struct replay *r, const char *host)
{
	struct pipeline_config config = {
		.host = host,
		.context = &r->context,
		.proc_root = "/nonexistent", /* other processes live here now */
		.first_id = 1,
		.separate_netns = r->req->separate_netns,
		.on_event = on_event,
		.on_folded = on_folded,
		.ctx = r,
	};
	int ret = timers_engine(r->cli, r->req->timeouts, &config.engine);

	if (ret)
		return ret;
	r->pipeline = pipeline_new(&config);
	return r->pipeline ? 0 : -ENOMEM;
}

static int replay_file(struct replay *r, FILE *in, const char *path)
{
	struct record_reader *reader = NULL;
	char err[256] = "", host[65] = "";
	int ret =
		record_reader_open(&reader, in, &r->context, err, sizeof(err));

	if (ret) {
		cli_error(r->cli, "%s: %s", path, *err ? err : strerror(-ret));
		return -EIO;
	}
	gethostname(host, sizeof(host) - 1);
	ret = new_pipeline(r, host);
	if (!ret)
		ret = read_records(r, reader, path);
	record_reader_free(reader);
	return ret;
}

static int print(struct replay *r, struct list *list)
{
	struct event ev;
	int ret = 0;

	for (int64_t id = 1; !ret && id <= r->kept.last_id; id++) {
		if (kept_get(&r->kept, id, &ev) &&
		    filter_match(&r->req->filter, &ev))
			ret = list_add(list, &ev);
	}
	return ret ? ret : list_flush(list);
}

static int set_separate(struct cli *cli, struct request *req,
			const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->separate_netns = true;
	return 0;
}

const struct cli_option replay_options[] = {
	{"columns", 'o', "COLUMN,...", "the columns to print, in that order",
	 set_columns},
	{"separate-netns", 0, NULL,
	 "treat every network namespace as a host of its own", set_separate},
	{"timeouts", 0, "FILE", "timers of your own components, as rstscoped's",
	 set_timeouts},
	{NULL},
};

int cmd_replay(struct cli *cli, struct request *req)
{
	struct replay r = {.cli = cli, .req = req};
	struct list *list = NULL;
	const char *path = req->argc ? req->argv[0] : NULL;
	FILE *in;
	int ret;

	if (!path)
		return cli_usage(cli, "FILE is missing");
	if (req->limit_set)
		return cli_usage(cli, "--limit has no meaning here");
	ret = list_new(&list, cli, req->columns);
	if (ret)
		return ret;
	in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (in) {
		ret = replay_file(&r, in, path);
	} else {
		cli_error(cli, "%s: %s", path, strerror(errno));
		ret = -EIO;
	}
	if (!ret)
		ret = print(&r, list);
	if (in && in != stdin)
		fclose(in);
	pipeline_free(r.pipeline);
	kept_clear(&r.kept);
	list_free(list);
	return ret;
}
