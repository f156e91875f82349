// SPDX-License-Identifier: Apache-2.0
/* What the end that was reset is told, and by which call. */
#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

/* The server resets: the RST has arrived when this returns. */
static void server_resets(struct pair *p)
{
	assert_int_equal(act(p->server, do_linger, p->s), 0);
	assert_int_equal(act(p->server, do_close, p->s), 0);
}

static void expect_server_sent(struct world *w, const struct pair *p)
{
	expect(w, .kind = "sent", .by = p->server, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .role = "server", .other = p->client);
}

struct way {
	deed_fn deed;
	const char *call;
};

static const struct way reads[] = {
	{do_read, "read"},
	{do_recv, "recvfrom"},
	{do_readv, "readv"},
	{do_recvmsg, "recvmsg"},
};

static void test_read_after_rst_by_each_call(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		if (i)
			pair_connect(w->family, &p);
		server_resets(&p);
		assert_int_equal(act(p.client, reads[i].deed, p.c, 100),
				 -ECONNRESET);
		expect(w, .kind = "received", .by = p.client, .via = "syscall",
		       .class = "read", .call = reads[i].call,
		       .error = "ECONNRESET", .cause = "linger_zero",
		       .role = "client", .state = "ESTABLISHED",
		       .other = p.server);
		expect_server_sent(w, &p);
	}
	expect_nothing_else(w);
}

/*
 * Calls that take the error without passing a tracepoint: splice from a
 * socket, and recvmmsg, which looks at sk_err first. Then the event names the
 * owner and no call, and doctor names the call as one that is not seen.
 */
static void hidden_call(struct world *w, const struct way *way)
{
	struct pair p = pair_new(w->family);
	json_t *event;
	const char *call;

	server_resets(&p);
	assert_int_equal(act(p.client, way->deed, p.c, 100), -ECONNRESET);
	event = event_now(w, expect(w, .kind = "received", .by = p.client,
				    .class = ANY, .cause = "linger_zero",
				    .other = p.server));
	expect_server_sent(w, &p);
	expect_nothing_else(w);
	call = json_string_value(
		json_object_get(json_object_get(event, "syscall"), "name"));
	if (call)
		assert_string_equal(call, way->call);
	else
		must_in(-1,
			"%s doctor --store %s | grep -q 'not seen' && "
			"%s doctor --store %s | grep -q %s",
			program_path("rstscope"), daemon_store(w->daemon),
			program_path("rstscope"), daemon_store(w->daemon),
			way->call);
	json_decref(event);
}

static void test_splice_after_rst(void **state)
{
	static const struct way way = {do_splice_in, "splice"};

	hidden_call(*state, &way);
}

static void test_recvmmsg_after_rst(void **state)
{
	static const struct way way = {do_recvmmsg, "recvmmsg"};

	hidden_call(*state, &way);
}

static const struct way writes[] = {
	{do_write, "write"},	   {do_send, "sendto"},
	{do_writev, "writev"},	   {do_sendmsg, "sendmsg"},
	{do_sendmmsg, "sendmmsg"}, {do_sendfile, "sendfile"},
	{do_splice_out, "splice"},
};

static void test_write_after_rst_by_each_call(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		if (i)
			pair_connect(w->family, &p);
		server_resets(&p);
		assert_int_equal(act(p.client, writes[i].deed, p.c, 100),
				 -ECONNRESET);
		/* The error comes once; later writes meet a closed socket. */
		assert_int_equal(act(p.client, writes[i].deed, p.c, 100),
				 -EPIPE);
		expect(w, .kind = "received", .by = p.client, .via = "syscall",
		       .class = "write", .call = writes[i].call,
		       .error = "ECONNRESET", .cause = "linger_zero",
		       .role = "client", .other = p.server);
		expect_server_sent(w, &p);
	}
	expect_nothing_else(w);
}

/* The peer is gone: the first write provokes the RST, the second is told. */
static void test_write_to_closed_peer_is_epipe(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.server, do_close, p.s);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_write, p.c, 10), -EPIPE);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "write", .call = "write", .error = "EPIPE",
	       .state = "CLOSE_WAIT", .role = "client", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .via = "owner", .class = ANY,
	       .cause = "late_data", .role = "server", .other = p.client);
	expect_nothing_else(w);
}

