/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope summary: how many, of what, how often. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/base/progress.h"
#include "user/cli/compare.h"
#include "user/cli/connections.h"
#include "user/cli/options.h"
#include "user/cli/table.h"
#include "user/tell/groups.h"

/* The columns after those of the keys. */
enum number {
	NUMBER_COUNT,
	NUMBER_SHARE,
	NUMBER_CONNECTIONS,
	NUMBER_RATE,
	NUMBER_BEFORE,
	NUMBER_CHANGE,
	NUMBER_IDLE,
	NUMBER_FIRST,
	NUMBER_LAST,
	NUMBERS,
};

static int set_by(struct cli *cli, struct request *req,
		  const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->by = value;
	return 0;
}

static int set_top(struct cli *cli, struct request *req,
		   const struct cli_option *option, const char *value)
{
	(void)option;
	if (parse_int(value, 1, INT32_MAX, &req->top))
		return cli_usage(cli, "--top: '%s' is no number of groups",
				 value);
	return 0;
}

static int set_vs(struct cli *cli, struct request *req,
		  const struct cli_option *option, const char *value)
{
	int64_t us;

	(void)option;
	if (parse_duration_us(value, &us) &&
	    parse_time_us(value, cli->show.now_us, &us))
		return cli_usage(cli, "--vs: '%s' is no duration and no time",
				 value);
	req->vs = value;
	return 0;
}

const struct cli_option summary_options[] = {
	{"by", 'b', "KEY,...",
	 "group by these: cause, process, peer, port, syscall, stage, kind, "
	 "unit, container, host, hour, blame, retry (default: cause)",
	 set_by},
	{"vs", 0, "TIME",
	 "beside an earlier window, as long: that much earlier (24h), or up to "
	 "that time (of a deployment): what is new, gone, worse, better",
	 set_vs},
	{"top", 'n', "N", "only the N largest groups", set_top},
	{NULL},
};

struct summary {
	struct cli *cli;
	const struct group_key *key[GROUP_KEYS_MOST];
	size_t n;
	int64_t end_us;
	double window_s;
	struct filter before; /* --vs: the earlier window */
	bool compared;
	struct connections connections, connections_before;
	struct groups *groups;
	struct progress progress;
	int64_t events; /* read so far */
	int damaged;	/* an errno: events had to be left out */
};

static int unknown_key(const struct cli *cli, const char *name)
{
	struct suggestion s = {NULL, 0};
	char list[256];
	size_t used = 0;

	for (const struct group_key *k = group_keys; k->name; k++) {
		suggest_try(&s, name, k->name);
		used += snprintf(list + used, sizeof(list) - used, "%s%s",
				 used ? "," : "", k->name);
	}
	cli_error(cli, "--by: no key '%s'%s%s%s; there are %s", name,
		  s.best ? " (did you mean " : "", s.best ? s.best : "",
		  s.best ? "?)" : "", list);
	return -EINVAL;
}

static int choose_keys(struct summary *s, const char *list)
{
	char name[24];

	for (;;) {
		size_t length = strcspn(list, ",");
		const struct group_key *k;

		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		k = group_key_find(name);
		if (!k)
			return unknown_key(s->cli, name);
		if (s->n == GROUP_KEYS_MOST)
			return cli_usage(s->cli, "--by: more than %d keys",
					 GROUP_KEYS_MOST);
		s->key[s->n++] = k;
		if (!list[length])
			return 0;
		list += length + 1;
	}
}

static int add(const struct event *ev, void *ctx)
{
	struct summary *s = ctx;
	int ret = groups_add(s->groups, ev);

	progress_set(&s->progress, ++s->events);
	return ret ? ret : cli_stopped(s->cli);
}

/* This window's part of the connections made in both. */
static double part_of(const struct summary *s)
{
	double now = s->connections.number,
	       before = s->connections_before.number;

	return now > 0 && before > 0 ? now / (now + before) : COMPARE_EVEN;
}

static bool number_shown(const struct summary *s, enum number n)
{
	if (n == NUMBER_CONNECTIONS)
		return s->connections.number != NOT_KNOWN;
	if (n == NUMBER_BEFORE || n == NUMBER_CHANGE)
		return s->compared;
	return true;
}

static void idle_text(const struct idle_cluster *c, char *out, size_t size)
{
	char idle[32];

	*out = '\0';
	if (!c->found)
		return;
	format_duration_ms(c->ms, idle, sizeof(idle));
	snprintf(out, size, "%s (%.0f%%)", idle, 100 * c->share);
}

