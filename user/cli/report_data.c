/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/cli/report_data.h"
#include "user/cli/spread.h"

static const struct {
	const char *key, *title;
} tables[REPORT_TABLES] = {
	[REPORT_BY_CAUSE] = {"cause", "By cause"},
	[REPORT_BY_PROCESS] = {"process", "By process"},
	[REPORT_BY_PEER] = {"peer", "By peer"},
	[REPORT_BY_RETRY] = {"retry", "By what a retry does"},
	[REPORT_BY_HOST] = {"host", "By host"},
};

const char *report_table_title(enum report_table table)
{
	return tables[table].title;
}

bool report_table_shown(const struct report_data *d, enum report_table table)
{
	return table == REPORT_BY_CAUSE || table == REPORT_BY_RETRY ||
	       groups_number(d->by[table]) > 1;
}

/* The shortest round length that makes no more than REPORT_BARS. */
static int64_t bar_length(int64_t window_us)
{
	static const int seconds[] = {1,   2,	 5,    10,   15,
				      30,  60,	 120,  300,  600,
				      900, 1800, 3600, 7200, 21600};
	int64_t us = 86400 * USEC_PER_SEC;

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		if (window_us / (seconds[i] * USEC_PER_SEC) < REPORT_BARS)
			return seconds[i] * USEC_PER_SEC;
	while (window_us / us >= REPORT_BARS)
		us *= 2;
	return us;
}

static void lay_out_bars(struct report_data *d)
{
	d->bar_us = bar_length(d->end_us - d->since_us);
	d->first_bar_us = d->since_us / d->bar_us * d->bar_us;
	d->bars = (d->end_us - d->first_bar_us) / d->bar_us + 1;
}

static void add_to_bars(struct report_data *d, const struct event *ev)
{
	int64_t last = spread_last_us(ev);
	int64_t at = (ev->time_us - d->first_bar_us) / d->bar_us;

	for (; at >= 0 && at < (int64_t)d->bars; at++) {
		int64_t from = d->first_bar_us + at * d->bar_us;

		if (from > last)
			return;
		/* A bar has its start and not its end; spread_part() is the
		 * other way round. */
		d->bar[at][ev->verdict.cause] +=
			ev->count * spread_part(ev->time_us, last, from - 1,
						from + d->bar_us - 1);
	}
}

static void keep_example(struct report_data *d, const struct event *ev)
{
	enum cause cause = ev->verdict.cause;

	if (d->example[cause].id > ev->id
		    ? d->example[cause].confidence >= ev->verdict.confidence
		    : d->example[cause].confidence > ev->verdict.confidence)
		return;
	d->example[cause].id = ev->id;
	d->example[cause].confidence = ev->verdict.confidence;
}

static int add(const struct event *ev, void *ctx)
{
	struct report_data *d = ctx;
	int ret = 0;

	d->events++;
	for (int i = 0; !ret && i < REPORT_TABLES; i++)
		ret = groups_add(d->by[i], ev);
	if (ret)
		return ret;
	add_to_bars(d, ev);
	keep_example(d, ev);
	progress_set(&d->progress, d->events);
	return cli_stopped(d->cli);
}

static bool process_alive(int64_t pid)
{
	return pid > 0 && (!kill((pid_t)pid, 0) || errno == EPERM);
}

static int read_daemon(struct report_data *d)
{
	char host[80] = "", *note = NULL;
	int ret = store_get_note(d->store, DAEMON_NOTE, &note);

	if (ret && ret != -ENOENT)
		return cli_store_failed(d->cli, ret, NULL);
	gethostname(host, sizeof(host) - 1);
	ret = checkup_daemon(&d->checkup, note, host, process_alive,
			     d->cli->show.now_us);
	free(note);
	return ret;
}

static void count_benign(struct report_data *d)
{
	struct filter hidden = d->filter;
	int64_t rows, events;

	d->benign = NOT_KNOWN;
	hidden.benign_only = true;
	if (!d->filter.benign &&
	    !store_count(d->store, &hidden, &rows, &events))
		d->benign = events;
}

static int read_events(struct report_data *d)
{
	char err[512] = "";
	int ret;

	progress_start(&d->progress, d->cli->err, "events read");
	ret = store_scan(d->store, &d->filter, add, d, err, sizeof(err));
	progress_end(&d->progress);
	if (ret == -EBADMSG) { /* tell it, show the others, and fail */
		d->damaged = cli_store_failed(d->cli, ret, err);
		ret = 0;
	}
	if (ret < 0)
		return cli_store_failed(d->cli, ret, err);
	if (ret > 0)
		return -EINTR;
	for (int i = 0; !ret && i < REPORT_TABLES; i++)
		ret = groups_finish(d->by[i]);
	return ret;
}

int report_data_read(struct report_data *d, struct cli *cli,
		     const struct filter *filter)
{
	const struct group_key *key;
	int ret = 0;

	memset(d, 0, sizeof(*d));
	d->cli = cli;
	d->filter = *filter;
	d->since_us = filter->since_us;
	d->end_us = filter->until_us == NOT_KNOWN ||
				    filter->until_us > cli->show.now_us
			    ? cli->show.now_us
			    : filter->until_us;
	if (d->since_us >= d->end_us)
		return cli_usage(cli, "the window ends before it starts");
	lay_out_bars(d);
	for (int i = 0; !ret && i < REPORT_TABLES; i++) {
		key = group_key_find(tables[i].key);
		ret = groups_new(&d->by[i], &cli->show, &key, 1);
	}
	if (!ret)
		ret = cli_open_store(cli, &d->store);
	if (!ret)
		ret = read_events(d);
	if (!ret)
		ret = read_daemon(d);
	if (ret)
		return ret;
	count_benign(d);
	d->connections =
		connections_between(d->store, &d->filter, d->end_us,
				    groups_first_us(d->by[REPORT_BY_CAUSE]));
	return 0;
}

void report_data_free(struct report_data *d)
{
	for (int i = 0; i < REPORT_TABLES; i++)
		groups_free(d->by[i]);
	checkup_free(&d->checkup);
	store_close(d->store);
}

int64_t report_total(const struct report_data *d)
{
	return groups_total(d->by[REPORT_BY_CAUSE]);
}

enum cause report_cause(const struct report_data *d, size_t place)
{
	const struct groups *causes = d->by[REPORT_BY_CAUSE];
	int cause;

	if (place >= groups_number(causes))
		return CAUSES;
	cause = cause_by_name(groups_at(causes, place)->value[0]);
	return cause < 0 ? CAUSES : (enum cause)cause;
}

void report_time(int64_t us, char *out, size_t size)
{
	struct tm tm;

	show_split_time(us, true, &tm);
	strftime(out, size, "%F %T", &tm);
}

void report_short_time(const struct report_data *d, int64_t us, char *out,
		       size_t size)
{
	char since[32];

	report_time(d->since_us, since, sizeof(since));
	report_time(us, out, size);
	if (!strncmp(out, since, strlen("2026-11-24 ")))
		memmove(out, out + strlen("2026-11-24 "), sizeof("06:40:12"));
}

bool report_has_idle(const struct groups *groups)
{
	size_t n = groups_number(groups);

	for (size_t i = 0; i < n && i < REPORT_ROWS; i++)
		if (groups_at(groups, i)->idle.found)
			return true;
	return false;
}

void report_idle_text(const struct group *g, char *out, size_t size)
{
	char time[32];

	*out = '\0';
	if (!g->idle.found)
		return;
	format_duration_ms(g->idle.ms, time, sizeof(time));
	snprintf(out, size, "%s (%.0f%%)", time, 100 * g->idle.share);
}
