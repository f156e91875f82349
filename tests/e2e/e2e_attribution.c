// SPDX-License-Identifier: Apache-2.0
/* Whose socket it is, where that is not plain. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

/* --- prefork ---------------------------------------------------------------
 */
/*
 * The actor forks a worker that accepts on its listener, waits for the RST in
 * a read, and ends. The worker's pid.
 */
static long do_prefork(long listener, long abort, long c, long d)
{
	pid_t pid = fork();
	long fd;

	UNUSED(c, d);
	if (pid)
		return error_or(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "e2e-worker");
	fd = do_accept(listener, 0, 0, 0);
	if (abort) {
		harness_sleep(100); /* connect() has returned by then */
		do_linger(fd, 0, 0, 0);
		do_close(fd, 0, 0, 0);
	} else {
		do_recv(fd, 100, 0, 0);
	}
	for (;;)
		pause();
}

static long do_end(long pid, long b, long c, long d)
{
	UNUSED(b, c, d);
	kill(pid, SIGKILL);
	return error_or(waitpid(pid, NULL, 0));
}

static void test_prefork_worker_is_told(void **state)
{
	struct world *w = *state;
	struct actor *parent = actor_new("e2e-parent", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener = act(parent, do_listen, w->family, 8);
	long port = act(parent, do_port, listener);
	long worker = act(parent, do_prefork, listener, false);
	long c = act(client, do_connect, w->family, HOST_LOOPBACK, port);

	assert_true(worker > 0 && c >= 0);
	harness_sleep(100);
	act(client, do_linger, c);
	act(client, do_close, c);
	expect(w, .kind = "received", .pid = worker, .comm = "e2e-worker",
	       .via = "syscall", .class = "read", .call = "recvfrom",
	       .error = "ECONNRESET", .cause = "linger_zero", .role = "server",
	       .other = client);
	expect(w, .kind = "sent", .by = client, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .role = "client", .other_pid = worker);
	expect_nothing_else(w);
	act(parent, do_end, worker);
}

static void test_prefork_worker_resets(void **state)
{
	struct world *w = *state;
	struct actor *parent = actor_new("e2e-parent", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener = act(parent, do_listen, w->family, 8);
	long port = act(parent, do_port, listener);
	long worker = act(parent, do_prefork, listener, true);
	long c = act(client, do_connect, w->family, HOST_LOOPBACK, port);

	assert_true(worker > 0 && c >= 0);
	assert_int_equal(act(client, do_read, c, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "linger_zero", .other_pid = worker);
	expect(w, .kind = "sent", .pid = worker, .comm = "e2e-worker",
	       .via = "syscall", .class = "close", .call = "close",
	       .cause = "linger_zero", .role = "server", .other = client);
	expect_nothing_else(w);
	act(parent, do_end, worker);
}

/* --- passed on -------------------------------------------------------------
 */
static int channel[2];

static void test_descriptor_passed_to_another(void **state)
{
	struct world *w = *state;
	struct actor *worker, *client, *front;
	long listener, port, c, s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, channel), 0);
	front = actor_new_keep("e2e-front", channel[0]);
	worker = actor_new_keep("e2e-worker", channel[1]);
	client = actor_new("e2e-client", 0);
	close(channel[0]);
	close(channel[1]);
	listener = act(front, do_listen, w->family, 8);
	port = act(front, do_port, listener);
	c = act(client, do_connect, w->family, HOST_LOOPBACK, port);
	s = act(front, do_accept, listener);
	assert_int_equal(act(front, do_pass, ACTOR_KEPT_FD, s), 1);
	s = act(front, do_close, s) ?: act(worker, do_take, ACTOR_KEPT_FD);
	assert_true(c >= 0 && s >= 0);
	act(client, do_linger, c);
	act(client, do_close, c);
	assert_int_equal(act(worker, do_read, s, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = worker, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "linger_zero", .role = "server", .other = client);
	expect(w, .kind = "sent", .by = client, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .other = worker);
	expect_nothing_else(w);
}

/*
 * Accepted by another than who called listen(), and reset before any data:
 * where the kernel shows accept(), it is known who that was.
 */
static void test_accepted_and_not_used(void **state)
{
	struct world *w = *state;
	struct actor *worker, *client, *front, *owner;
	bool seen = daemon_probe_up(w->daemon, "inet_csk_accept");
	long listener, port, c, s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, channel), 0);
	front = actor_new_keep("e2e-front", channel[0]);
	worker = actor_new_keep("e2e-worker", channel[1]);
	client = actor_new("e2e-client", 0);
	close(channel[0]);
	close(channel[1]);
	owner = seen ? worker : front;
	listener = act(front, do_listen, w->family, 8);
	port = act(front, do_port, listener);
	harness_sleep(1000); /* its port is found by a scan */
	assert_int_equal(act(front, do_pass, ACTOR_KEPT_FD, listener), 1);
	listener = act(worker, do_take, ACTOR_KEPT_FD);
	c = act(client, do_connect, w->family, HOST_LOOPBACK, port);
	s = act(worker, do_accept, listener);
	assert_true(c >= 0 && s >= 0);
	act(client, do_linger, c);
	act(client, do_close, c);
	expect(w, .kind = "received", .by = owner,
	       .via = seen ? "owner" : "listener", .role = "server",
	       .cause = "linger_zero", .other = client);
	expect(w, .kind = "sent", .by = client, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .other = owner);
	expect_nothing_else(w);
}

