// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that never came to be, by an answer: refused, rejected by a rule
 * here or on the way, by ICMP, scans. A closed port on this host also shows
 * its own end: the RST that was sent.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/route.h"

#define CLOSED_PORT 4001

static void expect_port_closed(struct world *w)
{
	expect(w, .kind = "sent", .class = NULL, .cause = "port_closed",
	       .any_other = true, .any_process = true);
}

static void test_connect_refused(void **state)
{
	struct world *w = *state;
	struct actor *client = actor_new("e2e-client", 0);

	assert_int_equal(
		act(client, do_connect, w->family, HOST_LOOPBACK, CLOSED_PORT),
		-ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .cause = "connection_refused", .role = "client",
	       .state = "SYN_SENT", .any_other = true);
	expect_port_closed(w);
	expect_nothing_else(w);
}

/* No system call fails: the error comes out of SO_ERROR. */
static void test_nonblocking_connect_refused(void **state)
{
	struct world *w = *state;
	struct actor *client = actor_new("e2e-client", 0);

	assert_int_equal(act(client, do_connect_later, w->family, HOST_LOOPBACK,
			     CLOSED_PORT),
			 -ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .class = "connect",
	       .call = "connect", .error = "ECONNREFUSED",
	       .cause = "connection_refused", .role = "client",
	       .state = "SYN_SENT", .any_other = true);
	expect_port_closed(w);
	expect_nothing_else(w);
}

static void rule_rejects(struct world *w, const char *hook)
{
	struct actor *client;

	nft(-1, hook, "tcp dport 4001 reject with tcp reset");
	client = actor_new("e2e-client", 0);
	assert_int_equal(
		act(client, do_connect, w->family, HOST_LOOPBACK, CLOSED_PORT),
		-ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .cause = "firewall_reject", .role = "client", .any_other = true);
}

static void test_local_rule_rejects(void **state)
{
	rule_rejects(*state, "output");
	expect_nothing_else(*state);
}

/* As a host firewall does it: the RST leaves for the peer. */
static void test_input_rule_rejects(void **state)
{
	rule_rejects(*state, "input");
	expect_reject_sent(*state);
	expect_nothing_else(*state);
}

static void test_local_rule_rejects_established(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	char rule[80];

	snprintf(rule, sizeof(rule), "tcp dport %ld reject with tcp reset",
		 p.port);
	nft(-1, "output", rule);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "firewall_reject", .role = "client", .any_other = true);
	expect_nothing_else(w);
}

static void test_icmp_port_unreachable(void **state)
{
	struct world *w = *state;
	struct actor *client;

	nft(-1, "output",
	    "tcp dport 4001 reject with icmpx type port-unreachable");
	client = actor_new("e2e-client", 0);
	assert_int_equal(
		act(client, do_connect, w->family, HOST_LOOPBACK, CLOSED_PORT),
		-ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .role = "client", .any_other = true);
	expect_nothing_else(w);
}

static void test_router_rejects_syn(void **state)
{
	struct world *w = *state;
	struct route r = route_new(w->family);
	struct actor *client;

	nft(r.router, "forward", "tcp dport 4001 reject with tcp reset");
	client = actor_new("e2e-client", 0);
	assert_int_equal(
		act(client, do_connect, w->family, HOST_D, CLOSED_PORT),
		-ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .role = "client", .any_other = true);
	expect_reject_sent(w);
	expect_nothing_else(w);
}

static void test_router_rejects_established(void **state)
{
	struct world *w = *state;
	struct far_pair p = far_pair_new(w->family);
	char rule[80];

	snprintf(rule, sizeof(rule), "tcp dport %ld reject with tcp reset",
		 p.port);
	nft(p.route.router, "forward", rule);
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .role = "client", .any_other = true);
	expect_reject_sent(w);
	expect_nothing_else(w);
}

/* Half-open and closed-port probing from another host, as a scanner does. */
#define SCAN_PORTS 2000
#define SCAN_BATCH 50

static long do_scan(long family, long host, long first, long count)
{
	long refused = 0;

	for (long port = first; port < first + count; port++)
		refused += do_connect(family, host, port, 0) == -ECONNREFUSED;
	return refused;
}

/* RSTs that left the scanned host, and how many events tell of them. */
static int64_t sent_count(struct world *w, size_t *rows)
{
	json_t *events = events_of(w), *event;
	int64_t count = 0;
	size_t i;

	*rows = json_array_size(events);
	json_array_foreach(
		events, i,
		event) if (!strcmp(json_string_value(json_object_get(event,
								     "kind")),
				   "sent")) count +=
		json_integer_value(json_object_get(event, "count"));
	json_decref(events);
	return count;
}

