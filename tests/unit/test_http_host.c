/* SPDX-License-Identifier: Apache-2.0 */
/* Which Host headers are answered, so that no other site reads along. */
#include "http_case.h"

static void test_foreign_host(void **state)
{
	char *answer;

	answer = ask(*state, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n"
			     "Connection: close\r\n\r\n");
	assert_int_equal(status_of(answer), 403);
	assert_non_null(strstr(answer, "not to 'evil.example'"));
	assert_null(strstr(answer, "rstscope_resets"));
	free(answer);
	/* HTTP/1.0 without Host: no browser. */
	answer = ask(*state, "GET /healthz HTTP/1.0\r\n\r\n");
	assert_int_equal(status_of(answer), 200);
	free(answer);
}

static void test_host_names(void **state)
{
	static const char *const good[] = {
		"localhost",   "LocalHost:80", "localhost.:9477", "127.0.0.1",
		"127.9.9.9:1", "[::1]",	       "[::1]:9477",
	};
	static const char *const bad[] = {
		"",
		":9477",
		"evil.example",
		"localhost.evil.example",
		"127.0.0.1.evil.example",
		"128.0.0.1",
		"[::2]",
		"[::1",
		"::1",
		"localhost:x",
		"localhost:99999",
		"[::1]x",
		"127.0.0.1:80:80",
		"a@localhost",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		if (!http_host_is_local(good[i]))
			fail_msg("'%s' was refused", good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (http_host_is_local(bad[i]))
			fail_msg("'%s' was let in", bad[i]);
}

static void test_hosts_of_an_address(void **state)
{
	static const uint8_t any[16], one[16] = {10, 0, 0, 1};
	static const uint8_t six[16] = {0xfd, [15] = 1};

	(void)state;
	assert_true(http_host_is_ours("10.0.0.1:9477", 4, one, "web1"));
	assert_true(http_host_is_ours("localhost", 4, one, "web1"));
	assert_true(http_host_is_ours("WEB1:9477", 4, one, "web1"));
	assert_true(http_host_is_ours("10.9.9.9", 4, any, "web1"));
	assert_true(http_host_is_ours("[fd00::1]:80", 6, six, "web1"));
	assert_false(http_host_is_ours("10.0.0.2", 4, one, "web1"));
	assert_false(http_host_is_ours("[fd00::2]", 6, six, "web1"));
	assert_false(http_host_is_ours("fd00::1", 6, six, "web1"));
	assert_false(http_host_is_ours("evil.example", 4, any, "web1"));
	assert_false(http_host_is_ours("web1.evil.example", 4, any, "web1"));
	assert_false(http_host_is_ours("10.0.0.1.evil.example", 4, one, ""));
	assert_false(http_host_is_ours("", 4, any, ""));
}

/* Reachable for others: a name is no proof, but scrapers use names. */
static void test_foreign_host_elsewhere(void **state)
{
	struct metrics_config metrics = {5, "1", "r", "k"};
	struct fixture f = {.well = true};
	char err[256] = "", *answer;

	(void)state;
	f.endpoints.metrics = metrics_new(&metrics);
	assert_int_equal(open_http(&f, "0.0.0.0:0", true, err, sizeof(err)), 0);
	assert_int_equal(http_start(f.http, err, sizeof(err)), 0);
	for (int i = 0; i < 4; i++) {
		static const char *const asked[] = {
			"/ HTTP/1.1\r\nHost: evil.example",
			"/api/v1/status HTTP/1.1\r\nHost: evil.example",
			"/metrics HTTP/1.1\r\nHost: web1.example",
			"/ HTTP/1.1\r\nHost: 192.0.2.7:9477",
		};
		char text[200];

		snprintf(text, sizeof(text),
			 "GET %s\r\nConnection: close\r\n\r\n", asked[i]);
		answer = ask(&f, text);
		assert_int_equal(status_of(answer), i < 2 ? 403 : 200);
		free(answer);
	}
	http_stop(f.http);
	metrics_free(f.endpoints.metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_host),
		cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_hosts_of_an_address),
		cmocka_unit_test(test_foreign_host_elsewhere),
	};

	return cmocka_run_group_tests_name("http host", tests, setup, teardown);
}
