// SPDX-License-Identifier: Apache-2.0
/* The real programs that people run, with their own ways to close. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

#define PORT   4100
#define PYTHON "/usr/bin/python3"

/* A text file in the scratch directory; its path. */
static const char *put(const char *name, const char *text)
{
	static char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scratch(), name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		harness_die("%s", path);
	return path;
}

static pid_t start(const char *log, char *const argv[])
{
	char output[256];

	if (!have_program(argv[0]))
		harness_skip("%s is not installed", argv[0]);
	snprintf(output, sizeof(output), "%s/%s.log", scratch(), log);
	return spawn(output, argv);
}

static char *literal(const struct world *w)
{
	return w->family == AF_INET ? "127.0.0.1" : "::1";
}

static char *url(const struct world *w)
{
	return w->family == AF_INET ? "http://127.0.0.1:4100/"
				    : "http://[::1]:4100/";
}

static pid_t curl(const struct world *w, char *upload)
{
	/* No Expect: the body is sent without waiting for a word of consent. */
	char *argv[] = {"curl",	      "-sS",
			"--max-time", "20",
			"-H",	      "Expect:",
			"-o",	      "/dev/null",
			url(w),	      upload ? "--data-binary" : NULL,
			upload,	      NULL};

	return start("curl", argv);
}

static pid_t python_server(const struct world *w, const char *what)
{
	static char script[1024];
	char *argv[] = {PYTHON, "-c", script, literal(w), NULL};
	pid_t pid;

	snprintf(script, sizeof(script),
		 "import socket, struct, sys, time\n"
		 "h = sys.argv[1]\n"
		 "f = socket.AF_INET6 if ':' in h else socket.AF_INET\n"
		 "l = socket.socket(f)\n"
		 "l.bind((h, %d))\n"
		 "l.listen()\n"
		 "s, _ = l.accept()\n"
		 "%s\n"
		 "time.sleep(60)\n",
		 PORT, what);
	pid = start("python", argv);
	wait_listening(PORT);
	return pid;
}

static void test_python_linger_zero(void **state)
{
	struct world *w = *state;
	pid_t server = python_server(
		w, "s.recv(65536)\n"
		   "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,"
		   " struct.pack('ii', 1, 0))\n"
		   "s.close()");
	pid_t client = curl(w, NULL);

	assert_int_equal(spawn_wait(client, 10000), 56); /* recv failure */
	expect(w, .kind = "received", .pid = client, .comm = "curl",
	       .via = "syscall", .class = "read", .call = "recvfrom",
	       .error = "ECONNRESET", .cause = "linger_zero", .role = "client",
	       .other_pid = server);
	expect(w, .kind = "sent", .pid = server, .comm = "python3",
	       .via = "syscall", .class = "close", .call = "close",
	       .cause = "linger_zero", .role = "server", .other_pid = client);
	expect_nothing_else(w);
}

static void test_curl_to_a_closed_port(void **state)
{
	struct world *w = *state;
	pid_t client = curl(w, NULL);

	assert_int_equal(spawn_wait(client, 10000), 7);
	expect(w, .kind = "refused", .pid = client, .comm = "curl",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .cause = "connection_refused", .role = "client",
	       .any_other = true);
	expect(w, .kind = "sent", .class = NULL, .cause = "port_closed",
	       .any_process = true, .any_other = true);
	expect_nothing_else(w);
}

/* curl's way to name a file of that many bytes. */
static char *body(int bytes)
{
	static char argument[256];

	must_in(-1, "head -c %d /dev/zero >%s/post", bytes, scratch());
	snprintf(argument, sizeof(argument), "@%s/post", scratch());
	return argument;
}

#define BIG   8000000 /* more than any socket buffer */
#define SMALL 20000   /* sent in one piece with the head */

static void test_kill_of_a_busy_python_server(void **state)
{
	struct world *w = *state;
	pid_t server = python_server(w, "s.recv(1000)"), client;

	client = curl(w, body(BIG));
	harness_sleep(700);
	kill(server, SIGKILL);
	assert_in_range(spawn_wait(client, 10000), 55, 56);
	expect(w, .kind = "received", .pid = client, .comm = "curl",
	       .via = "syscall", .class = ANY, .call = ANY,
	       .error = "ECONNRESET", .cause = "process_exit", .role = "client",
	       .other_pid = server);
	expect(w, .kind = "sent", .pid = server, .comm = "python3",
	       .class = "exit", .call = "exit_group", .cause = "process_exit",
	       .role = "server", .other_pid = client);
	expect_nothing_else(w);
}

/*
 * `return 444` closes at once, with the body of the request unread: it came
 * with the head, of which nginx reads 1 KiB.
 */
