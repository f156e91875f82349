/* SPDX-License-Identifier: Apache-2.0 */
/* Real requests over loopback. */
#include "http_case.h"

static void test_metrics_text(void **state)
{
	check(*state, "GET /metrics", "", 200,
	      "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	check(*state, "GET /metrics", "", 200,
	      "\n# TYPE rstscope_resets_total counter\n");
	check(*state, "GET /metrics?x=1", "", 200, "rstscope_build_info{");
	check(*state, "GET /metrics", "", 200,
	      "X-Content-Type-Options: nosniff");
}

static void test_metrics_openmetrics(void **state)
{
	static const char accept[] =
		"Accept: application/openmetrics-text;version=1.0.0;q=0.5,"
		"text/plain;version=0.0.4;q=0.3,*/*;q=0.1\r\n";

	check(*state, "GET /metrics", accept, 200,
	      "Content-Type: application/openmetrics-text; version=1.0.0;");
	check(*state, "GET /metrics", accept, 200, "\n# EOF\n");
}

static void test_accept(void **state)
{
	(void)state;
#define OPEN "application/openmetrics-text"
	assert_int_equal(endpoints_format(""), METRICS_TEXT);
	assert_int_equal(endpoints_format("*/*"), METRICS_TEXT);
	assert_int_equal(endpoints_format(OPEN), METRICS_OPENMETRICS);
	assert_int_equal(endpoints_format("text/plain," OPEN),
			 METRICS_OPENMETRICS);
	assert_int_equal(endpoints_format("text/plain;q=0.9, " OPEN ";q=0.5"),
			 METRICS_TEXT);
	assert_int_equal(endpoints_format("Application/OpenMetrics-Text ; "
					  "version=1.0.0 ; Q=0.5"),
			 METRICS_OPENMETRICS);
	assert_int_equal(endpoints_format(OPEN ";q=0"), METRICS_TEXT);
	assert_int_equal(endpoints_format(OPEN "x"), METRICS_TEXT);
	assert_int_equal(endpoints_format(",,;;q=,;" OPEN), METRICS_TEXT);
}

static void test_health(void **state)
{
	struct fixture *f = *state;

	check(f, "GET /healthz", "", 200, "\r\n\r\nok\n");
	f->well = false;
	check(f, "GET /healthz", "", 503,
	      "\r\n\r\nthe store fails: disk full\n");
	f->well = true;
}

static void test_head(void **state)
{
	char *answer = request(*state, "HEAD /healthz", "");

	assert_int_equal(status_of(answer), 200);
	assert_non_null(strstr(answer, "Content-Length: 3\r\n"));
	assert_string_equal(answer + strlen(answer) - 4, "\r\n\r\n");
	free(answer);
}

static void test_not_found(void **state)
{
	check(*state, "GET /nothing", "", 404, "  /metrics\n  /healthz\n");
	check(*state, "GET /index.html", "", 404, "no such path");
	check(*state, "GET /api/v1/nothing", "", 404,
	      "Content-Type: application/problem+json\r\n");
	check(*state, "GET /metrics/x", "", 404, "no such path");
	check(*state, "GET /../../etc/passwd", "", 404, "no such path");
}

/* The page is part of the program, and nothing else may run in it. */
static void test_page(void **state)
{
	static const char *const files[][3] = {
		{"GET /", "Content-Type: text/html; charset=utf-8",
		 "<title>rstscope</title>"},
		{"GET /app.js", "Content-Type: text/javascript", "EventSource"},
		{"GET /charts.js", "Content-Type: text/javascript", "Charts"},
		{"GET /chart.min.js", "Content-Type: text/javascript",
		 "Chart.js v3."},
		{"GET /chart.min.js.license", "Content-Type: text/plain",
		 "The above copyright notice and this permission notice"},
		{"GET /style.css", "Content-Type: text/css", "body {"},
		{"GET /icon.svg", "Content-Type: image/svg+xml", "</svg>"},
	};
	static const char policy[] =
		"\r\nContent-Security-Policy: default-src 'none'; script-src "
		"'self'; style-src 'self'; ";

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		check(*state, files[i][0], "", 200, files[i][1]);
		check(*state, files[i][0], "", 200, files[i][2]);
		check(*state, files[i][0], "", 200, policy);
	}
	check(*state, "GET /", "", 200, "frame-ancestors 'none'\r\n");
}

