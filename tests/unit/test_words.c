/* SPDX-License-Identifier: Apache-2.0 */
/* Each expected text was taken from the program itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/tell/runtime.h"
#include "user/tell/words.h"

/* errno 0: the end of the stream. */
static struct event told(const char *exe, enum call_class class, int errno_nr)
{
	struct event ev;

	event_init(&ev);
	ev.kind = errno_nr ? KIND_RECEIVED : KIND_HANGUP;
	ev.process.known = true;
	ev.process.pid = 7;
	snprintf(ev.process.exe, sizeof(ev.process.exe), "%s", exe);
	ev.syscall.known = true;
	ev.syscall.class = class;
	ev.syscall.errno_nr = errno_nr ? errno_nr : NOT_KNOWN;
	ev.family = 4;
	memcpy(ev.local.ip, "\x7f\0\0\1", 4);
	memcpy(ev.peer.ip, "\x7f\0\0\1", 4);
	ev.local.port = 38772;
	ev.peer.port = 7101;
	ev.role = ROLE_CLIENT;
	strcpy(ev.tls, "no");
	return ev;
}

static void assert_words(const struct event *ev, const char *expected)
{
	char words[WORDS_TEXT];

	words_of(ev, words);
	assert_string_equal(words, expected);
}

struct row {
	const char *exe;
	enum call_class class;
	int errno_nr;
	const char *words;
};

static const struct row rows[] = {
	{"/usr/bin/curl", CALL_READ, ECONNRESET,
	 "curl: (56) Recv failure: Connection reset by peer"},
	{"/usr/bin/curl", CALL_WRITE, ECONNRESET,
	 "curl: (55) Send failure: Connection reset by peer"},
	{"/usr/bin/curl", CALL_READ, 0, "curl: (52) Empty reply from server"},
	{"/usr/bin/curl", CALL_CONNECT, ECONNREFUSED,
	 "curl: (7) Failed to connect to 127.0.0.1 port 7101"},
	{"/usr/bin/node", CALL_READ, ECONNRESET, "Error: read ECONNRESET"},
	{"/usr/bin/node", CALL_WRITE, EPIPE, "Error: write EPIPE"},
	{"/usr/bin/node", CALL_READ, 0, "Error: socket hang up"},
	{"/usr/bin/node", CALL_CONNECT, ECONNREFUSED,
	 "Error: connect ECONNREFUSED 127.0.0.1:7101"},
	{"/usr/bin/python3.11", CALL_READ, ECONNRESET,
	 "ConnectionResetError: [Errno 104] Connection reset by peer"},
	{"/usr/bin/python3.11", CALL_WRITE, EPIPE,
	 "BrokenPipeError: [Errno 32] Broken pipe"},
	{"/usr/bin/python3.11", CALL_CONNECT, ECONNREFUSED,
	 "ConnectionRefusedError: [Errno 111] Connection refused"},
	{"/usr/bin/python3.11", CALL_CONNECT, EHOSTUNREACH,
	 "OSError: [Errno 113] No route to host"},
	{"/usr/bin/python3.11", CALL_READ, 0,
	 "http.client.RemoteDisconnected: Remote end closed connection without "
	 "response"},
	{"/usr/lib/jvm/java-17/bin/java", CALL_READ, ECONNRESET,
	 "java.net.SocketException: Connection reset"},
	{"/usr/lib/jvm/java-17/bin/java", CALL_WRITE, EPIPE,
	 "java.net.SocketException: Broken pipe"},
	{"/usr/lib/jvm/java-17/bin/java", CALL_CONNECT, ECONNREFUSED,
	 "java.net.ConnectException: Connection refused"},
	{"/usr/bin/ruby3.1", CALL_READ, ECONNRESET,
	 "Connection reset by peer (Errno::ECONNRESET)"},
	{"/usr/bin/php8.2", CALL_WRITE, EPIPE,
	 "failed with errno=32 Broken pipe"},
	{"/usr/bin/wget", CALL_READ, ECONNRESET,
	 "Read error (Connection reset by peer) in headers."},
	{"/usr/bin/redis-cli", CALL_READ, ECONNRESET,
	 "read: Connection reset by peer"},
	{"/usr/bin/redis-cli", CALL_READ, 0, "end of file"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event ev =
			told(rows[i].exe, rows[i].class, rows[i].errno_nr);

		assert_words(&ev, rows[i].words);
	}
}

