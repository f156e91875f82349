/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/summary: groups, how many over time, and idle times with the known
 * timers among them, all from one walk through the matching events.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/api_query.h"
#include "user/serve/endpoints.h"

#define WALK_LIMIT_NS (3 * NSEC_PER_SEC)

#define POINTS_MOST 60
/* Idle times in bins of a 20th of a decade, from 100 ms to 115 days. */
#define IDLE_LEAST_MS	100.0
#define BINS_PER_DECADE 20
#define BINS		160

struct summary {
	const struct api_query *query;
	struct groups *groups;
	int64_t since_us, until_us, step_us;
	int64_t count, rows;
	size_t points;
	int64_t point[POINTS_MOST + 1][CAUSES];
	int64_t by_cause[CAUSES];
	int64_t bin[BINS];
	uint64_t deadline_ns;
};

/* --- the walk ------------------------------------------------------------- */

/* The shortest step that people count in with at most POINTS_MOST points. */
static int64_t choose_step(int64_t window_us)
{
	static const int64_t seconds[] = {
		1,   2,	  5,	10,   15,   30,	   60,	  120,	 300,
		600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800,
	};
	int64_t least = window_us / POINTS_MOST + 1;

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		if (seconds[i] * USEC_PER_SEC >= least)
			return seconds[i] * USEC_PER_SEC;
	return least;
}

static void set_window(struct summary *s)
{
	const struct filter *f = &s->query->filter;
	int64_t now_us = s->query->now_us;

	s->until_us = f->until_us == NOT_KNOWN || f->until_us > now_us
			      ? now_us
			      : f->until_us;
	s->since_us = f->since_us < s->until_us ? f->since_us : s->until_us;
	s->step_us = choose_step(s->until_us - s->since_us);
	/* on the clock's own marks, so that bars stay put as time goes on */
	s->since_us -= s->since_us % s->step_us;
	s->points = (s->until_us - s->since_us) / s->step_us + 1;
	if (s->points > POINTS_MOST + 1)
		s->points = POINTS_MOST + 1;
}

static void count_point(struct summary *s, const struct event *ev)
{
	int64_t at = (ev->time_us - s->since_us) / s->step_us;

	if (at < 0 || at >= (int64_t)s->points)
		return;
	s->point[at][ev->verdict.cause] += ev->count;
}

static int bin_of(double ms)
{
	int bin = floor(log10(ms / IDLE_LEAST_MS) * BINS_PER_DECADE);

	return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
}

static double bin_start_ms(int bin)
{
	return IDLE_LEAST_MS * pow(10, (double)bin / BINS_PER_DECADE);
}

static int add_event(const struct event *ev, void *ctx)
{
	struct summary *s = ctx;

	if (++s->rows % 256 == 0 && clock_mono_ns() > s->deadline_ns)
		return -ETIMEDOUT;
	s->count += ev->count;
	s->by_cause[ev->verdict.cause] += ev->count;
	count_point(s, ev);
	if (ev->idle_ms >= IDLE_LEAST_MS)
		s->bin[bin_of(ev->idle_ms)] += ev->count;
	return groups_add(s->groups, ev);
}

/* --- the answer ----------------------------------------------------------- */

static json_t *groups_json(const struct summary *s)
{
	double window_s = (s->until_us - s->since_us) / (double)USEC_PER_SEC;
	json_t *list = json_array();
	size_t n = groups_number(s->groups);

	for (size_t i = 0; i < n && (int64_t)i < s->query->top; i++)
		json_array_append_new(list,
				      group_json(s->groups, i, window_s, NULL));
	return list;
}

/* Causes that occur, the most frequent first; their number. */
static size_t present_causes(const struct summary *s, int present[CAUSES])
{
	size_t n = 0, at;

	for (int cause = 0; cause < CAUSES; cause++) {
		if (!s->by_cause[cause])
			continue;
		for (at = n++;
		     at && s->by_cause[present[at - 1]] < s->by_cause[cause];
		     at--)
			present[at] = present[at - 1];
		present[at] = cause;
	}
	return n;
}

