/* SPDX-License-Identifier: Apache-2.0 */
/* Real requests, over loopback and over a unix socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "http_client.h"
#include "user/base/base.h"
#include "user/serve/endpoints.h"
#include "user/serve/listen.h"

struct fixture {
	struct endpoints endpoints;
	struct http *http;
	bool well;
};

static bool healthy(void *ctx, char *why, size_t size)
{
	struct fixture *f = ctx;

	if (!f->well)
		snprintf(why, size, "the store fails: disk full");
	return f->well;
}

static int open_http(struct fixture *f, const char *listen, bool insecure,
		     char *err, size_t err_size)
{
	struct http_config config = {
		.listen = listen,
		.insecure = insecure,
		.ctx = &f->endpoints,
	};

	config.routes = endpoints_routes(&config.n_routes);
	return http_open(&f->http, &config, err, err_size);
}

static void start(struct fixture *f, const char *listen)
{
	struct metrics_config metrics = {5, "1", "r", "k"};
	char err[256] = "";

	memset(f, 0, sizeof(*f));
	f->well = true;
	f->endpoints.metrics = metrics_new(&metrics);
	f->endpoints.healthy = healthy;
	f->endpoints.healthy_ctx = f;
	assert_int_equal(open_http(f, listen, false, err, sizeof(err)), 0);
	assert_int_equal(http_start(f->http, err, sizeof(err)), 0);
}

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	start(f, "127.0.0.1:0");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_stop(f->http);
	metrics_free(f->endpoints.metrics);
	free(f);
	return 0;
}

static char *ask(struct fixture *f, const char *text)
{
	return ask_fd(dial_tcp(http_port(f->http)), text);
}

static char *request(struct fixture *f, const char *line, const char *headers)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		 "%s\r\n",
		 line, headers);
	return ask(f, text);
}

static void check(struct fixture *f, const char *line, const char *headers,
		  int status, const char *has)
{
	char *answer = request(f, line, headers);

	if (status_of(answer) != status || !strstr(answer, has))
		fail_msg("%s: wanted %d and '%s', got:\n%.600s", line, status,
			 has, answer);
	free(answer);
}

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

static void test_port_taken(void **state)
{
	struct fixture *f = *state, second = {0};
	char listen[32], err[256] = "";

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", http_port(f->http));
	assert_int_equal(open_http(&second, listen, false, err, sizeof(err)),
			 -EADDRINUSE);
	assert_non_null(
		strstr(err, "is in use; is another rstscoped running?"));
	assert_null(strchr(err, '\n'));
	assert_null(second.http);
}

static void test_off(void **state)
{
	struct fixture f = {.http = (struct http *)&f};
	char err[256] = "";

	(void)state;
	assert_int_equal(open_http(&f, "off", false, err, sizeof(err)), 0);
	assert_null(f.http);
	assert_int_equal(http_start(f.http, err, sizeof(err)), 0);
	assert_int_equal(http_port(f.http), 0);
	http_stop(f.http);
}

static void test_not_loopback(void **state)
{
	struct fixture f = {0};
	char err[256] = "";

	(void)state;
	assert_int_equal(open_http(&f, "0.0.0.0:0", false, err, sizeof(err)),
			 -EACCES);
	assert_non_null(strstr(err, "--insecure-listen"));
	assert_int_equal(open_http(&f, "0.0.0.0:0", true, err, sizeof(err)), 0);
	http_stop(f.http); /* opened, never started */
	assert_int_equal(open_http(&f, "192.0.2.1:0", true, err, sizeof(err)),
			 -EADDRNOTAVAIL);
}

static void make_dir(char dir[32], char path[64])
{
	strcpy(dir, "/tmp/rstscope-http.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, 64, "%s/socket", dir);
}

static void test_unix_socket(void **state)
{
	char dir[32], path[64], listen[80], err[256] = "", *answer;
	struct fixture f, second = {0};
	struct stat st;

	(void)state;
	make_dir(dir, path);
	snprintf(listen, sizeof(listen), "unix:%s", path);
	start(&f, listen);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	/* No browser reaches it: any Host is fine. */
	answer = ask_fd(dial_unix(path),
			"GET /healthz HTTP/1.1\r\nHost: whatever\r\n"
			"Connection: close\r\n\r\n");
	assert_int_equal(status_of(answer), 200);
	free(answer);
	assert_int_equal(open_http(&second, listen, false, err, sizeof(err)),
			 -EADDRINUSE);
	http_stop(f.http);
	metrics_free(f.endpoints.metrics);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(dir);
}

/* What a killed daemon leaves is replaced; a file of somebody else is not. */
static void test_unix_leftovers(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char dir[32], path[64], listen[80], err[256] = "";
	struct fixture f;
	FILE *file;
	int fd;

	(void)state;
	make_dir(dir, path);
	snprintf(listen, sizeof(listen), "unix:%s", path);
	strcpy(un.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	start(&f, listen);
	http_stop(f.http);
	metrics_free(f.endpoints.metrics);
	file = fopen(path, "w");
	fclose(file);
	assert_int_equal(open_http(&f, listen, false, err, sizeof(err)),
			 -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	rmdir(dir);
}

static void test_listen_parse(void **state)
{
	static const char *const bad[] = {
		"",
		"9477",
		":9477",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:x",
		"127.0.0.1:65536",
		"::1:9477",
		"[127.0.0.1]:1",
		"unix:",
		"host.example:80",
		"[::1]",
		"[]:1",
		"10.0.0.0/8:80",
		"OFF",
	};
	struct listen_address a;
	char err[400], big[300];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (listen_parse(bad[i], &a, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(listen_parse(big, &a, err, sizeof(err)), -EINVAL);
	memcpy(big, "unix:", 5);
	big[120] = '\0';
	assert_int_equal(listen_parse(big, &a, err, sizeof(err)), -EINVAL);

	assert_int_equal(listen_parse("off", &a, err, sizeof(err)), 0);
	assert_int_equal(a.kind, LISTEN_OFF);
	assert_int_equal(listen_parse("[::1]:9477", &a, err, sizeof(err)), 0);
	assert_true(a.kind == LISTEN_TCP && a.loopback && a.family == 6);
	assert_int_equal(a.port, 9477);
	assert_int_equal(listen_parse("localhost:80", &a, err, sizeof(err)), 0);
	assert_true(a.loopback && a.family == 4);
	assert_int_equal(listen_parse("[::]:80", &a, err, sizeof(err)), 0);
	assert_false(a.loopback);
	assert_int_equal(listen_parse("10.1.2.3:80", &a, err, sizeof(err)), 0);
	assert_false(a.loopback);
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
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_wrong_method),
		cmocka_unit_test(test_foreign_host),
		cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_hosts_of_an_address),
		cmocka_unit_test(test_foreign_host_elsewhere),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_port_taken),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_not_loopback),
		cmocka_unit_test(test_unix_socket),
		cmocka_unit_test(test_unix_leftovers),
		cmocka_unit_test(test_listen_parse),
	};

	return cmocka_run_group_tests_name("http", tests, setup, teardown);
}