static const struct way blocked[] = {
	{do_recv, "recvfrom"},
	{do_recvmmsg, "recvmmsg"},
};

static void test_blocked_read_is_told(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
		if (i)
			pair_connect(w->family, &p);
		act_start(p.client, blocked[i].deed, p.c, 100);
		actor_wait_blocked(p.client);
		server_resets(&p);
		assert_int_equal(actor_finish(p.client), -ECONNRESET);
		expect(w, .kind = "received", .by = p.client, .via = "syscall",
		       .class = "read", .call = blocked[i].call,
		       .error = "ECONNRESET", .cause = "linger_zero",
		       .role = "client", .other = p.server);
		expect_server_sent(w, &p);
	}
	expect_nothing_else(w);
}

static void test_blocked_write_is_told(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	assert_true(act(p.client, do_fill, p.c) > 0);
	act_start(p.client, do_send, p.c, 1000);
	actor_wait_blocked(p.client);
	act(p.server, do_close, p.s); /* all of it unread */
	assert_int_equal(actor_finish(p.client), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "write", .call = "sendto", .error = "ECONNRESET",
	       .cause = "close_with_unread_data", .role = "client",
	       .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close",
	       .cause = "close_with_unread_data", .other = p.client);
	expect_nothing_else(w);
}

/* Queued data first, then the error: the call that gets it is the second. */
static void test_data_before_rst_is_read_first(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.server, do_write, p.s, 500);
	harness_sleep(50);
	server_resets(&p);
	assert_int_equal(act(p.client, do_read, p.c, 1000), 500);
	assert_int_equal(act(p.client, do_recvmsg, p.c, 1000), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "read", .call = "recvmsg", .error = "ECONNRESET",
	       .cause = "linger_zero", .unread = 500, .other = p.server);
	expect_server_sent(w, &p);
	expect_nothing_else(w);
}

/* Stored at once without a call, amended when one is told: the id stays. */
static void test_idle_socket_is_amended_when_told(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	int64_t first;

	server_resets(&p);
	first = expect(w, .kind = "received", .by = p.client, .via = "owner",
		       .class = NULL, .cause = "linger_zero", .role = "client",
		       .other = p.server);
	expect_server_sent(w, &p);
	expect_nothing_else(w);

	assert_int_equal(act(p.client, do_read, p.c, 1), -ECONNRESET);
	expect_again(first);
	assert_int_equal(expect(w, .kind = "received", .by = p.client,
				.via = "syscall", .class = "read",
				.call = "read", .error = "ECONNRESET",
				.cause = "linger_zero", .role = "client",
				.other = p.server),
			 first);
	expect_nothing_else(w);
}

static void test_reset_that_nobody_is_told(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	server_resets(&p);
	act(p.client, do_close, p.c);
	expect(w, .kind = "received", .by = p.client, .class = NULL,
	       .cause = "linger_zero", .role = "client", .other = p.server);
	expect_server_sent(w, &p);
	expect_nothing_else(w);
}

