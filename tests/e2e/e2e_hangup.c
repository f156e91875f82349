// SPDX-License-Identifier: Apache-2.0
/*
 * The peer's FIN while an answer was due; and all the orderly ends that look
 * alike and are none: nothing may be reported of them.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: e2e\r\n\r\n"
#define ANSWER	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define LAST_ANSWER                                                            \
	"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

static void say(struct actor *a, long fd, const char *text)
{
	assert_true(act(a, do_say, fd, (long)text) > 0);
	harness_sleep(20);
}

static void hear(struct actor *a, long fd)
{
	assert_true(act(a, do_recv, fd, 4096) > 0);
}

static void expect_hangup(struct world *w, struct pair *p, const char *call)
{
	expect(w, .kind = "hangup", .by = p->client, .via = "syscall",
	       .class = "read", .call = call, .error = NULL,
	       .cause = "peer_closed_early", .role = "client",
	       .any_other = true);
	expect_late_segments_at_most(w);
}

static void test_closed_without_an_answer(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.client, p.c, REQUEST);
	hear(p.server, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_hangup(w, &p, "read");
}

static void test_closed_in_the_second_request(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.client, p.c, REQUEST);
	hear(p.server, p.s);
	say(p.server, p.s, ANSWER);
	hear(p.client, p.c);
	say(p.client, p.c, REQUEST);
	hear(p.server, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_recv, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_hangup(w, &p, "recvfrom");
}

/* The server's process dies with the request read and unanswered. */
static void test_killed_while_it_worked(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.client, p.c, REQUEST);
	hear(p.server, p.s);
	act_start(p.client, do_recv, p.c, 100);
	actor_wait_blocked(p.client);
	actor_kill(p.server, 9);
	assert_int_equal(actor_finish(p.client), 0);
	act(p.client, do_close, p.c);
	expect(w, .kind = "hangup", .by = p.client, .via = "syscall",
	       .class = "read", .call = "recvfrom", .error = NULL,
	       .role = "client", .any_other = true);
	expect_late_segments_at_most(w);
}

/* --- healthy ---------------------------------------------------------------
 */
static void test_last_answer_then_close(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.client, p.c, REQUEST);
	hear(p.server, p.s);
	say(p.server, p.s, LAST_ANSWER);
	act(p.server, do_close, p.s);
	hear(p.client, p.c);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_late_segments_at_most(w);
}

static void test_half_close(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.client, p.c, "a question");
	act(p.client, do_shutdown, p.c, SHUT_WR);
	hear(p.server, p.s);
	assert_int_equal(act(p.server, do_recv, p.s, 100), 0);
	say(p.server, p.s, "an answer");
	act(p.server, do_close, p.s);
	hear(p.client, p.c);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_nothing_else(w);
}

static void test_upload_without_an_answer(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_write, p.c, 5000);
	act(p.client, do_shutdown, p.c, SHUT_WR);
	assert_int_equal(act(p.server, do_drain, p.s), 0);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_nothing_else(w);
}

static void test_goodbye(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.server, p.s, "220 e2e ESMTP\r\n");
	hear(p.client, p.c);
	say(p.client, p.c, "QUIT\r\n");
	hear(p.server, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_late_segments_at_most(w);
}

static void test_idle_pool_is_closed(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	say(p.client, p.c, REQUEST);
	hear(p.server, p.s);
	say(p.server, p.s, ANSWER);
	hear(p.client, p.c);
	harness_sleep(300);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 100), 0);
	act(p.client, do_close, p.c);
	expect_late_segments_at_most(w);
}

/* Many ordinary connections, each closed by either side in turn. */
#define ORDINARY 1000

static long do_serve(long listener, long count, long c, long d)
{
	UNUSED(c, d);
	for (long i = 0; i < count; i++) {
		long fd = do_accept(listener, 0, 0, 0);

		if (fd < 0 || do_recv(fd, 1000, 0, 0) <= 0 ||
		    do_say(fd, (long)ANSWER, 0, 0) <= 0)
			return -1;
		if (i % 2)
			do_drain(fd, 0, 0, 0);
		do_close(fd, 0, 0, 0);
	}
	return count;
}

static long do_ask(long family, long port, long count, long d)
{
	UNUSED(d);
	for (long i = 0; i < count; i++) {
		long fd = do_connect(family, HOST_LOOPBACK, port, 0);

		if (fd < 0 || do_say(fd, (long)REQUEST, 0, 0) <= 0 ||
		    do_recv(fd, sizeof(ANSWER) - 1, MSG_WAITALL, 0) <= 0)
			return -1;
		if (!(i % 2))
			do_drain(fd, 0, 0, 0);
		do_close(fd, 0, 0, 0);
	}
	return count;
}

static void test_ordinary_connections(void **state)
{
	struct world *w = *state;
	struct actor *server = actor_new("e2e-server", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener = act(server, do_listen, w->family, 128);
	long port = act(server, do_port, listener);

	act_start(server, do_serve, listener, ORDINARY);
	act_start(client, do_ask, w->family, port, ORDINARY);
	assert_int_equal(actor_finish(client), ORDINARY);
	assert_int_equal(actor_finish(server), ORDINARY);
	expect_late_segments_at_most(w);
}

int main(void)
{
	const struct CMUnitTest hangup[] = {
		BOTH(test_closed_without_an_answer),
		BOTH(test_closed_in_the_second_request),
		BOTH(test_killed_while_it_worked),
		BOTH(test_last_answer_then_close),
		BOTH(test_half_close),
		BOTH(test_upload_without_an_answer),
		BOTH(test_goodbye),
		BOTH(test_idle_pool_is_closed),
		BOTH(test_ordinary_connections),
	};

	return run_table(hangup);
}
