/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rstscope run: the daemon's probes and pipeline around one command, without
 * the daemon. The command begins when the probes are attached; what concerns
 * its processes is kept, and told when it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/cli/child.h"
#include "user/cli/options.h"
#include "user/cli/run_report.h"
#include "user/cli/timers.h"
#include "user/daemon/config.h"
#include "user/daemon/intake.h"
#include "user/daemon/privileges.h"

/* For what comes last: answers to the last segments, deaths. */
#define LATE_US (100 * 1000)

struct run {
	struct cli *cli;
	const struct request *req;
	struct filter filter;
	FILE *output; /* --output; NULL: stderr */
	char host[65];
	struct observer *observer;
	struct pipeline *pipeline;
	struct intake intake;
	struct child child;
	struct kept kept;
	int failed; /* to keep an event */
};

static void on_event(const struct event *ev, int64_t counted, void *ctx)
{
	struct run *r = ctx;
	int ret;

	(void)counted;
	if (!ev->process.known ||
	    !observer_is_family(r->observer, ev->process.pid)) {
		kept_drop(&r->kept, ev->id);
		return;
	}
	ret = kept_put(&r->kept, ev);
	if (ret)
		r->failed = ret;
}

static void on_folded(const struct event *ev, int64_t counted, void *ctx)
{
	(void)ev, (void)counted, (void)ctx; /* pipeline_flush() brings it */
}

static void on_record(const void *data, size_t size, void *ctx)
{
	struct run *r = ctx;

	pipeline_feed(r->pipeline, data, size);
}

/* --- before the command --------------------------------------------------- */

static int check_privileges(struct run *r)
{
	char err[512];
	int ret = privileges_check(err, sizeof(err));

	if (ret && !(ret > 0 && r->req->quiet))
		cli_error(r->cli, "%s", err);
	return ret < 0 ? -ENOTSUP : 0;
}

static int open_output(struct run *r)
{
	const char *path = r->req->output;

	if (!path)
		return 0;
	r->output = fopen(path, "we");
	if (r->output)
		return 0;
	cli_error(r->cli, "%s: %s", path, strerror(errno));
	return -EIO;
}

static int open_observer(struct run *r)
{
	struct observer_config config = {
		.syscalls = true,
		.netfilter = true,
		.family = true,
	};
	char err[512] = "";
	int ret = observer_open(&r->observer, &config, err, sizeof(err));

	if (ret) {
		cli_error(r->cli, "%s", *err ? err : strerror(-ret));
		return ret == -ENOMEM ? ret : -ENOTSUP;
	}
	/* without it the other end of an older connection has no name */
	observer_seed(r->observer);
	return 0;
}

/* The daemon's file, where there is one. */
static const char *timers(const struct run *r)
{
	if (r->req->timeouts || access(TIMEOUTS_DEFAULT, F_OK))
		return r->req->timeouts;
	return TIMEOUTS_DEFAULT;
}

static int open_pipeline(struct run *r)
{
	struct pipeline_config config = {
		.host = r->host,
		.context = observer_context(r->observer),
		.proc_root = "/proc",
		.first_id = 1,
		.on_event = on_event,
		.on_folded = on_folded,
		.ctx = r,
	};
	int ret = timers_engine(r->cli, timers(r), &config.engine);

	if (ret)
		return ret;
	gethostname(r->host, sizeof(r->host) - 1);
	r->pipeline = pipeline_new(&config);
	if (!r->pipeline)
		return -ENOMEM;
	r->intake = (struct intake){
		.observer = r->observer,
		.pipeline = r->pipeline,
		.on_record = on_record,
		.ctx = r,
	};
	return 0;
}

/* --- the command ---------------------------------------------------------- */

static void take_late_ones(struct run *r)
{
	int64_t end = clock_unix_us() + LATE_US;

	while (clock_unix_us() < end)
		intake_turn(&r->intake, -1, end);
	intake_drain(&r->intake);
	pipeline_advance(r->pipeline, UINT64_MAX);
	pipeline_flush(r->pipeline);
}

/* 0: it ran, or could not be started, as child.status says. */
static int watch(struct run *r, bool *ran)
{
	int ret = child_prepare(&r->child);

	if (ret)
		return ret;
	if (cli_stopped(r->cli))
		return -EINTR;
	ret = child_start(&r->child, r->req->argv);
	*ran = !ret;
	if (ret) {
		cli_error(r->cli, "%s: %s", r->req->argv[0], strerror(-ret));
		return r->child.status ? 0 : -EIO;
	}
	while (!r->child.ended) {
		intake_turn(&r->intake, r->child.signals, INT64_MAX);
		child_attend(&r->child);
	}
	take_late_ones(r);
	return 0;
}

/* --- after it ------------------------------------------------------------- */

