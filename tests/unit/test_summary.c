/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli_case.h"

#include <arpa/inet.h>

static void put_some(struct cli_case *c)
{
	for (int i = 1; i <= 10; i++) {
		struct event ev = case_event(i, 1000 - i);

		ev.idle_ms = i <= 4 ? 5000 + i : NOT_KNOWN;
		if (i > 6) {
			ev.verdict.cause = CAUSE_RATE_LIMIT;
			strcpy(ev.process.comm, "curl");
			ev.idle_ms = 1000 << i; /* no two alike */
		}
		if (i == 10)
			ev.count = 30;
		case_put(c, &ev);
	}
}

static void counts_shares_and_clusters(void **state)
{
	struct cli_case *c = *state;
	const char *stale;

	put_some(c);
	assert_int_equal(case_run(c, "summary"), 0);
	assert_int_equal(lines_of(c->out), 3);
	/* folded ones count: 33 and 6 of 39 in an hour */
	assert_has(c->out,
		   "\nrate_limit         33 84.6% 33.0/h             - ");
	stale = strstr(c->out, "\nstale_keepalive");
	assert_non_null(stale);
	assert_has(stale, " 6 15.4%  6.0/h 5.00 s (100%) ");
	assert_int_equal(case_run(c, "summary --since 1000d"), 0);
	assert_has(c->out, "\nrate_limit         33 84.6% <0.1/d ");
}

static void several_keys(void **state)
{
	struct cli_case *c = *state;

	put_some(c);
	assert_int_equal(case_run(c, "summary --by process,port,cause"), 0);
	assert_has(c->out, "PROCESS PORT CAUSE");
	assert_has(c->out, "\ncurl    3000 rate_limit ");
	assert_int_equal(case_run(c, "summary --by hour --utc"), 0);
	assert_has(c->out, "\n2026-11-24T05:00Z ");
	assert_int_equal(case_run(c, "summary --by cause --top 1"), 0);
	assert_int_equal(lines_of(c->out), 2);
}

static void subnets_join_neighbours(void **state)
{
	static const char *const peers[] = {"10.1.2.3", "10.1.2.77",
					    "10.1.3.3"};
	static const char *const peers6[] = {"2001:db8:0:1::1",
					     "2001:db8:0:1:9::", "2001:db8::1"};
	struct cli_case *c = *state;

	for (int i = 0; i < 6; i++) {
		struct event ev = case_event(i + 1, 100);

		ev.family = i < 3 ? 4 : 6;
		memset(ev.peer.ip, 0, sizeof(ev.peer.ip));
		inet_pton(i < 3 ? AF_INET : AF_INET6,
			  i < 3 ? peers[i] : peers6[i - 3], ev.peer.ip);
		case_put(c, &ev);
	}
	assert_int_equal(case_run(c, "summary --by subnet"), 0);
	assert_int_equal(lines_of(c->out), 5);
	assert_has(c->out, "\n10.1.2.0/24           2 ");
	assert_has(c->out, "\n10.1.3.0/24           1 ");
	assert_has(c->out, "\n2001:db8:0:1::/64     2 ");
	assert_has(c->out, "\n2001:db8::/64         1 ");
}

static void json_has_one_object_per_group(void **state)
{
	struct cli_case *c = *state;
	json_t *json;
	char *line, *rest;

	put_some(c);
	assert_int_equal(case_run(c, "summary --json --by cause,unit"), 0);
	rest = c->out;
	line = strsep(&rest, "\n");
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "count")),
			 33);
	assert_int_equal(json_integer_value(json_object_get(json, "events")),
			 4);
	assert_true(json_is_null(json_object_get(json, "idle")));
	assert_true(json_is_null(
		json_object_get(json_object_get(json, "group"), "unit")));
	json_decref(json);
	line = strsep(&rest, "\n");
	json = json_loads(line, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(json, "idle"), "events")),
			 4);
	json_decref(json);
	assert_string_equal(rest, "");
}

static void wrong_keys(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(case_run(c, "summary --by proces"), -EINVAL);
	assert_has(c->err, "no key 'proces' (did you mean process?)");
	assert_int_equal(case_run(c, "summary --by cause,"), -EINVAL);
	assert_int_equal(case_run(c, "summary --by host,host,host,host,host,"
				     "host,host,host,host,host,host,host,host"),
			 -EINVAL);
	assert_has(c->err, "more than 12 keys");
	assert_int_equal(case_run(c, "summary --top 0"), -EINVAL);
	assert_int_equal(case_run(c, "summary"), 0);
	assert_string_equal(c->out, "");
}