static void test_nginx_closes_on_unread_data(void **state)
{
	struct world *w = *state;
	static char conf[1024], config[256];
	char *argv[] = {"nginx", "-e", "stderr", "-c", config, NULL};
	pid_t client;

	snprintf(conf, sizeof(conf),
		 "daemon off; worker_processes 1; pid %1$s/pid;\n"
		 "events {}\n"
		 "http { access_log off; client_max_body_size 0;\n"
		 "client_body_temp_path %1$s/body;\n"
		 "proxy_temp_path %1$s/p; fastcgi_temp_path %1$s/f;\n"
		 "uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s;\n"
		 "server { listen %2$s:%3$d; location / { return 444; } } }\n",
		 scratch(), w->family == AF_INET ? "127.0.0.1" : "[::1]", PORT);
	snprintf(config, sizeof(config), "%s", put("nginx.conf", conf));
	start("nginx", argv);
	wait_listening(PORT);
	client = curl(w, body(SMALL));
	assert_in_range(spawn_wait(client, 10000), 52, 56);
	expect(w, .kind = "received", .pid = client, .comm = "curl",
	       .via = "syscall", .class = ANY, .call = ANY,
	       .error = "ECONNRESET", .cause = "close_with_unread_data",
	       .role = "client", .any_other = true);
	expect(w, .kind = "sent", .comm = "nginx", .via = "syscall",
	       .class = "close", .call = "close",
	       .cause = "close_with_unread_data", .role = "server",
	       .other_pid = client);
	expect_nothing_else(w);
}

static pid_t node(const struct world *w, const char *log, char *script)
{
	char *argv[] = {"node", "-e", script, literal(w), NULL};

	return start(log, argv);
}

/*
 * The server closes an idle connection by its default timer; the client is too
 * busy to see it, and sends its next request on that connection.
 */
static void test_node_keep_alive_race(void **state)
{
	struct world *w = *state;
	pid_t server = node(w, "server",
			    "require('http').createServer((q, r) =>"
			    " r.end('ok')).listen(4100, process.argv[1])");
	char script[640];
	pid_t client;

	wait_listening(PORT);
	snprintf(script, sizeof(script),
		 "const http = require('http');"
		 "const agent = new http.Agent({ keepAlive: true });"
		 "const o = { host: process.argv[1], port: 4100, agent };"
		 "http.get(o, r => { r.resume(); r.on('end', () =>"
		 " setImmediate(() => {"
		 "  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),"
		 "   0, 0, %d);"
		 "  http.get(o, () => process.exit(3)).on('error', e =>"
		 "   process.exit(e.code == 'ECONNRESET' ? 42 : 4)); })); })",
		 5000 + harness_ms(2500)); /* after the server's timer */
	client = node(w, "client", script);
	assert_int_equal(spawn_wait(client, 15000), 42);
	expect(w, .kind = "received", .pid = client, .comm = ANY, .class = ANY,
	       .role = "client", .state = "CLOSE_WAIT", .other_pid = server);
	expect(w, .kind = "sent", .pid = server, .comm = ANY, .class = ANY,
	       .role = "server", .other_pid = client);
	expect_nothing_else(w);
}

static void test_node_socket_hang_up(void **state)
{
	struct world *w = *state;
	pid_t client;

	node(w, "server",
	     "require('http').createServer((q, r) => q.socket.destroy())"
	     ".listen(4100, process.argv[1])");
	wait_listening(PORT);
	client = node(w, "client",
		      "const http = require('http');"
		      "http.get({ host: process.argv[1], port: 4100 })"
		      ".on('error', e => process.exit("
		      " e.message == 'socket hang up' ? 42 : 4))");
	assert_int_equal(spawn_wait(client, 15000), 42);
	expect(w, .kind = "hangup", .pid = client, .comm = ANY,
	       .via = "syscall", .class = "read", .call = "read", .error = NULL,
	       .cause = "peer_closed_early", .role = "client",
	       .any_other = true);
	expect_nothing_else(w);
}

/* A healthy day: nginx, curl and Node.js as they come, nothing to report. */
static void test_healthy_programs(void **state)
{
	struct world *w = *state;
	pid_t client;

	node(w, "server",
	     "require('http').createServer((q, r) => { q.resume();"
	     " q.on('end', () => r.end('ok')); })"
	     ".listen(4100, process.argv[1])");
	wait_listening(PORT);
	assert_int_equal(spawn_wait(curl(w, NULL), 10000), 0);
	assert_int_equal(spawn_wait(curl(w, body(BIG)), 20000), 0);
	client = node(w, "client",
		      "const http = require('http');"
		      "const agent = new http.Agent({ keepAlive: true });"
		      "let n = 0; const go = () => http.get({ agent,"
		      " host: process.argv[1], port: 4100 }, r => { r.resume();"
		      " r.on('end', () => ++n < 50 ? setImmediate(go) :"
		      "  agent.destroy()); });"
		      "go();");
	assert_int_equal(spawn_wait(client, 15000), 0);
	expect_nothing_else(w);
}

int main(void)
{
	const struct CMUnitTest programs[] = {
		BOTH(test_python_linger_zero),
		BOTH(test_curl_to_a_closed_port),
		BOTH(test_kill_of_a_busy_python_server),
		BOTH(test_nginx_closes_on_unread_data),
		BOTH(test_node_keep_alive_race),
		BOTH(test_node_socket_hang_up),
		BOTH(test_healthy_programs),
	};

	return run_table(programs);
}