/* --- namespaces and threads ------------------------------------------------
 */
static void test_process_in_a_pid_namespace(void **state)
{
	struct world *w = *state;
	struct actor *server = actor_new("e2e-inside", ACTOR_PID_NAMESPACE);
	struct actor *client = actor_new("e2e-outside", 0);
	long listener = act(server, do_listen, w->family, 8);
	long port = act(server, do_port, listener);
	long c = act(client, do_connect, w->family, HOST_LOOPBACK, port);
	long s = act(server, do_accept, listener);

	act(server, do_linger, s);
	act(server, do_close, s);
	assert_int_equal(act(client, do_read, c, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "linger_zero", .other = server);
	expect(w, .kind = "sent", .by = server, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .other = client);
	expect_nothing_else(w);
}

static long thread_tid, thread_result;

static void *thread_reads(void *fd)
{
	prctl(PR_SET_NAME, "e2e-thread");
	__atomic_store_n(&thread_tid, gettid(), __ATOMIC_SEQ_CST);
	thread_result = do_recv((long)fd, 10, 0, 0);
	return NULL;
}

static long do_thread_read(long fd, long b, long c, long d)
{
	pthread_t thread;

	UNUSED(b, c, d);
	if (pthread_create(&thread, NULL, thread_reads, (void *)fd))
		return -EAGAIN;
	pthread_join(thread, NULL);
	return thread_result;
}

static long do_thread_tid(long a, long b, long c, long d)
{
	UNUSED(a, b, c, d);
	return thread_tid;
}

/* The pid is the process's, the tid the thread's that was told. */
static void test_thread_is_told(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	json_t *event;
	int64_t id;

	act_start(p.client, do_thread_read, p.c);
	harness_sleep(100);
	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(actor_finish(p.client), -ECONNRESET);
	id = expect(w, .kind = "received", .by = p.client, .comm = ANY,
		    .via = "syscall", .class = "read", .call = "recvfrom",
		    .error = "ECONNRESET", .other = p.server);
	event = event_now(w, id);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(event, "process"), "tid")),
			 act(p.client, do_thread_tid, 0));
	json_decref(event);
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close", .other = p.client);
	expect_nothing_else(w);
}

/* --- older than the daemon -------------------------------------------------
 */
/* Neither end makes a call that tells whose the sockets are. */
static void test_socket_older_than_the_daemon(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_write, p.c, 10);
	harness_sleep(50);
	own_daemon(w, NULL);
	act(p.server, do_close, p.s);
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close",
	       .cause = "close_with_unread_data", .other = p.client);
	expect(w, .kind = "received", .by = p.client, .via = "scan",
	       .class = NULL, .cause = "close_with_unread_data",
	       .other = p.server);
	expect_nothing_else(w);
}

/* --- namespaces as hosts ---------------------------------------------------
 */
static const char *const separate[] = {"--separate-netns", NULL};

static void across(struct world *w, bool joined)
{
	int other = netns_new();
	struct actor *server = actor_new_in(other, "e2e-server", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener, port, c, s;

	netns_link(netns_home(), "a", host_address(w->family, HOST_A), other,
		   "b", host_address(w->family, HOST_B));
	listener = act(server, do_listen, w->family, 8);
	port = act(server, do_port, listener);
	c = act(client, do_connect, w->family, HOST_B, port);
	assert_true(c >= 0);
	s = act(server, do_accept, listener);
	act(server, do_linger, s);
	act(server, do_close, s);
	assert_int_equal(act(client, do_read, c, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = joined ? "linger_zero" : NULL, .role = "client",
	       .other = joined ? server : NULL);
	expect(w, .kind = "sent", .by = server, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .role = "server", .other = joined ? client : NULL);
	expect_nothing_else(w);
}

static void test_two_namespaces_are_one_host(void **state)
{
	across(*state, true);
}

static void test_separate_netns_joins_nothing(void **state)
{
	struct world *w = *state;

	own_daemon(w, separate);
	across(w, false);
}

int main(void)
{
	const struct CMUnitTest attribution[] = {
		BOTH(test_prefork_worker_is_told),
		BOTH(test_prefork_worker_resets),
		BOTH(test_descriptor_passed_to_another),
		BOTH(test_accepted_and_not_used),
		BOTH(test_process_in_a_pid_namespace),
		BOTH(test_thread_is_told),
		BOTH(test_socket_older_than_the_daemon),
		BOTH(test_two_namespaces_are_one_host),
		BOTH(test_separate_netns_joins_nothing),
	};

	return run_table(attribution);
}