static void test_each_cause_has_its_colour(void **state)
{
	char *charts = request(*state, "GET /charts.js", ""), quoted[80];

	for (int cause = 0; cause < CAUSES; cause++) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", cause_name(cause));
		if (cause != CAUSE_UNKNOWN && !strstr(charts, quoted))
			fail_msg("%s is not in charts.js", quoted);
	}
	free(charts);
}

static void test_problems(void **state)
{
	check(*state, "DELETE /api/v1/events", "", 405,
	      "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\","
	      "\"status\":405,\"detail\":\"only GET and HEAD are served\"}");
	/* this server has no store */
	check(*state, "GET /api/v1/events", "", 503, "Retry-After: 2\r\n");
	check(*state, "GET /api/v1/events?x%0d%0a=%ff", "", 400,
	      "no parameter 'x?");
	check(*state, "GET /api/v1/events?process=a%00b", "", 400, "NUL");
}

static void test_wrong_method(void **state)
{
	check(*state, "POST /metrics", "Content-Length: 3\r\n\r\nabc", 405,
	      "Allow: GET, HEAD\r\n");
	check(*state, "PUT /metrics", "Transfer-Encoding: chunked\r\n", 405,
	      "only GET and HEAD");
	check(*state, "DELETE /metrics", "", 405, "only GET and HEAD");
	check(*state, "OPTIONS /metrics", "", 405, "only GET and HEAD");
	check(*state, "GET /metrics", "Content-Length: 3\r\n\r\nabc", 413,
	      "takes a body");
}

/* Everything but /healthz, and nothing of what there is. */
static void test_token(void **state)
{
	static const char secret[] = "0123456789abcdef\n";
	char path[] = "/tmp/rstscope-http.XXXXXX", err[256] = "";
	struct http_config config = {
		.listen = "127.0.0.1:0",
		.token_file = path,
	};
	struct fixture f = {.well = true};
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, secret, strlen(secret)), strlen(secret));
	close(fd);
	config.ctx = &f.endpoints;
	config.routes = endpoints_routes(&config.n_routes);
	assert_int_equal(http_open(&f.http, &config, err, sizeof(err)), 0);
	assert_int_equal(http_start(f.http, err, sizeof(err)), 0);
	check(&f, "GET /healthz", "", 200, "ok\n");
	check(&f, "GET /", "", 401,
	      "WWW-Authenticate: Bearer realm=\"rstscope\"\r\n");
	check(&f, "GET /api/v1/events", "", 401, "application/problem+json");
	check(&f, "GET /nothing", "", 401, "Bearer TOKEN");
	check(&f, "POST /", "", 401, "Bearer TOKEN");
	check(&f, "GET /", "Authorization: Bearer 0123456789abcdeX\r\n", 401,
	      "Bearer TOKEN");
	check(&f, "GET /", "Authorization: Bearer 0123456789abcdef\r\n", 200,
	      "<title>rstscope</title>");
	http_stop(f.http);
	assert_int_equal(unlink(path), 0);
}

static void test_garbage(void **state)
{
	struct fixture *f = *state;
	char *big = malloc(100001);

	free(ask(f, "\r\n\r\n\xff\xfe garbage\r\n\r\n"));
	memset(big, 'a', 100000);
	memcpy(big, "GET /", 5);
	memcpy(big + 99996, "\r\n\r\n", 5);
	free(ask(f, big));
	free(big);
	/* And it still serves. */
	check(f, "GET /healthz", "", 200, "ok\n");
}

static void test_keep_alive(void **state)
{
	struct fixture *f = *state;
	char *answer;

	answer = ask(f, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
			"GET /nothing HTTP/1.1\r\nHost: localhost\r\n"
			"Connection: close\r\n\r\n");
	assert_int_equal(status_of(answer), 200);
	assert_non_null(strstr(answer, "\nok\n"));
	assert_non_null(strstr(answer, "HTTP/1.1 404"));
	free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics_text),
		cmocka_unit_test(test_metrics_openmetrics),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_each_cause_has_its_colour),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_wrong_method),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_keep_alive),
	};

	return cmocka_run_group_tests_name("http", tests, setup, teardown);
}