/* `number` alike failures of the cause, the newest `ago` seconds old. */
static void put_many(struct cli_case *c, int64_t id, int number, int64_t ago,
		     enum cause cause)
{
	for (int i = 0; i < number; i++) {
		struct event ev = case_event(id + i, ago + i);

		ev.verdict.cause = cause;
		case_put(c, &ev);
	}
}

static void put_two_days(struct cli_case *c)
{
	const int64_t day = 86400;

	put_many(c, 1, 3, 60, CAUSE_RATE_LIMIT);
	put_many(c, 11, 2, day + 60, CAUSE_RATE_LIMIT);
	put_many(c, 101, 30, 60, CAUSE_SERVER_CRASH);
	put_many(c, 201, 20, day + 60, CAUSE_PROCESS_EXIT);
	put_many(c, 301, 40, 60, CAUSE_STALE_KEEPALIVE);
	put_many(c, 401, 10, day + 60, CAUSE_STALE_KEEPALIVE);
	put_many(c, 501, 10, 60, CAUSE_LINGER_ZERO);
	put_many(c, 601, 40, day + 60, CAUSE_LINGER_ZERO);
	/* in neither window */
	put_many(c, 701, 50, day - 100, CAUSE_SERVER_CRASH);
	put_many(c, 801, 50, day + 3601, CAUSE_SERVER_CRASH);
}

static void two_windows(void **state)
{
	struct cli_case *c = *state;

	put_two_days(c);
	assert_int_equal(case_run(c, "summary --vs 24h"), 0);
	assert_string_equal(c->err, "");
	assert_int_equal(lines_of(c->out), 6);
	assert_has(c->out, " RATE BEFORE CHANGE ");
	assert_has(c->out, "\nstale_keepalive    40 48.2% 40.0/h     10 "
			   "worse ");
	assert_has(c->out, "     40 better ");
	assert_has(c->out, "\nserver_crash       30 36.1% 30.0/h      0 "
			   "new ");
	assert_has(c->out, "\nprocess_exit        0  0.0%  0.0/d     20 "
			   "gone ");
	assert_has(c->out, "\nrate_limit          3  3.6%  3.0/h      2 "
			   "too few ");
}

/* Up to the time given: a deployment, say, an hour and a day ago. */
static void window_before_a_time(void **state)
{
	struct cli_case *c = *state;
	char line[80];

	put_two_days(c);
	snprintf(line, sizeof(line), "summary --json --cause %s --vs @%lld",
		 "process_exit",
		 (long long)(CASE_NOW_US / USEC_PER_SEC - 86400));
	assert_int_equal(case_run(c, line), 0);
	assert_has(c->out, "\"before\":20,\"change\":\"gone\","
			   "\"chance\":1.90735e-6}");
}

static void wrong_windows(void **state)
{
	struct cli_case *c = *state;

	put_many(c, 1, 3, 60, CAUSE_RATE_LIMIT);
	assert_int_equal(case_run(c, "summary --vs yesterday"), -EINVAL);
	assert_has(c->err, "'yesterday' is no duration and no time");
	assert_int_equal(case_run(c, "summary --vs 30m"), -EINVAL);
	assert_has(c->err, "reach into the other");
	assert_int_equal(case_run(c, "summary --vs 2h --by hour"), -EINVAL);
	assert_int_equal(case_run(c, "summary --vs 2h"), 0);
	assert_has(c->err, "perhaps nobody watched then");
}

static void stages(void **state)
{
	static const struct {
		enum failure_kind kind;
		int state;
		int64_t sent, received;
		const char *tls;
	} of[] = {
		{KIND_REFUSED, 7, 0, 0, ""},
		{KIND_TIMEOUT, 2, 0, 0, ""},
		{KIND_RECEIVED, 1, 0, 0, ""},
		{KIND_RECEIVED, 1, 100, 0, "no"},
		{KIND_SENT, 1, 0, 100, "no"},
		{KIND_RECEIVED, 1, 517, 7, "handshake"},
		{KIND_RECEIVED, 1, 100, 100, "established"},
		{KIND_RECEIVED, 1, NOT_KNOWN, NOT_KNOWN, ""},
	};
	struct cli_case *c = *state;

	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct event ev = case_event((int64_t)i + 1, 10);

		ev.kind = of[i].kind;
		ev.state = of[i].state;
		ev.sent_bytes = of[i].sent;
		ev.received_bytes = of[i].received;
		strcpy(ev.tls, of[i].tls);
		case_put(c, &ev);
	}
	assert_int_equal(case_run(c, "summary --by stage,process"), 0);
	assert_has(c->out, "STAGE         PROCESS");
	assert_has(c->out, "\nfirst_request node        3 ");
	assert_has(c->out, "\nsyn           node        2 ");
	assert_has(c->out, "\nno_data       node        1 ");
	assert_has(c->out, "\nlater         node        1 ");
	assert_has(c->out, "\n-             node        1 ");
}

