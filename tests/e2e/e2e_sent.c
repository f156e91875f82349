// SPDX-License-Identifier: Apache-2.0
/* What this host's own RSTs come from: close, exit, kill, disconnect, ss -K. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

/* The client's read is told of what the server did. */
static void expect_client_told(struct world *w, struct pair *p,
			       const char *cause)
{
	assert_int_equal(act(p->client, do_read, p->c, 100), -ECONNRESET);
	expect(w, .kind = "received", .by = p->client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = cause, .role = "client", .other = p->server);
}

static void test_linger_zero(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	expect_client_told(w, &p, "linger_zero");
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .role = "server", .other = p.client);
	expect_nothing_else(w);
}

static void test_close_with_unread_data(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_write, p.c, 1234);
	harness_sleep(50);
	act(p.server, do_close, p.s);
	expect_client_told(w, &p, "close_with_unread_data");
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close", .unread = 1234,
	       .cause = "close_with_unread_data", .role = "server",
	       .other = p.client);
	expect_nothing_else(w);
}

static void test_close_with_part_unread(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_write, p.c, 1000);
	harness_sleep(50);
	assert_int_equal(act(p.server, do_read, p.s, 999), 999);
	act(p.server, do_close, p.s);
	expect_client_told(w, &p, "close_with_unread_data");
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close", .unread = 1,
	       .cause = "close_with_unread_data", .other = p.client);
	expect_nothing_else(w);
}

/* A last descriptor that goes by dup2() is closed by that call. */
static long do_dup_over(long fd, long b, long c, long d)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	long result = error_or(dup2(null, fd));

	UNUSED(b, c, d);
	close(null);
	return result;
}

/* arm64 has no call dup2: the library's function makes another of it. */
#ifdef SYS_dup2
#define DUP_CALL "dup2"
#else
#define DUP_CALL "dup3"
#endif

static void test_dup_over_a_socket(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_write, p.c, 10);
	harness_sleep(50);
	assert_int_equal(act(p.server, do_dup_over, p.s), p.s);
	expect_client_told(w, &p, "close_with_unread_data");
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = ANY, .call = DUP_CALL,
	       .cause = "close_with_unread_data", .other = p.client);
	expect_nothing_else(w);
}

static void test_exit_with_unread_data(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_write, p.c, 10);
	harness_sleep(50);
	actor_exit(p.server, 3);
	expect_client_told(w, &p, "process_exit");
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "exit", .call = "exit_group", .cause = "process_exit",
	       .role = "server", .other = p.client);
	expect_nothing_else(w);
}

/* Killed in the middle of a transfer: data it has not read is on its socket. */
static void test_kill_busy(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	assert_true(act(p.client, do_fill, p.c) > 0);
	act_start(p.client, do_send, p.c, 1000);
	actor_wait_blocked(p.client);
	actor_kill(p.server, SIGKILL);
	assert_int_equal(actor_finish(p.client), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "write", .call = "sendto", .error = "ECONNRESET",
	       .cause = "process_exit", .role = "client", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "exit", .call = "exit_group", .cause = "process_exit",
	       .role = "server", .other = p.client);
	expect_nothing_else(w);
}

/* Nothing unread: a killed process says FIN, and nothing is lost. */
static void test_kill_idle_is_no_reset(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	actor_kill(p.server, SIGKILL);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_nothing_else(w);
}

/* The idle server was killed; the client's next request meets nobody. */
static void test_kill_idle_then_write(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	actor_kill(p.server, SIGKILL);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_write, p.c, 10), -EPIPE);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "write", .call = "write", .error = "EPIPE",
	       .state = "CLOSE_WAIT", .role = "client", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .via = "owner", .class = ANY,
	       .error = NULL, .role = "server", .other = p.client);
	expect_nothing_else(w);
}

static void test_disconnect(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	assert_int_equal(act(p.client, do_disconnect, p.c), 0);
	assert_int_equal(act(p.server, do_read, p.s, 100), -ECONNRESET);
	expect(w, .kind = "sent", .by = p.client, .via = "syscall",
	       .class = "connect", .call = "connect", .cause = "linger_zero",
	       .role = "client", .other = p.server);
	expect(w, .kind = "received", .by = p.server, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "linger_zero", .role = "server", .other = p.client);
	expect_nothing_else(w);
}

/*
 * The server closed with data still to be sent, so its socket lives on without
 * it; the client goes on writing. The kernel answers with a RST, and calls its
 * own reset routine on the dead socket: no event of a RST received there.
 */
