// SPDX-License-Identifier: Apache-2.0
/*
 * MPTCP: the process holds one socket, its TCP subflows are the kernel's. What
 * happens to them is told of the process.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static long do_socket_mptcp(long family, long b, long c, long d)
{
	UNUSED(b, c, d);
	return error_or(
		socket((int)family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP));
}

static long do_listen_on(long fd, long backlog, long c, long d)
{
	UNUSED(c, d);
	return error_or(listen((int)fd, (int)backlog));
}

static long do_connect_on(long fd, long family, long port, long d)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	UNUSED(d);
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == AF_INET)
		return error_or(
			connect((int)fd, (struct sockaddr *)&v4, sizeof(v4)));
	return error_or(connect((int)fd, (struct sockaddr *)&v6, sizeof(v6)));
}

static struct pair mptcp_pair(int family)
{
	struct pair p = {.client = actor_new("e2e-client", 0),
			 .server = actor_new("e2e-server", 0)};

	p.listener = act(p.server, do_socket_mptcp, family);
	if (p.listener < 0)
		harness_skip("this kernel has no MPTCP: %s",
			     strerror((int)-p.listener));
	assert_int_equal(act(p.server, do_listen_on, p.listener, 8), 0);
	p.port = act(p.server, do_port, p.listener);
	p.c = act(p.client, do_socket_mptcp, family);
	assert_true(p.c >= 0 && p.port > 0);
	assert_int_equal(act(p.client, do_connect_on, p.c, family, p.port), 0);
	p.s = act(p.server, do_accept, p.listener);
	assert_true(p.s >= 0);
	return p;
}

/* What the process has not read waits in its MPTCP socket, which no probe of
 * TCP sees. */
static void unread_is_not_known(struct world *w, int64_t id)
{
	json_t *event = event_now(w, id);
	const json_t *connection = json_object_get(event, "connection");

	assert_true(json_is_null(json_object_get(connection, "unread_bytes")));
	json_decref(event);
}

static void server_aborts(struct world *w, const struct pair *p)
{
	/* unread data: no MPTCP option makes a FIN of it */
	assert_int_equal(act(p->client, do_write, p->c, 100), 100);
	harness_sleep(50);
	assert_int_equal(act(p->server, do_close, p->s), 0);
	harness_sleep(50);
	unread_is_not_known(w, expect(w, .kind = "sent", .by = p->server,
				      .via = "syscall", .class = "close",
				      .call = "close",
				      .cause = "close_with_unread_data",
				      .any_other = true));
}

static void test_reader_is_told(void **state)
{
	struct world *w = *state;
	struct pair p = mptcp_pair(w->family);

	server_aborts(w, &p);
	assert_int_equal(act(p.client, do_read, p.c, 100), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .role = "client", .state = "ESTABLISHED", .any_other = true);
	expect_nothing_else(w);
}

static void test_writer_is_told(void **state)
{
	struct world *w = *state;
	struct pair p = mptcp_pair(w->family);

	server_aborts(w, &p);
	assert_int_equal(act(p.client, do_write, p.c, 100), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "write", .call = "write", .error = "ECONNRESET",
	       .role = "client", .any_other = true);
	expect_nothing_else(w);
}

/* A worker accepts: it owns the socket that it moves data through. */
static void test_accepted_owner(void **state)
{
	struct world *w = *state;
	struct pair p = mptcp_pair(w->family);

	assert_int_equal(act(p.client, do_write, p.c, 100), 100);
	assert_int_equal(act(p.server, do_read, p.s, 100), 100);
	assert_int_equal(act(p.server, do_write, p.s, 100), 100);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_close, p.c), 0); /* 100 unread */
	harness_sleep(50);
	assert_int_equal(act(p.server, do_read, p.s, 100), -ECONNRESET);
	expect(w, .kind = "sent", .by = p.client, .via = "syscall",
	       .class = "close", .call = "close",
	       .cause = "close_with_unread_data", .any_other = true);
	expect(w, .kind = "received", .by = p.server, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .role = "server", .any_other = true);
	expect_nothing_else(w);
}

int main(void)
{
	const struct CMUnitTest mptcp[] = {
		BOTH(test_reader_is_told),
		BOTH(test_writer_is_told),
		BOTH(test_accepted_owner),
	};

	return run_table(mptcp);
}