static void tell_losses(const struct run *r)
{
	struct observe_counts c;
	uint64_t dropped = 0;

	observer_get_counts(r->observer, &c);
	for (int i = 0; i < REC_KINDS; i++)
		dropped += c.kind[i].dropped;
	if (dropped)
		cli_error(r->cli,
			  "%llu records of this host were lost under load: "
			  "more may have failed",
			  (unsigned long long)dropped);
	if (c.tally[TALLY_FAMILY_FULL])
		cli_error(r->cli, "%llu of its processes were not followed",
			  (unsigned long long)c.tally[TALLY_FAMILY_FULL]);
}

/* In one piece: processes that it left behind may still write. */
static int write_out(FILE *to, const char *text, size_t size)
{
	if (fwrite(text, 1, size, to) != size || fflush(to))
		return -errno;
	return 0;
}

static int tell(struct run *r)
{
	struct cli cli = *r->cli;
	FILE *to = r->output ? r->output : cli.err, *memory;
	char *text = NULL;
	size_t size = 0;
	int ret;

	cli_set_output(&cli, to, fileno(to));
	cli_decide_color(&cli);
	memory = open_memstream(&text, &size);
	if (!memory)
		return -ENOMEM;
	cli.out = memory;
	ret = cli.json ? run_report_json(memory, &r->kept, &r->filter)
		       : run_report(&cli, &r->kept, &r->filter, r->req->quiet);
	if (fclose(memory) && !ret)
		ret = -ENOMEM;
	if (!ret)
		ret = write_out(to, text, size);
	free(text);
	return ret;
}

static int tell_json_fd(struct run *r)
{
	FILE *out;
	int ret, fd;

	if (!r->req->json_fd)
		return 0;
	fd = fcntl(r->req->json_fd, F_DUPFD_CLOEXEC, 3);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		return -errno;
	ret = run_report_json(out, &r->kept, &r->filter);
	if (fclose(out) && !ret)
		ret = -errno;
	return ret;
}

/* The command's own status counts more than that of its report. */
static int tell_all(struct run *r)
{
	int ret = tell(r), json = tell_json_fd(r);

	tell_losses(r);
	if (!ret)
		ret = json;
	if (!ret)
		ret = r->failed;
	if (!ret)
		return 0;
	cli_error(r->cli, "cannot write the report: %s", strerror(-ret));
	return r->child.status ? 0 : -EIO;
}

static void close_all(struct run *r)
{
	child_release(&r->child);
	pipeline_free(r->pipeline);
	observer_close(r->observer);
	kept_clear(&r->kept);
	if (r->output)
		fclose(r->output);
}

int cmd_run(struct cli *cli, struct request *req)
{
	static int (*const steps[])(struct run *) = {
		check_privileges,
		open_output,
		open_observer,
		open_pipeline,
	};
	struct run r = {.cli = cli, .req = req, .filter = req->filter};
	bool ran = false;
	int ret = 0;

	if (!req->argc)
		return cli_usage(cli, "COMMAND is missing");
	for (size_t i = 0; !ret && i < ARRAY_SIZE(steps); i++)
		ret = steps[i](&r);
	if (!ret)
		ret = watch(&r, &ran);
	if (ran)
		ret = tell_all(&r);
	cli->status = r.child.status;
	close_all(&r);
	return ret;
}

/* --- options -------------------------------------------------------------- */

static int set_quiet(struct cli *cli, struct request *req,
		     const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->quiet = true;
	return 0;
}

static int set_benign(struct cli *cli, struct request *req,
		      const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->filter.benign = true;
	return 0;
}

static int set_output(struct cli *cli, struct request *req,
		      const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->output = value;
	return 0;
}

/* The command does not get it, but for its own streams. */
static int set_json_fd(struct cli *cli, struct request *req,
		       const struct cli_option *option, const char *value)
{
	int64_t fd;
	int flags;

	(void)option;
	if (parse_int(value, 1, INT32_MAX, &fd))
		return cli_usage(cli, "--json-fd: '%s' is no descriptor",
				 value);
	flags = fcntl((int)fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return cli_usage(cli, "--json-fd: %s is not open for writing",
				 value);
	if (fd > STDERR_FILENO)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	req->json_fd = (int)fd;
	return 0;
}

const struct cli_option run_options[] = {
	{"output", 0, "FILE", "the report goes there, not to standard error",
	 set_output},
	{"json-fd", 0, "N",
	 "also write the events as JSON, one per line, to this descriptor",
	 set_json_fd},
	{"quiet", 'q', NULL, "say nothing where no connection failed",
	 set_quiet},
	{"benign", 0, NULL, "tell also of those by which nothing was lost",
	 set_benign},
	{"timeouts", 0, "FILE", "timers of your own components, as rstscoped's",
	 set_timeouts},
	{NULL},
};
