// SPDX-License-Identifier: Apache-2.0
/*
 * The RST itself: its TTL, window and numbers beside those of the peer's first
 * packets, where a fentry or kprobe shows them, or --packet on does.
 */
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/route.h"

/* A router takes one of the server's 64; its own packets come with all. */
#define HOP_TTL	   63
#define ROUTER_TTL 64
#define FORGED_TTL 200
#define FORGED_ACK 12345

static json_t *received(struct world *w, const struct far_pair *p,
			const char *cause)
{
	json_t *event = event_now(
		w,
		expect(w, .kind = "received", .by = p->client, .via = "syscall",
		       .class = "read", .call = "read", .error = "ECONNRESET",
		       .cause = cause, .role = "client", .any_other = true));

	expect_nothing_else(w);
	return event;
}

static void check_packet(const json_t *event, int ttl, bool ack)
{
	const json_t *packet = json_object_get(event, "packet");

	assert_int_equal(json_integer_value(json_object_get(packet, "ttl")),
			 ttl);
	assert_int_equal(
		json_integer_value(json_object_get(packet, "handshake_ttl")),
		HOP_TTL);
	assert_int_equal(json_is_true(json_object_get(packet, "ack")), ack);
	assert_true(json_is_integer(json_object_get(packet, "seq_ahead")));
	assert_int_equal(
		json_integer_value(json_object_get(packet, "seq_ahead")), 0);
}

/* Whether a fact with that word in it supports the verdict, or speaks against
 * it. */
static bool has_evidence(const json_t *event, const char *word)
{
	const json_t *all = json_object_get(json_object_get(event, "cause"),
					    "evidence"),
		     *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (strstr(json_string_value(json_object_get(one, "fact")),
			   word))
			return true;
	}
	return false;
}

static void exchange(const struct far_pair *p)
{
	assert_int_equal(act(p->client, do_write, p->c, 10), 10);
	assert_int_equal(act(p->server, do_read, p->s, 10), 10);
	assert_int_equal(act(p->server, do_write, p->s, 10), 10);
	assert_int_equal(act(p->client, do_read, p->c, 10), 10);
}

static void test_peer_resets(void **state)
{
	struct world *w = *state;
	struct far_pair p = far_pair_new(w->family);
	json_t *event;

	exchange(&p);
	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	expect(w, .kind = "sent", .by = p.server, .via = "syscall",
	       .class = "close", .call = "close", .cause = "linger_zero",
	       .any_other = true);
	event = received(w, &p, "linger_zero");
	check_packet(event, HOP_TTL, true);
	assert_true(json_integer_value(json_object_get(
			    json_object_get(event, "packet"), "window")) > 0);
	json_decref(event);
}

static void test_router_rejects(void **state)
{
	struct world *w = *state;
	struct far_pair p = far_pair_new(w->family);
	json_t *event;

	exchange(&p);
	nft(p.route.router, "forward",
	    "meta l4proto tcp reject with tcp reset");
	assert_int_equal(act(p.client, do_write, p.c, 10), 10);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	expect_reject_sent(w);
	event = received(w, &p, "firewall_reject");
	check_packet(event, ROUTER_TTL, false);
	json_decref(event);
}

/* Somebody on the way ends it in the server's name. */
static void test_forged(void **state)
{
	struct world *w = *state;
	struct far_pair p = far_pair_new(w->family);
	struct actor *forger;
	json_t *event;
	long next, ours;

	exchange(&p);
	forger = actor_new_in(p.route.router, "e2e-forger", 0);
	next = act(p.client, do_receive_next, p.c);
	ours = act(p.client, do_port, p.c);
	assert_true(next >= 0 && ours > 0);
	assert_true(act(forger, do_forge_rst, FORGED_PORTS(p.port, ours), next,
			FORGED_ACK, FORGED_TTL) > 0);
	harness_sleep(50);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	event = received(w, &p, "middlebox_injected");
	check_packet(event, FORGED_TTL, true);
	assert_true(has_evidence(event, "TTL 200"));
	assert_true(has_evidence(event, "acknowledges what we never sent"));
	json_decref(event);
}

/* --- RSTs that end nothing --------------------------------------------------
 */

#define FORGED 20

