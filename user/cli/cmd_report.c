/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope report: an incident report to attach. */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/options.h"
#include "user/cli/report_data.h"

static int set_html(struct cli *cli, struct request *req,
		    const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->html = value;
	return 0;
}

static int set_md(struct cli *cli, struct request *req,
		  const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->md = value;
	return 0;
}

const struct cli_option report_options[] = {
	{"html", 0, "FILE", "write one self-contained page (-: print it)",
	 set_html},
	{"md", 0, "FILE",
	 "write Markdown, for a ticket (-, as without both: print it)", set_md},
	{NULL},
};

typedef int (*render_fn)(FILE *out, const struct report_data *d);

static int render(const struct cli *cli, const char *path, render_fn fn,
		  const struct report_data *d)
{
	FILE *out;
	int nr;

	if (!strcmp(path, "-"))
		return fn(cli->out, d);
	out = fopen(path, "we");
	if (!out) {
		cli_error(cli, "%s: %s", path, strerror(errno));
		return -EIO;
	}
	fn(out, d);
	nr = ferror(out) || fflush(out) ? errno : 0;
	if (fclose(out) && !nr)
		nr = errno;
	if (!nr)
		return 0;
	cli_error(cli, "cannot write %s: %s", path, strerror(nr));
	return -EIO;
}

int cmd_report(struct cli *cli, struct request *req)
{
	struct report_data d;
	int ret;

	if (cli->json)
		return cli_usage(cli, "a report is no JSON; summary --json is");
	filter_default_window(&req->filter, cli->show.now_us);
	ret = report_data_read(&d, cli, &req->filter);
	if (!ret && req->html)
		ret = render(cli, req->html, report_html, &d);
	if (!ret && (req->md || !req->html))
		ret = render(cli, req->md ? req->md : "-", report_md, &d);
	if (!ret)
		ret = d.damaged;
	report_data_free(&d);
	return ret == -EINTR ? 0 : ret;
}
