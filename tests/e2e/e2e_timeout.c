// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that died in silence: the answers are dropped by a rule, so that
 * keepalive, TCP_USER_TIMEOUT and connect() run into their limits.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

/* From here on nothing passes between the two ends, either way. */
static void silence(long port)
{
	if (shell_in(-1, "nft add table inet e2e 2>/dev/null"))
		harness_skip("nft: this kernel or machine has no nf_tables");
	/* in one call: what is slow makes the connection idle before */
	must_in(-1,
		"nft 'add chain inet e2e input "
		"{ type filter hook input priority 0; }; "
		"add rule inet e2e input tcp dport %ld drop; "
		"add rule inet e2e input tcp sport %ld drop'",
		port, port);
}

static void keepalive(struct actor *a, long fd)
{
	act(a, do_setsockopt, fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	act(a, do_setsockopt, fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	act(a, do_setsockopt, fd, IPPROTO_TCP, TCP_KEEPCNT, 1);
	act(a, do_setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* Two faces, two events: the process is told, and a RST leaves. */
static void test_keepalive_ends_a_blocked_read(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	keepalive(p.client, p.c);
	silence(p.port);
	assert_int_equal(act(p.client, do_recv, p.c, 10), -ETIMEDOUT);
	expect(w, .kind = "timeout", .by = p.client, .via = "syscall",
	       .class = "read", .call = "recvfrom", .error = "ETIMEDOUT",
	       .cause = "keepalive_timeout", .role = "client",
	       .state = "ESTABLISHED", .any_other = true);
	expect(w, .kind = "sent", .by = p.client, .class = NULL,
	       .cause = "keepalive_timeout", .role = "client",
	       .any_other = true);
	expect_nothing_else(w);
}

static void test_keepalive_ends_an_idle_server_socket(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	keepalive(p.server, p.s);
	silence(p.port);
	harness_sleep(2500);
	assert_int_equal(act(p.server, do_write, p.s, 10), -ETIMEDOUT);
	expect(w, .kind = "timeout", .by = p.server, .via = "syscall",
	       .class = "write", .call = "write", .error = "ETIMEDOUT",
	       .cause = "keepalive_timeout", .role = "server",
	       .any_other = true);
	expect(w, .kind = "sent", .by = p.server, .class = NULL,
	       .cause = "keepalive_timeout", .role = "server",
	       .any_other = true);
	expect_nothing_else(w);
}

static void test_user_timeout(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	act(p.client, do_setsockopt, p.c, IPPROTO_TCP, TCP_USER_TIMEOUT, 700);
	silence(p.port);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ETIMEDOUT);
	expect(w, .kind = "timeout", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ETIMEDOUT",
	       .cause = "user_timeout", .role = "client",
	       .state = "ESTABLISHED", .any_other = true);
	expect_nothing_else(w);
}

static void test_retransmissions_run_out(void **state)
{
	struct world *w = *state;
	struct pair p;

	must_in(-1, "echo 3 >/proc/sys/net/ipv4/tcp_retries2");
	p = pair_new(w->family);
	silence(p.port);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ETIMEDOUT);
	expect(w, .kind = "timeout", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ETIMEDOUT",
	       .cause = "user_timeout", .role = "client", .any_other = true);
	expect_nothing_else(w);
}

static void test_connect_times_out(void **state)
{
	struct world *w = *state;
	struct actor *client = actor_new("e2e-client", 0);

	silence(4001);
	assert_int_equal(act(client, do_connect_timeout, w->family,
			     HOST_LOOPBACK, 4001, 900),
			 -ETIMEDOUT);
	expect(w, .kind = "timeout", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ETIMEDOUT",
	       .cause = "connect_timeout", .role = "client",
	       .state = "SYN_SENT");
	expect_nothing_else(w);
}

static void test_icmp_host_unreachable(void **state)
{
	struct world *w = *state;
	struct actor *client;

	if (shell_in(-1, "nft add table inet e2e 2>/dev/null"))
		harness_skip("nft: this kernel or machine has no nf_tables");
	must_in(-1, "nft 'add chain inet e2e output "
		    "{ type filter hook output priority 0; }'");
	must_in(-1, "nft 'add rule inet e2e output tcp dport 4001 "
		    "reject with icmpx type host-unreachable'");
	client = actor_new("e2e-client", 0);
	assert_int_equal(
		act(client, do_connect, w->family, HOST_LOOPBACK, 4001),
		-EHOSTUNREACH);
	expect(w, .kind = "timeout", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "EHOSTUNREACH",
	       .cause = "peer_unreachable", .role = "client",
	       .state = "SYN_SENT");
	expect_nothing_else(w);
}

int main(void)
{
	const struct CMUnitTest timeout[] = {
		BOTH(test_keepalive_ends_a_blocked_read),
		BOTH(test_keepalive_ends_an_idle_server_socket),
		BOTH(test_user_timeout),
		IPV4(test_retransmissions_run_out),
		BOTH(test_connect_times_out),
		BOTH(test_icmp_host_unreachable),
	};

	return run_table(timeout);
}