static void test_handshake(void **state)
{
	struct event ev = told("/usr/bin/curl", CALL_READ, ECONNRESET);

	(void)state;
	strcpy(ev.tls, "handshake");
	assert_words(&ev, "curl: (35) Recv failure: Connection reset by peer");
	ev = told("/usr/bin/node", CALL_READ, 0);
	strcpy(ev.tls, "handshake");
	assert_words(&ev, "Error: Client network socket disconnected before "
			  "secure TLS connection was established");
	strcpy(ev.tls, "established");
	assert_words(&ev, "Error: socket hang up");
}

/* The program was told nothing: there are no words of it. */
static void test_nothing_was_told(void **state)
{
	struct event ev = told("/usr/bin/node", CALL_CLOSE, ECONNRESET);

	(void)state;
	ev.kind = KIND_SENT;
	assert_words(&ev, "");
	ev = told("/usr/bin/node", CALL_READ, ECONNRESET);
	ev.syscall.known = false;
	assert_words(&ev, "");
	ev = told("/usr/bin/node", CALL_READ, 0);
	ev.role = ROLE_SERVER; /* a client that left */
	assert_words(&ev, "");
}

static void test_unknown_errno(void **state)
{
	struct event ev = told("/usr/bin/node", CALL_READ, 4000);

	(void)state;
	assert_words(&ev, "Error: read errno 4000");
	ev = told("", CALL_READ, 4000);
	assert_words(&ev, "read: Unknown error");
}

static enum runtime runtime(const char *exe, const char *comm)
{
	struct event ev = told(exe, CALL_READ, ECONNRESET);

	strcpy(ev.process.comm, comm);
	return runtime_of(&ev.process);
}

static void test_runtime(void **state)
{
	(void)state;
	assert_int_equal(runtime("/opt/node-20/bin/node", "worker"),
			 RUNTIME_NODE);
	assert_int_equal(runtime("/x/python3", ""), RUNTIME_PYTHON);
	assert_int_equal(runtime("/x/pypy3.9", ""), RUNTIME_PYTHON);
	assert_int_equal(runtime("/x/nodejs", ""), RUNTIME_NODE);
	assert_int_equal(runtime("/x/node_exporter", "node"), RUNTIME_OTHER);
	assert_int_equal(runtime("/x/pythonic", ""), RUNTIME_OTHER);
	/* it was gone before its file could be read */
	assert_int_equal(runtime("", "curl"), RUNTIME_CURL);
	assert_int_equal(runtime("", "curlew"), RUNTIME_OTHER);
	assert_int_equal(runtime("/no/such/file", "curl"), RUNTIME_OTHER);
	assert_int_equal(runtime("/dev/zero", ""), RUNTIME_OTHER);
	assert_int_equal(runtime("/bin/sh", ""), RUNTIME_OTHER);
}

/* Debian's Prometheus is the program of Go that the tests have. */
static void test_go(void **state)
{
	struct event ev = told("/usr/bin/promtool", CALL_READ, ECONNRESET);

	(void)state;
	if (access("/usr/bin/promtool", F_OK))
		skip();
	assert_words(&ev, "read tcp 127.0.0.1:38772->127.0.0.1:7101: read: "
			  "connection reset by peer");
	ev = told("/usr/bin/promtool", CALL_CONNECT, ECONNREFUSED);
	assert_words(&ev,
		     "dial tcp 127.0.0.1:7101: connect: connection refused");
	ev = told("/usr/bin/promtool", CALL_READ, 0);
	assert_words(&ev, "EOF");
	/* the same path in a container is another file */
	strcpy(ev.process.container, "0123456789abcdef");
	assert_words(&ev, "end of file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_handshake),
		cmocka_unit_test(test_nothing_was_told),
		cmocka_unit_test(test_unknown_errno),
		cmocka_unit_test(test_runtime),
		cmocka_unit_test(test_go),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
