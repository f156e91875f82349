/* SPDX-License-Identifier: Apache-2.0 */
/* Where it listens: addresses, unix sockets, and what is refused. */
#include "http_case.h"

#include <errno.h>
#include <sys/stat.h>

#include "user/serve/listen.h"

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
		cmocka_unit_test(test_port_taken),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_not_loopback),
		cmocka_unit_test(test_unix_socket),
		cmocka_unit_test(test_unix_leftovers),
		cmocka_unit_test(test_listen_parse),
	};

	return cmocka_run_group_tests_name("http listen", tests, setup,
					   teardown);
}