static json_t *timeline_json(const struct summary *s)
{
	json_t *causes = json_array(), *points = json_array(), *counts;
	int present[CAUSES];
	size_t n = present_causes(s, present);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(causes,
				      json_string(cause_name(present[i])));
	for (size_t p = 0; p < s->points; p++) {
		counts = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(
				counts, json_integer(s->point[p][present[i]]));
		json_array_append_new(
			points,
			json_pack("{s:o, s:o}", "time",
				  event_time_json(s->since_us +
						  (int64_t)p * s->step_us),
				  "counts", counts));
	}
	return json_pack("{s:f, s:o, s:o}", "step_seconds",
			 s->step_us / (double)USEC_PER_SEC, "causes", causes,
			 "points", points);
}

/* Does an idle time that was seen fit this timer? */
static bool timer_fits(const struct summary *s, const struct timeout_row *row)
{
	double low = (row->low - timeout_early(row->low)) * 1000;
	double high = (row->high + timeout_late(row->high)) * 1000;

	if (row->measure != MEASURE_IDLE || high < IDLE_LEAST_MS)
		return false;
	for (int i = bin_of(low > 1 ? low : 1); i <= bin_of(high); i++)
		if (s->bin[i])
			return true;
	return false;
}

static json_t *timers_json(const struct summary *s, const struct timeouts *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < timeouts_count(t); i++) {
		const struct timeout_row *row = timeouts_row(t, i);
		char component[81], setting[81];

		if (!timer_fits(s, row))
			continue;
		format_safe(row->component, component, sizeof(component));
		format_safe(row->setting, setting, sizeof(setting));
		json_array_append_new(list, json_pack("{s:f, s:f, s:s, s:s}",
						      "from_seconds", row->low,
						      "to_seconds", row->high,
						      "component", component,
						      "setting", setting));
	}
	return list;
}

static json_t *idle_json(const struct summary *s, const struct timeouts *t)
{
	json_t *bins = json_array();
	int first = 0, last = BINS - 1;

	while (first < BINS && !s->bin[first])
		first++;
	while (last > first && !s->bin[last])
		last--;
	for (int i = first; i <= last && i < BINS; i++)
		json_array_append_new(bins,
				      json_pack("{s:f, s:f, s:I}", "from_ms",
						bin_start_ms(i), "to_ms",
						bin_start_ms(i + 1), "count",
						(json_int_t)s->bin[i]));
	return json_pack("{s:o, s:o}", "bins", bins, "timers",
			 timers_json(s, t));
}

static json_t *summary_json(const struct summary *s, const struct timeouts *t)
{
	return json_pack(
		"{s:o, s:o, s:I, s:b, s:I, s:o, s:o, s:o}", "since",
		event_time_json(s->since_us), "until",
		event_time_json(s->until_us), "count", (json_int_t)s->count,
		"complete", s->rows < API_ROWS_MAX, "groups_total",
		(json_int_t)groups_number(s->groups), "groups", groups_json(s),
		"timeline", timeline_json(s), "idle", idle_json(s, t));
}

static void summarize(struct summary *s, struct store *store,
		      const struct timeouts *timeouts,
		      struct http_response *response)
{
	struct filter f = s->query->filter;
	char err[512] = "";
	int rc;

	f.limit = API_ROWS_MAX;
	s->deadline_ns = clock_mono_ns() + WALK_LIMIT_NS;
	rc = store_query(store, &f, add_event, s, err, sizeof(err));
	if (!rc || rc == -EBADMSG)
		rc = groups_finish(s->groups);
	if (!rc)
		http_json(response, summary_json(s, timeouts));
	else if (rc == -ETIMEDOUT)
		http_problem(response, 503,
			     "that takes more than %llu s; narrow it with "
			     "since or another filter",
			     WALK_LIMIT_NS / NSEC_PER_SEC);
	else
		api_store_failed(response, rc, err);
}

void api_summary(const struct http_request *request,
		 struct http_response *response, void *endpoints)
{
	static const struct show utc = {.utc = true};
	struct endpoints *e = endpoints;
	struct api_query q;
	struct summary *s;
	struct store *store;

	if (!api_query_read(&q, API_TAKES_GROUPS, request, response))
		return;
	store = api_take(e->api, response);
	if (!store)
		return;
	s = calloc(1, sizeof(*s));
	if (s && !groups_new(&s->groups, &utc, q.key, q.keys)) {
		s->query = &q;
		set_window(s);
		summarize(s, store, api_timeouts(e->api), response);
		groups_free(s->groups);
	} else {
		http_problem(response, 500, "out of memory");
	}
	free(s);
	api_give(e->api, store);
}