static void test_data_after_close(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	assert_true(act(p.server, do_fill, p.s) > 0);
	act(p.server, do_close, p.s);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_drain, p.c), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .role = "client", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .via = "owner", .class = ANY,
	       .cause = "late_data", .role = "server", .other = p.client);
	expect_nothing_else(w);
}

static void test_listener_closed_with_backlog(void **state)
{
	struct world *w = *state;
	struct actor *server = actor_new("e2e-server", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener = act(server, do_listen, w->family, 8);
	long port = act(server, do_port, listener), c[2];

	for (int i = 0; i < 2; i++)
		c[i] = act(client, do_connect, w->family, HOST_LOOPBACK, port);
	harness_sleep(50);
	act(server, do_close, listener);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(act(client, do_read, c[i], 10), -ECONNRESET);
		expect(w, .kind = "received", .by = client, .via = "syscall",
		       .class = "read", .call = "read", .error = "ECONNRESET",
		       .cause = "listener_closed", .role = "client",
		       .other = server);
		expect(w, .kind = "sent", .by = server, .via = "syscall",
		       .class = "close", .call = "close",
		       .cause = "listener_closed", .role = "server",
		       .other = client);
	}
	expect_nothing_else(w);
}

/*
 * A full accept queue and tcp_abort_on_overflow: the client's connect() has
 * succeeded when its connection is reset. A backlog of 1 holds two connections,
 * and a SYN that meets a full queue is only dropped: so two handshakes are held
 * up before their last ACK, and what is written later completes them.
 */
static void test_accept_overflow(void **state)
{
	struct world *w = *state;
	struct actor *server, *client;
	long listener, port, first, second;

	must_in(-1, "echo 1 >/proc/sys/net/ipv4/tcp_abort_on_overflow");
	if (shell_in(-1, "nft add table inet e2e 2>/dev/null"))
		harness_skip("nft: this kernel or machine has no nf_tables");
	server = actor_new("e2e-server", 0);
	client = actor_new("e2e-client", 0);
	listener = act(server, do_listen, w->family, 1);
	port = act(server, do_port, listener);
	assert_true(act(client, do_connect, w->family, HOST_LOOPBACK, port) >
		    0);
	must_in(-1, "nft 'add chain inet e2e input "
		    "{ type filter hook input priority 0; }'");
	must_in(-1,
		"nft 'add rule inet e2e input tcp dport %ld "
		"tcp flags & (syn|ack) == ack drop'",
		port);
	first = act(client, do_connect, w->family, HOST_LOOPBACK, port);
	second = act(client, do_connect, w->family, HOST_LOOPBACK, port);
	assert_true(first >= 0 && second >= 0);
	must_in(-1, "nft flush chain inet e2e input");
	assert_int_equal(act(client, do_write, first, 10), 10);
	assert_int_equal(act(client, do_write, second, 10), 10);
	assert_int_equal(act(client, do_read, second, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .role = "client", .any_other = true);
	expect(w, .kind = "sent", .by = server, .via = "listener",
	       .class = NULL, .cause = "accept_overflow", .role = "server",
	       .any_other = true);
	expect_nothing_else(w);
}

static void test_ss_kill(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	char output[128];
	pid_t ss;
	char filter[64];
	char *argv[] = {"ss", "-K", "-t", filter, NULL};

	snprintf(filter, sizeof(filter), "dport = :%ld", p.port);
	snprintf(output, sizeof(output), "%s/ss", scratch());
	ss = spawn(output, argv);
	spawn_wait(ss, 5000);
	harness_sleep(50);
	if (act(p.client, do_read, p.c, 10) != -ECONNABORTED)
		harness_skip("ss -K: this kernel lacks INET_DIAG_DESTROY");
	assert_int_equal(act(p.server, do_read, p.s, 10), -ECONNRESET);
	expect(w, .kind = "sent", .pid = ss, .comm = "ss", .class = ANY,
	       .call = "sendmsg", .cause = "admin_abort", .role = "client",
	       .other = p.server);
	expect(w, .kind = "received", .by = p.server, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "admin_abort", .role = "server", .any_other = true);
	expect_nothing_else(w);
}

int main(void)
{
	const struct CMUnitTest sent[] = {
		BOTH(test_linger_zero),
		BOTH(test_close_with_unread_data),
		BOTH(test_close_with_part_unread),
		IPV4(test_dup_over_a_socket),
		BOTH(test_exit_with_unread_data),
		BOTH(test_kill_busy),
		BOTH(test_kill_idle_is_no_reset),
		BOTH(test_kill_idle_then_write),
		BOTH(test_disconnect),
		BOTH(test_data_after_close),
		BOTH(test_listener_closed_with_backlog),
		BOTH(test_accept_overflow),
		BOTH(test_ss_kill),
	};

	return run_table(sent);
}