static void number_text(const struct summary *s, const struct group *g,
			enum number n, char *out, size_t size)
{
	switch (n) {
	case NUMBER_COUNT:
	case NUMBER_BEFORE:
		snprintf(out, size, "%lld",
			 (long long)(n == NUMBER_COUNT ? g->count : g->before));
		break;
	case NUMBER_SHARE:
		snprintf(out, size, "%.1f%%", 100 * groups_share(s->groups, g));
		break;
	case NUMBER_CONNECTIONS:
		connections_share_text(&s->connections, g->count, out, size);
		break;
	case NUMBER_RATE:
		event_rate_text(g->count / s->window_s, out, size);
		break;
	case NUMBER_CHANGE:
		snprintf(out, size, "%s",
			 change_name(compare_counts(g->count, g->before,
						    part_of(s))));
		break;
	case NUMBER_IDLE:
		idle_text(&g->idle, out, size);
		break;
	default:
		show_time(&s->cli->show,
			  n == NUMBER_FIRST ? g->first_us : g->last_us, out,
			  size);
	}
}

static const char *change_color(const struct summary *s, const struct group *g)
{
	static const char *const colors[CHANGES] = {
		[CHANGE_NEW] = COLOR_RED,
		[CHANGE_WORSE] = COLOR_RED,
		[CHANGE_GONE] = COLOR_GREEN,
		[CHANGE_BETTER] = COLOR_GREEN,
	};

	return colors[compare_counts(g->count, g->before, part_of(s))];
}

static int add_row(const struct summary *s, struct table *table,
		   const struct group *g)
{
	const char *cells[GROUP_KEYS_MOST + NUMBERS];
	const char *colors[GROUP_KEYS_MOST + NUMBERS] = {NULL};
	char text[NUMBERS][64];
	size_t i;

	for (i = 0; i < s->n; i++)
		cells[i] = g->value[i];
	for (enum number n = 0; n < NUMBERS; n++) {
		if (!number_shown(s, n))
			continue;
		number_text(s, g, n, text[n], sizeof(text[n]));
		if (n == NUMBER_CHANGE)
			colors[i] = change_color(s, g);
		cells[i++] = text[n];
	}
	return table_add(table, cells, colors);
}

static size_t groups_shown(const struct summary *s, const struct request *req)
{
	size_t number = groups_number(s->groups);

	return req->top && (size_t)req->top < number ? (size_t)req->top
						     : number;
}

/* Fills columns[]; how many. */
static size_t choose_columns(const struct summary *s,
			     struct table_column *columns)
{
	static const struct table_column numbers[NUMBERS] = {
		[NUMBER_COUNT] = {"COUNT", .right = true},
		[NUMBER_SHARE] = {"SHARE", .right = true},
		[NUMBER_CONNECTIONS] = {"OF-CONNS", .right = true},
		[NUMBER_RATE] = {"RATE", .right = true},
		[NUMBER_BEFORE] = {"BEFORE", .right = true},
		[NUMBER_CHANGE] = {"CHANGE"},
		[NUMBER_IDLE] = {"IDLE", .right = true, .optional = true},
		[NUMBER_FIRST] = {"FIRST", .optional = true},
		[NUMBER_LAST] = {"LAST", .optional = true},
	};
	size_t used;

	for (used = 0; used < s->n; used++)
		columns[used] = (struct table_column){
			.header = s->key[used]->header,
			.least = 12,
		};
	for (enum number n = 0; n < NUMBERS; n++)
		if (number_shown(s, n))
			columns[used++] = numbers[n];
	return used;
}

static int print_table(const struct summary *s, const struct request *req)
{
	struct table_column columns[GROUP_KEYS_MOST + NUMBERS];
	struct table *table =
		table_new(s->cli->out, columns, choose_columns(s, columns),
			  s->cli->width, s->cli->colored);
	int ret = 0;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; !ret && i < groups_shown(s, req); i++)
		ret = add_row(s, table, groups_at(s->groups, i));
	if (!ret && table_rows(table))
		ret = table_flush(table);
	table_free(table);
	return ret;
}

static json_t *connections_json(const struct connections *c, int64_t failures)
{
	if (c->number == NOT_KNOWN)
		return json_null();
	return json_pack("{s:f, s:f, s:b}", "share",
			 (double)failures / c->number, "number", c->number,
			 "estimated", c->estimated);
}

static void add_comparison(const struct summary *s, json_t *json,
			   const struct group *g)
{
	enum change change = compare_counts(g->count, g->before, part_of(s));

	json_object_set_new(
		json, "connections_before",
		connections_json(&s->connections_before, g->before));
	json_object_set_new(json, "before", json_integer(g->before));
	json_object_set_new(json, "change", json_string(change_name(change)));
	json_object_set_new(
		json, "chance",
		json_real(compare_p(g->count, g->before, part_of(s))));
}

