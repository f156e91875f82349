/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope summary: how many, of what, how often. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/groups.h"
#include "user/cli/options.h"
#include "user/cli/table.h"

/* COUNT SHARE RATE IDLE FIRST LAST */
#define NUMBERS 6

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

const struct cli_option summary_options[] = {
	{"by", 'b', "KEY,...",
	 "group by these: cause, process, peer, port, syscall, kind, unit, "
	 "container, host, hour, blame, retry (default: cause)",
	 set_by},
	{"top", 'n', "N", "only the N largest groups", set_top},
	{NULL},
};

struct summary {
	struct cli *cli;
	const struct group_key *key[GROUP_KEYS_MOST];
	size_t n;
	double window_s;
	struct groups *groups;
	int damaged; /* an errno: events had to be left out */
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
		const struct group_key *k = group_keys;

		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		while (k->name && strcmp(k->name, name))
			k++;
		if (!k->name)
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

	return ret ? ret : cli_stopped(s->cli);
}

static double share_of(const struct summary *s, const struct group *g)
{
	int64_t total = groups_total(s->groups);

	return total ? (double)g->count / total : 0;
}

static void rate_text(double per_second, char *out, size_t size)
{
	if (per_second >= 1)
		snprintf(out, size, "%.1f/s", per_second);
	else if (per_second * 60 >= 1)
		snprintf(out, size, "%.1f/min", per_second * 60);
	else if (per_second * 3600 >= 1)
		snprintf(out, size, "%.1f/h", per_second * 3600);
	else
		snprintf(out, size, "%.1f/d", per_second * 86400);
}

static int add_row(const struct summary *s, struct table *table,
		   const struct group *g)
{
	const char *cells[GROUP_KEYS_MOST + NUMBERS];
	char text[NUMBERS][64], idle[32];
	size_t i;

	for (i = 0; i < s->n; i++)
		cells[i] = g->value[i];
	snprintf(text[0], sizeof(text[0]), "%lld", (long long)g->count);
	snprintf(text[1], sizeof(text[1]), "%.1f%%", 100 * share_of(s, g));
	rate_text(g->count / s->window_s, text[2], sizeof(text[2]));
	text[3][0] = '\0';
	if (g->idle.found) {
		format_duration_ms(g->idle.ms, idle, sizeof(idle));
		snprintf(text[3], sizeof(text[3]), "%s (%.0f%%)", idle,
			 100 * g->idle.share);
	}
	cli_format_time(s->cli, g->first_us, text[4], sizeof(text[4]));
	cli_format_time(s->cli, g->last_us, text[5], sizeof(text[5]));
	for (size_t j = 0; j < NUMBERS; j++)
		cells[i++] = text[j];
	return table_add(table, cells, NULL);
}

static size_t groups_shown(const struct summary *s, const struct request *req)
{
	size_t number = groups_number(s->groups);

	return req->top && (size_t)req->top < number ? (size_t)req->top
						     : number;
}

static int print_table(const struct summary *s, const struct request *req)
{
	static const struct table_column numbers[NUMBERS] = {
		{"COUNT", .right = true},
		{"SHARE", .right = true},
		{"RATE", .right = true},
		{"IDLE", .right = true, .optional = true},
		{"FIRST", .optional = true},
		{"LAST", .optional = true},
	};
	struct table_column columns_of[GROUP_KEYS_MOST + NUMBERS] = {0};
	struct table *table;
	int ret = 0;

	for (size_t i = 0; i < s->n; i++) {
		columns_of[i].header = s->key[i]->header;
		columns_of[i].least = 12;
	}
	memcpy(columns_of + s->n, numbers, sizeof(numbers));
	table = table_new(s->cli->out, columns_of, s->n + NUMBERS,
			  s->cli->width, s->cli->colored);
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; !ret && i < groups_shown(s, req); i++)
		ret = add_row(s, table, groups_at(s->groups, i));
	if (!ret && table_rows(table))
		ret = table_flush(table);
	table_free(table);
	return ret;
}

static json_t *time_json(int64_t us)
{
	char text[TIME_TEXT];

	format_time_utc(us, text);
	return json_string(text);
}

/* A new reference, or NULL. */
static json_t *group_json(const struct summary *s, const struct group *g)
{
	json_t *keys = json_object(), *idle = json_null();

	for (size_t i = 0; i < s->n; i++)
		json_object_set_new(keys, s->key[i]->name,
				    *g->value[i] ? json_string(g->value[i])
						 : json_null());
	if (g->idle.found)
		idle = json_pack("{s:f, s:f, s:I}", "seconds",
				 g->idle.ms / 1000, "share", g->idle.share,
				 "events", (json_int_t)g->idle.events);
	return json_pack("{s:o, s:I, s:I, s:f, s:f, s:o, s:o, s:o}", "group",
			 keys, "count", (json_int_t)g->count, "events",
			 (json_int_t)g->events, "share", share_of(s, g),
			 "rate_per_second", g->count / s->window_s, "idle",
			 idle, "first", time_json(g->first_us), "last",
			 time_json(g->last_us));
}

static int print_json(const struct summary *s, const struct request *req)
{
	for (size_t i = 0; i < groups_shown(s, req); i++) {
		json_t *json = group_json(s, groups_at(s->groups, i));
		int ret;

		if (!json)
			return -ENOMEM;
		ret = json_dumpf(json, s->cli->out,
				 JSON_COMPACT | JSON_REAL_PRECISION(6));
		json_decref(json);
		if (ret)
			return -EIO;
		fputc('\n', s->cli->out);
	}
	return 0;
}

static int read_events(struct summary *s, const struct request *req)
{
	struct store *store = NULL;
	char err[512] = "";
	int ret = cli_open_store(s->cli, &store);

	if (ret)
		return ret;
	ret = store_query(store, &req->filter, add, s, err, sizeof(err));
	store_close(store);
	if (ret == -EBADMSG) { /* tell it, show the others, and fail */
		s->damaged = cli_store_failed(s->cli, ret, err);
		ret = 0;
	}
	if (ret < 0)
		return cli_store_failed(s->cli, ret, err);
	return ret > 0 ? -EINTR : groups_finish(s->groups);
}

static void set_window(struct summary *s, struct request *req)
{
	const struct filter *f = &req->filter;
	int64_t end;

	request_default_window(s->cli, req);
	end = f->until_us == NOT_KNOWN || f->until_us > s->cli->now_us
		      ? s->cli->now_us
		      : f->until_us;
	s->window_s = (double)(end - f->since_us) / USEC_PER_SEC;
	if (s->window_s < 1)
		s->window_s = 1;
}

int cmd_summary(struct cli *cli, struct request *req)
{
	struct summary s = {.cli = cli};
	int ret = choose_keys(&s, req->by ? req->by : "cause");

	if (ret)
		return ret;
	ret = groups_new(&s.groups, cli, s.key, s.n);
	if (ret)
		return ret;
	set_window(&s, req);
	ret = read_events(&s, req);
	if (ret == -EINTR) {
		groups_free(s.groups);
		return 0;
	}
	if (!ret)
		ret = cli->json ? print_json(&s, req) : print_table(&s, req);
	if (!ret && cli->terminal && !cli->json && !groups_number(s.groups))
		fprintf(cli->err, "no failures match%s\n",
			req->filter.until_us == NOT_KNOWN
				? "; --since 1d looks further back"
				: "");
	groups_free(s.groups);
	return ret ? ret : s.damaged;
}