/* What was only counted is told a little later. */
static size_t expect_sent_count(struct world *w, int64_t expected)
{
	int64_t end = harness_now_ms() + harness_ms(10000);
	size_t rows;

	while (harness_now_ms() < end && sent_count(w, &rows) < expected)
		harness_sleep(200);
	harness_sleep(1500);
	assert_int_equal(sent_count(w, &rows), expected);
	return rows;
}

static struct actor *scanner_new(struct world *w)
{
	int other = netns_new();

	netns_link(netns_home(), "a", host_address(w->family, HOST_A), other,
		   "b", host_address(w->family, HOST_B));
	return actor_new_in(other, "e2e-scanner", 0);
}

/*
 * The scanned host's RSTs are all counted, but they take few events of the
 * store, and one real reset in the middle of it is not lost. The scanner's own
 * refusals are alike, too: they may be folded, but each is a failed connect().
 */
static void test_port_scan_is_counted(void **state)
{
	struct world *w = *state;
	struct actor *scanner = scanner_new(w);
	struct pair p = pair_new(w->family);
	size_t rows;

	for (int i = 0; i < SCAN_PORTS; i += SCAN_BATCH) {
		assert_int_equal(act(scanner, do_scan, w->family, HOST_A,
				     2000 + i, SCAN_BATCH),
				 SCAN_BATCH);
		if (i != SCAN_PORTS / 2)
			continue;
		act(p.server, do_linger, p.s);
		act(p.server, do_close, p.s);
		assert_int_equal(act(p.client, do_read, p.c, 1), -ECONNRESET);
	}
	expect(w, .kind = "received", .by = p.client, .via = "syscall",
	       .class = "read", .call = "read", .error = "ECONNRESET",
	       .cause = "linger_zero", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .other = p.client);
	rows = expect_sent_count(w, SCAN_PORTS + 1);
	print_message("%d probes: %zu events\n", SCAN_PORTS, rows);
}

/* Over before the window of what is only counted has passed. */
static void test_short_scan_is_counted(void **state)
{
	struct world *w = *state;

	assert_int_equal(act(scanner_new(w), do_scan, w->family, HOST_A, 2000,
			     SCAN_BATCH),
			 SCAN_BATCH);
	expect_sent_count(w, SCAN_BATCH);
}

/* A router's rule answers in the name of those behind it. */
static void test_rejected_scan_is_counted(void **state)
{
	struct world *w = *state;
	struct route r = route_new(w->family);
	struct actor *scanner = actor_new_in(r.server, "e2e-scanner", 0);

	nft(r.router, "forward", "meta l4proto tcp reject with tcp reset");
	assert_int_equal(
		act(scanner, do_scan, w->family, HOST_A, 2000, SCAN_BATCH),
		SCAN_BATCH);
	expect_sent_count(w, probe_is_up(w, "nf_send_reset") ? SCAN_BATCH : 0);
}

/*
 * Rules of a bridge make their RSTs by other functions of the same modules;
 * before 5.11 by one of their own, which cannot be seen.
 */
static void test_bridge_rejects(void **state)
{
	struct world *w = *state;
	int bridge = netns_new(), server = netns_new();
	struct actor *client;

	netns_link(netns_home(), "a", host_address(w->family, HOST_A), bridge,
		   "b", NULL);
	netns_link(server, "d", host_address(w->family, HOST_B), bridge, "c",
		   NULL);
	must_in(bridge, "ip link add br0 type bridge && for i in b c; do "
			"ip link set dev $i master br0; done && "
			"ip link set dev br0 up");
	if (shell_in(bridge, "nft 'add table bridge e2e; "
			     "add chain bridge e2e c { "
			     "type filter hook prerouting priority 0; }; "
			     "add rule bridge e2e c tcp dport 4001 "
			     "reject with tcp reset'"))
		harness_skip("this kernel has no reject for bridges");
	client = actor_new("e2e-client", 0);
	assert_int_equal(
		act(client, do_connect, w->family, HOST_B, CLOSED_PORT),
		-ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .role = "client", .any_other = true);
	if (!shell_in(-1, "grep -q nf_reject_skb_v4_tcp_reset /proc/kallsyms"))
		expect_reject_sent(w);
	expect_nothing_else(w);
}

int main(void)
{
	const struct CMUnitTest refused[] = {
		BOTH(test_connect_refused),
		BOTH(test_nonblocking_connect_refused),
		BOTH(test_local_rule_rejects),
		BOTH(test_input_rule_rejects),
		BOTH(test_local_rule_rejects_established),
		BOTH(test_icmp_port_unreachable),
		BOTH(test_router_rejects_syn),
		BOTH(test_router_rejects_established),
		BOTH(test_port_scan_is_counted),
		BOTH(test_short_scan_is_counted),
		BOTH(test_rejected_scan_is_counted),
		BOTH(test_bridge_rejects),
	};

	return run_table(refused);
}