static int print_json(const struct summary *s, const struct request *req)
{
	for (size_t i = 0; i < groups_shown(s, req); i++) {
		const struct group *g = groups_at(s->groups, i);
		json_t *json =
			group_json(s->groups, i, s->window_s,
				   connections_json(&s->connections, g->count));
		int ret;

		if (!json)
			return -ENOMEM;
		if (s->compared)
			add_comparison(s, json, g);
		ret = json_dumpf(json, s->cli->out,
				 JSON_COMPACT | JSON_REAL_PRECISION(6));
		json_decref(json);
		if (ret)
			return -EIO;
		fputc('\n', s->cli->out);
	}
	return 0;
}

static int add_before(const struct event *ev, void *ctx)
{
	struct summary *s = ctx;
	int ret = groups_add_before(s->groups, ev);

	progress_set(&s->progress, ++s->events);
	return ret ? ret : cli_stopped(s->cli);
}

static int keep_time(const struct event *ev, void *ctx)
{
	*(int64_t *)ctx = ev->time_us;
	return 0;
}

/* "new" means little where nobody watched before. */
static void tell_unwatched(const struct summary *s, struct store *store)
{
	struct filter older;
	int64_t at = NOT_KNOWN;

	filter_init(&older);
	older.benign = true;
	older.limit = 1;
	older.until_us = s->before.since_us;
	if (!store_query(store, &older, keep_time, &at, NULL, 0) &&
	    at == NOT_KNOWN)
		cli_error(s->cli, "nothing is stored from before the earlier "
				  "window: perhaps nobody watched then");
}

static int read_window(struct summary *s, struct store *store,
		       const struct filter *f, store_event_fn fn)
{
	char err[512] = "";
	int ret;

	progress_start(&s->progress, s->cli->err, "events read");
	ret = store_scan(store, f, fn, s, err, sizeof(err));
	progress_end(&s->progress);
	if (ret == -EBADMSG) { /* tell it, show the others, and fail */
		s->damaged = cli_store_failed(s->cli, ret, err);
		return 0;
	}
	if (ret < 0)
		return cli_store_failed(s->cli, ret, err);
	return ret > 0 ? -EINTR : 0;
}

static int read_events(struct summary *s, const struct request *req)
{
	struct store *store = NULL;
	int ret = cli_open_store(s->cli, &store);

	if (ret)
		return ret;
	ret = read_window(s, store, &req->filter, add);
	if (!ret && s->compared) {
		ret = read_window(s, store, &s->before, add_before);
		tell_unwatched(s, store);
	}
	s->connections = connections_between(store, &req->filter, s->end_us,
					     groups_first_us(s->groups));
	s->connections_before.number = NOT_KNOWN;
	if (s->compared)
		s->connections_before = connections_between(store, &s->before,
							    s->before.until_us,
							    s->before.since_us);
	store_close(store);
	return ret ? ret : groups_finish(s->groups);
}

static void set_window(struct summary *s, struct request *req)
{
	const struct filter *f = &req->filter;

	filter_default_window(&req->filter, s->cli->show.now_us);
	s->end_us =
		f->until_us == NOT_KNOWN || f->until_us > s->cli->show.now_us
			? s->cli->show.now_us
			: f->until_us;
	s->window_s = (double)(s->end_us - f->since_us) / USEC_PER_SEC;
	if (s->window_s < 1)
		s->window_s = 1;
}

static int set_before(struct summary *s, const struct request *req)
{
	const struct filter *f = &req->filter;
	int64_t shift, time;

	s->before = *f;
	if (!parse_duration_us(req->vs, &shift))
		time = s->end_us - shift;
	else if (parse_time_us(req->vs, s->cli->show.now_us, &time))
		return -EINVAL; /* set_vs has let it pass */
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->key[i]->name, "hour"))
			return cli_usage(s->cli,
					 "--vs: two windows share no hour");
	if (time > f->since_us)
		return cli_usage(s->cli, "--vs: the earlier window would reach "
					 "into the other; shorten --since");
	s->before.until_us = time - 1;
	s->before.since_us = time - (s->end_us - f->since_us);
	s->compared = true;
	return 0;
}

int cmd_summary(struct cli *cli, struct request *req)
{
	struct summary s = {.cli = cli};
	int ret = choose_keys(&s, req->by ? req->by : "cause");

	if (ret)
		return ret;
	ret = groups_new(&s.groups, &cli->show, s.key, s.n);
	if (ret)
		return ret;
	set_window(&s, req);
	if (req->vs)
		ret = set_before(&s, req);
	if (!ret)
		ret = read_events(&s, req);
	if (ret == -EINTR) {
		groups_free(s.groups);
		return 0;
	}
	if (!ret)
		ret = cli->json ? print_json(&s, req) : print_table(&s, req);
	if (!ret && cli->show.terminal && !cli->json &&
	    !groups_number(s.groups))
		fprintf(cli->err, "no failures match%s\n",
			req->filter.until_us == NOT_KNOWN
				? "; --since 1d looks further back"
				: "");
	groups_free(s.groups);
	return ret ? ret : s.damaged;
}