static void test_accept_then_read(void **state)
{
	struct world *w = *state;
	struct actor *server = actor_new("e2e-server", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener = act(server, do_listen, w->family, 8);
	long port = act(server, do_port, listener);
	long c = act(client, do_connect, w->family, HOST_LOOPBACK, port), s;

	assert_true(c >= 0);
	act(client, do_linger, c);
	act(client, do_close, c);
	s = act(server, do_accept, listener);
	assert_true(s >= 0); /* accept itself succeeds */
	assert_int_equal(act(server, do_read, s, 100), -ECONNRESET);
	expect(w, .kind = "received", .by = server, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "linger_zero", .role = "server", .other = client);
	expect(w, .kind = "sent", .by = client, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .role = "client", .other = server);
	expect_nothing_else(w);
}

/* More calls that wait at once than a kretprobe follows unasked. */
#define WAITING 40

static void test_many_waiting_readers(void **state)
{
	struct world *w = *state;
	struct actor *server = actor_new("e2e-server", 0), *client[WAITING];
	long listener = act(server, do_listen, w->family, WAITING);
	long port = act(server, do_port, listener), s[WAITING], c;

	for (int i = 0; i < WAITING; i++) {
		client[i] = actor_new("e2e-client", 0);
		c = act(client[i], do_connect, w->family, HOST_LOOPBACK, port);
		s[i] = act(server, do_accept, listener);
		assert_true(c >= 0 && s[i] >= 0);
		act_start(client[i], do_recv, c, 100);
		actor_wait_blocked(client[i]);
	}
	for (int i = 0; i < WAITING; i++) {
		act(server, do_linger, s[i]);
		act(server, do_close, s[i]);
	}
	for (int i = 0; i < WAITING; i++) {
		assert_int_equal(actor_finish(client[i]), -ECONNRESET);
		expect(w, .kind = "received", .by = client[i], .via = "syscall",
		       .class = "read", .call = "recvfrom",
		       .error = "ECONNRESET", .other = server);
	}
	/* what one process sent is folded into fewer events */
}

static void uring(struct world *w, deed_fn deed, const char *class)
{
	struct pair p = pair_new(w->family);
	long result;

	server_resets(&p);
	result = act(p.client, deed, p.c, 100);
	if (result == -ENOSYS || result == -EPERM)
		harness_skip("io_uring is not to be had here (%s)",
			     result == -EPERM ? "EPERM" : "ENOSYS");
	assert_int_equal(result, -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = class, .call = "io_uring_enter", .error = "ECONNRESET",
	       .cause = "linger_zero", .role = "client", .other = p.server);
	expect_server_sent(w, &p);
	expect_nothing_else(w);
}

static void test_io_uring_receive(void **state)
{
	uring(*state, do_uring_recv, "read");
}

static void test_io_uring_send(void **state)
{
	uring(*state, do_uring_send, "write");
}

static void expect_ipv4(struct world *w, int64_t id, const char *address)
{
	json_t *event = event_now(w, id);
	const json_t *c = json_object_get(event, "connection");

	assert_string_equal(json_string_value(json_object_get(c, "family")),
			    "ipv4");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(c, "local"), "ip")),
			    address);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(c, "peer"), "ip")),
			    address);
	json_decref(event);
}

/* An IPv6 socket that takes IPv4, too: its addresses are shown as IPv4. */
static void test_mapped_address_is_ipv4(void **state)
{
	struct world *w = *state;
	struct actor *server = actor_new("e2e-server", 0);
	struct actor *client = actor_new("e2e-client", 0);
	long listener = act(server, do_listen, AF_INET6, 8);
	long port = act(server, do_port, listener), c, s;

	c = act(client, do_connect, AF_INET, HOST_LOOPBACK, port);
	assert_true(c >= 0);
	s = act(server, do_accept, listener);
	act(client, do_linger, c);
	act(client, do_close, c);
	assert_int_equal(act(server, do_read, s, 1), -ECONNRESET);
	expect_ipv4(w,
		    expect(w, .kind = "received", .by = server, .class = "read",
			   .call = "read", .error = "ECONNRESET",
			   .role = "server", .cause = "linger_zero",
			   .other = client),
		    "127.0.0.1");
	expect_ipv4(w,
		    expect(w, .kind = "sent", .by = client, .class = "close",
			   .call = "close", .cause = "linger_zero",
			   .other = server),
		    "127.0.0.1");
	expect_nothing_else(w);
}

int main(void)
{
	const struct CMUnitTest received[] = {
		BOTH(test_read_after_rst_by_each_call),
		BOTH(test_splice_after_rst),
		BOTH(test_recvmmsg_after_rst),
		BOTH(test_write_after_rst_by_each_call),
		BOTH(test_write_to_closed_peer_is_epipe),
		BOTH(test_blocked_read_is_told),
		BOTH(test_blocked_write_is_told),
		BOTH(test_data_before_rst_is_read_first),
		BOTH(test_idle_socket_is_amended_when_told),
		BOTH(test_reset_that_nobody_is_told),
		BOTH(test_accept_then_read),
		BOTH(test_many_waiting_readers),
		IPV4(test_mapped_address_is_ipv4),
		BOTH(test_io_uring_receive),
		BOTH(test_io_uring_send),
	};

	return run_table(received);
}