/* Connections between `from` and `until` seconds ago. */
static void put_connections(struct cli_case *c, int64_t from, int64_t until,
			    int64_t number)
{
	struct store_connections connections = {
		.from_us = CASE_NOW_US - from * USEC_PER_SEC,
		.until_us = CASE_NOW_US - until * USEC_PER_SEC,
		.client = number / 4,
		.server = number - number / 4,
	};

	assert_int_equal(store_put_connections(c->store, &connections), 0);
}

static void share_of_connections(void **state)
{
	struct cli_case *c = *state;

	put_some(c);
	assert_int_equal(case_run(c, "summary"), 0);
	assert_lacks(c->out, "OF-CONNS");
	put_connections(c, 900, 840, 400); /* the older failures have none */
	assert_int_equal(case_run(c, "summary --json --top 1"), 0);
	assert_has(c->out, "\"connections\":null");
	put_connections(c, 3000, 2940, 3600);
	assert_int_equal(case_run(c, "summary"), 0);
	assert_has(c->out, "OF-CONNS");
	assert_has(c->out, " 84.6%   0.825% "); /* 33 of 4000 */
	put_connections(c, 3630, 3570, 8000);	/* half of it in the hour */
	assert_int_equal(case_run(c, "summary --json --top 1"), 0);
	assert_has(c->out, "\"connections\":{\"share\":0.004125,\"number\":"
			   "8000.0,\"estimated\":true}");
	assert_int_equal(
		store_set_note(c->store, "daemon", "{\"host\":\"web1\"}"), 0);
	assert_int_equal(case_run(c, "summary --json --host web2"), 0);
	assert_lacks(c->out, "estimated");
	assert_int_equal(case_run(c, "summary --json --host web1"), 0);
	assert_has(c->out, "estimated");
}

/* A past window has the connections of that time. */
static void share_of_a_past_window(void **state)
{
	struct cli_case *c = *state;

	put_many(c, 1, 10, 7200, CAUSE_LINGER_ZERO);
	put_connections(c, 8000, 7940, 1000);
	put_connections(c, 600, 540, 5000);
	assert_int_equal(case_run(c, "summary --json --since 3h --until 1h"),
			 0);
	assert_has(c->out, "\"connections\":{\"share\":0.01,\"number\":"
			   "1000.0,\"estimated\":false}");
}

/* Twice as many failures of twice as many connections are no change. */
static void change_of_a_share(void **state)
{
	struct cli_case *c = *state;
	const int64_t day = 86400;

	put_many(c, 1, 400, 60, CAUSE_LINGER_ZERO);
	put_many(c, 1001, 200, day + 60, CAUSE_LINGER_ZERO);
	assert_int_equal(case_run(c, "summary --vs 24h"), 0);
	assert_has(c->out, "    200 worse ");
	put_connections(c, day + 3601, day + 3000, 2000);
	put_connections(c, 3000, 2000, 4000);
	assert_int_equal(case_run(c, "summary --vs 24h"), 0);
	assert_has(c->out, "    200 same ");
	assert_int_equal(case_run(c, "summary --vs 24h --json"), 0);
	assert_has(c->out, "\"connections_before\":{\"share\":0.1");
	assert_has(c->out, "\"connections\":{\"share\":0.1,");
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(counts_shares_and_clusters),
		CASE(several_keys),
		CASE(subnets_join_neighbours),
		CASE(json_has_one_object_per_group),
		CASE(wrong_keys),
		CASE(two_windows),
		CASE(window_before_a_time),
		CASE(wrong_windows),
		CASE(stages),
		CASE(share_of_connections),
		CASE(share_of_a_past_window),
		CASE(change_of_a_share),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
