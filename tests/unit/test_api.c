/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1 over real requests: pages, one event, the story, groups, live. */
#include "api_case.h"

#include <errno.h>

#include "user/serve/api_query.h"

#define EVENTS 25

static void put_some(struct api_case *c)
{
	for (int i = 1; i <= EVENTS; i++) {
		struct event ev;

		sample_full(&ev, i);
		/* several of one moment, as pages are cut between them */
		ev.time_us = SAMPLE_TIME + i / 4;
		ev.count = i == 1 ? 10 : 1;
		if (i % 5 == 0)
			ev.verdict.cause = CAUSE_RATE_LIMIT;
		api_case_put(c, &ev);
	}
}

/* --- the query ------------------------------------------------------------ */

static void test_query_good(void **state)
{
	static const char *const good[][2] = {
		{"since", "2h"},	 {"peer", "10.0.0.0/8:443"},
		{"cause", "rate_limit"}, {"benign", NULL},
		{"limit", "1000"},	 {"cursor", "1790000000123456-18"},
		{"by", "cause,peer"},	 {"top", "3"},
	};
	int64_t now_us = SAMPLE_TIME;
	struct api_query q;
	char err[256];

	(void)state;
	api_query_init(&q, API_TAKES_PAGE | API_TAKES_GROUPS, now_us);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(api_query_set(&q, good[i][0], good[i][1], err,
					       sizeof(err)),
				 0);
	api_query_finish(&q);
	assert_int_equal(q.filter.since_us, now_us - 7200 * USEC_PER_SEC);
	assert_int_equal(q.filter.peer_port, 443);
	assert_int_equal(q.filter.cause, CAUSE_RATE_LIMIT);
	assert_true(q.filter.benign);
	assert_int_equal(q.filter.limit, 1000);
	assert_int_equal(q.filter.before_us, 1790000000123456);
	assert_int_equal(q.filter.before_id, 18);
	assert_int_equal(q.keys, 2);
	assert_string_equal(q.key[1]->name, "peer");
	assert_int_equal(q.top, 3);
}

static void test_query_defaults(void **state)
{
	struct api_query q;

	(void)state;
	api_query_init(&q, API_TAKES_PAGE, SAMPLE_TIME);
	api_query_finish(&q);
	assert_int_equal(q.filter.since_us, SAMPLE_TIME - 3600 * USEC_PER_SEC);
	assert_int_equal(q.filter.limit, API_LIMIT);
	assert_false(q.filter.benign);
	assert_string_equal(q.key[0]->name, "cause");
}