static int64_t ignored(const struct world *w, const char *why)
{
	json_t *all = doctor(w), *n;
	int64_t value;

	n = json_object_get(
		json_object_get(json_object_get(all, "daemon"), "ignored"),
		why);
	value = json_is_integer(n) ? json_integer_value(n) : -1;
	json_decref(all);
	return value;
}

/* The daemon notes its counters every few seconds. */
static void wait_ignored(const struct world *w, const char *why, int64_t least)
{
	int64_t end = harness_now_ms() + harness_ms(10000), have = -1;

	while (have < least && harness_now_ms() < end) {
		harness_sleep(200);
		have = ignored(w, why);
	}
	if (have < least)
		fail_msg("%s: %lld, not %lld", why, (long long)have,
			 (long long)least);
}

static void test_ignored_are_counted(void **state)
{
	struct world *w = *state;
	struct far_pair p = far_pair_new(w->family);
	struct actor *forger;
	int64_t window = ignored(w, "out_of_window");
	int64_t challenged = ignored(w, "challenged");
	int64_t no_socket = ignored(w, "no_socket");
	long next, ours;

	if (window < 0)
		harness_skip("this kernel does not say why it drops a segment");
	exchange(&p);
	forger = actor_new_in(p.route.router, "e2e-forger", 0);
	next = act(p.client, do_receive_next, p.c);
	ours = act(p.client, do_port, p.c);
	for (int i = 0; i < FORGED; i++) {
		act(forger, do_forge_rst, FORGED_PORTS(p.port, ours), next + 1,
		    -1, HOP_TTL);
		act(forger, do_forge_rst, FORGED_PORTS(p.port, ours),
		    next + (1 << 30), -1, HOP_TTL);
		act(forger, do_forge_rst, FORGED_PORTS(p.port, 9), next, -1,
		    HOP_TTL);
	}
	exchange(&p); /* it lives */
	wait_ignored(w, "out_of_window", window + FORGED);
	wait_ignored(w, "challenged", challenged + FORGED);
	wait_ignored(w, "no_socket", no_socket + FORGED);
	expect_nothing_else(w);
}

/* --- without being asked to --------------------------------------------------
 */

/* Nothing that each packet would pay for: what is not seen is null. */
static void test_not_seen_is_null(void **state)
{
	struct world *w = *state;
	struct pair p = pair_new(w->family);
	json_t *event;

	if (probe_is_up(w, "tcp_reset"))
		harness_skip("this kernel shows the packet without --packet");
	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	event = event_now(w, expect(w, .kind = "received", .by = p.client,
				    .class = "read", .call = "read",
				    .error = "ECONNRESET",
				    .cause = "linger_zero", .other = p.server));
	assert_true(json_is_null(json_object_get(event, "packet")));
	json_decref(event);
}

static void if_seen(void **state, void (*test)(void **state))
{
	if (!probe_is_up(*state, "tcp_reset"))
		harness_skip("tracepoints alone show no packet");
	test(state);
}

static void test_free_peer_resets(void **state)
{
	if_seen(state, test_peer_resets);
}

static void test_free_router_rejects(void **state)
{
	if_seen(state, test_router_rejects);
}

static void test_free_forged(void **state)
{
	if_seen(state, test_forged);
}

static int setup_packet_on(void **state)
{
	static const char *const on[] = {"--packet", "on", NULL};

	return setup_program_with(state, on);
}

static int setup_kprobes(void **state)
{
	static const char *const only[] = {"--methods",
					   "tp_btf,raw_tp,kprobe,iter", NULL};

	return setup_program_with(state, only);
}

int main(void)
{
	const struct CMUnitTest asked[] = {
		BOTH(test_peer_resets),
		BOTH(test_router_rejects),
		IPV4(test_forged),
		IPV4(test_ignored_are_counted),
	};
	const struct CMUnitTest unasked[] = {
		IPV4(test_not_seen_is_null),
		BOTH(test_free_peer_resets),
		BOTH(test_free_router_rejects),
		IPV4(test_free_forged),
	};
	int failed;

	cmocka_set_test_filter(getenv("E2E_ONLY"));
	failed = cmocka_run_group_tests_name("packet on", asked,
					     setup_packet_on, teardown_program);
	failed += cmocka_run_group_tests_name("by default", unasked,
					      setup_program, teardown_program);
	return failed + cmocka_run_group_tests_name("by kprobes", unasked,
						    setup_kprobes,
						    teardown_program);
}