static void test_query_bad(void **state)
{
	static const struct {
		unsigned int takes;
		const char *name, *value, *err;
	} bad[] = {
		{0, "color", "red", "no parameter 'color' here"},
		{0, "limit", "5", "no parameter 'limit' here"},
		{0, "by", "cause", "no parameter 'by' here"},
		{0, "cursor", "1-1", "no parameter 'cursor' here"},
		{0, "peer", "x", "peer: 'x' is not an address"},
		{0, "since", NULL, "since: TIME is missing"},
		{0, "benign", "maybe", "benign: true or false"},
		{0, "pid", "0", "pid: '0' is not a number of 1 to 4194304"},
		{API_TAKES_PAGE, "limit", "0", "limit: not a number of 1 to"},
		{API_TAKES_PAGE, "limit", "1001", "limit: not a number"},
		{API_TAKES_PAGE, "limit", NULL, "limit: not a number"},
		{API_TAKES_PAGE, "cursor", "1", "cursor: not one that"},
		{API_TAKES_PAGE, "cursor", "-1", "cursor: not one that"},
		{API_TAKES_PAGE, "cursor", "1-0", "cursor: not one that"},
		{API_TAKES_PAGE, "cursor", "1-2x", "cursor: not one that"},
		{API_TAKES_PAGE, "top", "1", "no parameter 'top' here"},
		{API_TAKES_GROUPS, "by", "cause,,peer", "by: no key ''"},
		{API_TAKES_GROUPS, "by", "shoe", "by: no key 'shoe'"},
		{API_TAKES_GROUPS, "top", "-1", "top: not a number of 1 to"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct api_query q;
		char err[256] = "";

		api_query_init(&q, bad[i].takes, SAMPLE_TIME);
		if (api_query_set(&q, bad[i].name, bad[i].value, err,
				  sizeof(err)) != -EINVAL ||
		    !strstr(err, bad[i].err))
			fail_msg("%s=%s: '%s'", bad[i].name, bad[i].value, err);
	}
}

static void test_query_twice_and_many(void **state)
{
	char err[256], name[API_PARAMETERS + 1][16];
	struct api_query q;

	(void)state;
	api_query_init(&q, 0, SAMPLE_TIME);
	assert_int_equal(api_query_set(&q, "pid", "1", err, sizeof(err)), 0);
	assert_int_equal(api_query_set(&q, "pid", "2", err, sizeof(err)),
			 -EINVAL);
	assert_string_equal(err, "pid: given twice");
	api_query_init(&q, 0, SAMPLE_TIME);
	for (int i = 0; i <= API_PARAMETERS; i++) {
		snprintf(name[i], sizeof(name[i]), "x%d", i);
		assert_int_equal(
			api_query_set(&q, name[i], "1", err, sizeof(err)),
			-EINVAL);
	}
	assert_string_equal(err, "too many parameters");
}

/* --- pages ---------------------------------------------------------------- */

static void test_pages(void **state)
{
	struct api_case *c = *state;
	char target[200] = "/api/v1/events?" ALL_TIMES "&limit=7";
	const char *next;
	json_t *page, *event;
	int want = EVENTS, pages = 0;
	size_t i;

	put_some(c);
	do {
		page = api_case_get(c, target, 200);
		json_array_foreach(json_object_get(page, "events"), i, event)
			assert_int_equal(json_integer_value(
						 json_object_get(event, "id")),
					 want--);
		assert_true(i == 7 || want == 0);
		next = json_string_value(json_object_get(page, "next"));
		if (next)
			snprintf(target, sizeof(target),
				 "/api/v1/events?" ALL_TIMES
				 "&limit=7&cursor=%s",
				 next);
		json_decref(page);
		pages++;
	} while (next);
	assert_int_equal(want, 0);
	assert_int_equal(pages, 4);
}

/* A page that is exactly full is the last one. */
static void test_last_page(void **state)
{
	json_t *page;

	put_some(*state);
	page = api_case_get(*state, "/api/v1/events?" ALL_TIMES "&limit=25",
			    200);
	assert_int_equal(json_array_size(json_object_get(page, "events")), 25);
	assert_true(json_is_null(json_object_get(page, "next")));
	json_decref(page);
}

static void test_events_filter(void **state)
{
	json_t *page;

	put_some(*state);
	page = api_case_get(
		*state, "/api/v1/events?" ALL_TIMES "&cause=rate_limit", 200);
	assert_int_equal(json_array_size(json_object_get(page, "events")), 5);
	json_decref(page);
	/* the default is the last hour, and the samples are older or newer */
	page = api_case_get(*state, "/api/v1/events?until=@1000000000", 200);
	assert_int_equal(json_array_size(json_object_get(page, "events")), 0);
	json_decref(page);
}

static void test_no_store(void **state)
{
	struct api_case *c = *state;
	char gone[128];

	snprintf(gone, sizeof(gone), "%s.away", c->scratch->path);
	assert_int_equal(rename(c->scratch->path, gone), 0);
	json_decref(api_case_get(c, "/api/v1/events", 500));
	assert_int_equal(rename(gone, c->scratch->path), 0);
	json_decref(api_case_get(c, "/api/v1/events", 200));
}

/* --- one ------------------------------------------------------------------ */

static void test_one_event(void **state)
{
	struct event ev;
	json_t *have, *want;
	char *line;

	sample_full(&ev, 42);
	strcpy(ev.process.comm, "<img onerror>\xe2\x82");
	api_case_put(*state, &ev);
	have = api_case_get(*state, "/api/v1/events/42", 200);
	line = event_to_line(&ev);
	want = json_loads(line, 0, NULL);
	assert_true(json_equal(have, want));
	json_decref(have);
	json_decref(want);
	free(line);
}

static void test_no_such_event(void **state)
{
	static const char *const targets[] = {
		"/api/v1/events/43",
		"/api/v1/events/0",
		"/api/v1/events/-1",
		"/api/v1/events/x",
		"/api/v1/events/",
		"/api/v1/events/1/",
		"/api/v1/events/1/storys",
		"/api/v1/events/1/story/x",
		"/api/v1/events/99999999999999999999999999",
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		json_decref(api_case_get(*state, targets[i], 404));
}

static void test_story(void **state)
{
	const char *headline, *retry, *often;
	json_t *story, *moment, *moments;
	struct event ev;
	bool failure = false;
	size_t i;

	sample_full(&ev, 42);
	api_case_put(*state, &ev);
	story = api_case_get(*state, "/api/v1/events/42/story", 200);
	assert_int_equal(json_unpack(story, "{s:s, s:s, s:s, s:o}", "headline",
				     &headline, "retry", &retry, "often",
				     &often, "moments", &moments),
			 0);
	assert_string_equal(headline, "node[4711] read ECONNRESET");
	assert_int_equal(strncmp(retry, "only if the request", 19), 0);
	assert_int_equal(strncmp(often, "the first one in an hour", 24), 0);
	json_array_foreach(moments, i, moment) failure |=
		json_is_true(json_object_get(moment, "failure"));
	assert_true(failure && i >= 4);
	json_decref(story);
}

/* --- summary -------------------------------------------------------------- */

static json_int_t sum_points(json_t *summary)
{
	json_t *timeline = json_object_get(summary, "timeline"), *point, *n;
	json_int_t sum = 0;
	size_t i, j;

	json_array_foreach(json_object_get(timeline, "points"), i, point)
		json_array_foreach(json_object_get(point, "counts"), j, n)
			sum += json_integer_value(n);
	return sum;
}

static void test_summary(void **state)
{
	struct api_case *c = *state;
	json_int_t count, first, total;
	json_t *summary, *group;
	const char *cause;

	put_some(c);
	summary = api_case_get(
		c, "/api/v1/summary?since=@1789999000&until=@1790000100", 200);
	assert_int_equal(json_unpack(summary, "{s:I, s:I}", "count", &count,
				     "groups_total", &total),
			 0);
	group = json_array_get(json_object_get(summary, "groups"), 0);
	assert_int_equal(json_unpack(group, "{s:I, s:{s:s}}", "count", &first,
				     "group", "cause", &cause),
			 0);
	assert_int_equal(count, EVENTS + 9); /* one stands for ten */
	assert_int_equal(first, 20 + 9);
	assert_string_equal(cause, "stale_keepalive");
	assert_int_equal(total, 2);
	assert_int_equal(sum_points(summary), count);
	json_decref(summary);
	summary = api_case_get(c, "/api/v1/summary?" ALL_TIMES "&top=1", 200);
	assert_int_equal(json_array_size(json_object_get(summary, "groups")),
			 1);
	json_decref(summary);
}

/* 5.01 s: the bin that holds it, and Node's 5 s among the timers. */
static void test_idle_times(void **state)
{
	json_t *summary, *idle, *bin, *timer;
	bool node = false;
	size_t i;

	put_some(*state);
	summary = api_case_get(*state, "/api/v1/summary?" ALL_TIMES, 200);
	idle = json_object_get(summary, "idle");
	assert_int_equal(json_array_size(json_object_get(idle, "bins")), 1);
	bin = json_array_get(json_object_get(idle, "bins"), 0);
	assert_true(json_number_value(json_object_get(bin, "from_ms")) <= 5010);
	assert_true(json_number_value(json_object_get(bin, "to_ms")) > 5010);
	assert_int_equal(json_integer_value(json_object_get(bin, "count")),
			 EVENTS + 9);
	json_array_foreach(json_object_get(idle, "timers"), i, timer)
	{
		const char *component =
			json_string_value(json_object_get(timer, "component"));
		double to =
			json_number_value(json_object_get(timer, "to_seconds"));

		node |= !strncmp(component, "Node.js", 7) && to == 5;
		assert_true(to > 3 && to < 8);
	}
	assert_true(node);
	json_decref(summary);
}

/* --- live ----------------------------------------------------------------- */

static int listen_live(struct api_case *c, const char *query)
{
	struct timeval limit = {10, 0};
	int fd = dial_tcp(http_port(c->http));
	char text[300], got[4096] = "";
	size_t size = 0;
	ssize_t n;

	snprintf(text, sizeof(text),
		 "GET /api/v1/stream?%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
		 query);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_true(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
	while (!strstr(got, "retry: 2000\n\n")) {
		n = recv(fd, got + size, sizeof(got) - 1 - size, 0);
		if (n <= 0) {
			close(fd);
			return -status_of(got);
		}
		size += n;
		got[size] = '\0';
		if (status_of(got) != 200 && strstr(got, "}")) {
			close(fd);
			return -status_of(got);
		}
	}
	assert_non_null(strstr(got, "Content-Type: text/event-stream\r\n"));
	return fd;
}

/* Reads on until that text comes. */
static void await(int fd, const char *text)
{
	size_t room = 64 << 20, size = 0;
	char *got = malloc(room);
	ssize_t n = 0;

	got[0] = '\0';
	while (size < room - 1) {
		n = recv(fd, got + size, room - 1 - size, 0);
		if (n <= 0)
			break;
		size += n;
		got[size] = '\0';
		if (memmem(got, size, text, strlen(text)))
			break;
	}
	free(got);
	if (n <= 0)
		fail_msg("'%s' did not come", text);
}

static void put_live(struct api_case *c, int64_t id)
{
	struct event ev;

	sample_full(&ev, id);
	stream_put(api_stream(c->endpoints.api), &ev);
}

static void test_live(void **state)
{
	int fd = listen_live(*state, ALL_TIMES "&process=node");

	assert_true(fd > 0);
	put_live(*state, 5);
	await(fd, "event: failure\ndata: {\"schema\":1,\"id\":5,");
	await(fd, ":\n\n"); /* a sign of life after 5 s */
	put_live(*state, 6);
	await(fd, "data: {\"schema\":1,\"id\":6,");
	close(fd);
}

static void test_live_limit(void **state)
{
	struct api_case *c = *state;
	int fd[STREAM_CLIENTS], again = -1;

	for (int i = 0; i < STREAM_CLIENTS; i++) {
		fd[i] = listen_live(c, ALL_TIMES);
		assert_true(fd[i] > 0);
	}
	assert_int_equal(listen_live(c, ALL_TIMES), -503);
	json_decref(api_case_get(c, "/api/v1/events", 200));
	/* who leaves makes room at once */
	close(fd[0]);
	for (int i = 0; i < 20 && again < 0; i++) {
		usleep(100 * 1000);
		again = listen_live(c, ALL_TIMES);
	}
	assert_true(again > 0);
	close(again);
	for (int i = 1; i < STREAM_CLIENTS; i++)
		close(fd[i]);
}

/* One that does not read: others are served, and it is told what it missed. */
static void test_live_slow(void **state)
{
	struct api_case *c = *state;
	int fd = listen_live(c, ALL_TIMES);

	assert_true(fd > 0);
	/* more than the sockets' buffers take, and then than the ring holds */
	for (int i = 1; i <= 40000; i++) {
		put_live(c, i);
		if (i % 1000 == 0)
			usleep(20 * 1000);
	}
	json_decref(api_case_get(c, "/api/v1/events", 200));
	await(fd, "event: missed\ndata: {\"events\":");
	close(fd);
}

int main(void)
{
#define CASE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, api_case_setup, api_case_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_good),
		cmocka_unit_test(test_query_defaults),
		cmocka_unit_test(test_query_bad),
		cmocka_unit_test(test_query_twice_and_many),
		CASE(test_pages),
		CASE(test_last_page),
		CASE(test_events_filter),
		CASE(test_no_store),
		CASE(test_one_event),
		CASE(test_no_such_event),
		CASE(test_story),
		CASE(test_summary),
		CASE(test_idle_times),
		CASE(test_live),
		CASE(test_live_limit),
		CASE(test_live_slow),
	};

	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
