/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include <string.h>

#include "user/explain/history.h"
#include "user/explain/sample.h"

#define SECOND 1000000ll

static int setup(void **state)
{
	*state = history_new(8);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	history_free(*state);
	return 0;
}

static struct facts failure(uint64_t id, int64_t seconds)
{
	struct facts f;

	facts_init(&f);
	f.failure = id;
	f.time_us = 1000 * SECOND + seconds * SECOND;
	f.kind = KIND_RECEIVED;
	f.tuple_known = true;
	f.family = 4;
	f.netns = 1;
	f.role = ROLE_CLIENT;
	f.state = TCP_ESTABLISHED;
	f.peer.ip[0] = 10;
	f.peer.port = 80;
	f.local.port = (uint16_t)(40000 + id);
	f.sent_bytes = f.received_bytes = 10;
	f.age_ms = 100000 + (int64_t)id * 7000;
	f.idle_ms = 5000;
	f.unsolicited = true;
	f.answered = TRI_YES;
	return f;
}

static void learn(struct history *h, const struct facts *f, enum cause cause)
{
	struct verdict v = {.cause = cause};

	history_learn(h, f, &v);
}

static struct past look(const struct history *h, const struct facts *f)
{
	struct past past;

	history_look(h, f, &past);
	return past;
}

static void test_empty(void **state)
{
	struct facts f = failure(1, 0);
	struct past past = look(*state, &f);

	assert_int_equal(past.failures_60s, 0);
	assert_int_equal(past.idle.n, 0);
	assert_false(past.peer_went_on);
}

static void test_windows_leave_itself_out(void **state)
{
	int64_t at[] = {0, 0, -5, -40, -100};
	struct facts now = failure(1, 0);
	struct past past;

	for (unsigned int i = 0; i < 5; i++) {
		struct facts f = failure(1 + i, at[i]);

		learn(*state, &f, CAUSE_UNKNOWN);
	}
	past = look(*state, &now);
	assert_int_equal(past.failures_1s, 1);
	assert_int_equal(past.failures_10s, 2);
	assert_int_equal(past.failures_60s, 3);
}

static void test_idle_cluster(void **state)
{
	struct facts f;
	struct past past;

	for (unsigned int i = 1; i <= 3; i++) {
		f = failure(i, -60 + 10 * (int64_t)i);
		f.idle_ms = 5000 + 10 * (int64_t)i;
		learn(*state, &f, CAUSE_UNKNOWN);
	}
	f = failure(9, -10);
	f.idle_ms = 30000;
	learn(*state, &f, CAUSE_UNKNOWN);
	f = failure(10, 0);
	f.idle_ms = 5040;
	past = look(*state, &f);
	assert_int_equal(past.idle.n, 4);
	assert_true(past.idle.seconds > 5.0 && past.idle.seconds < 5.05);
	assert_true(past.idle.spread < 0.05);
	/* ages differ by far more than any timer's blur */
	assert_int_equal(past.age.n, 0);
}

static void test_one_burst_is_one_witness(void **state)
{
	struct facts f;

	for (unsigned int i = 1; i <= 4; i++) {
		f = failure(i, -30);
		learn(*state, &f, CAUSE_UNKNOWN);
	}
	f = failure(10, 0);
	assert_int_equal(look(*state, &f).idle.n, 2);
	f = failure(11, -30);
	assert_int_equal(look(*state, &f).idle.n, 0);
}

static void test_refusals(void **state)
{
	struct facts f = failure(1, 5), live = failure(2, 0);

	f.kind = KIND_REFUSED;
	f.state = TCP_SYN_SENT;
	learn(*state, &f, CAUSE_CONNECTION_REFUSED);
	assert_int_equal(look(*state, &live).refused, 1);
	live.time_us -= 60 * SECOND;
	assert_int_equal(look(*state, &live).refused, 0);
	live.time_us += 120 * SECOND;
	assert_int_equal(look(*state, &live).refused, 0);
}

/* Ended in one moment: idle times and ends tell a death from a timer. */
static void test_together(void **state)
{
	struct past past;
	struct facts f;

	for (unsigned int i = 1; i <= 2; i++) {
		f = failure(i, 0);
		f.time_us += 20000 * (int64_t)i;
		f.idle_ms = 5000 + 1500 * (int64_t)i;
		learn(*state, &f, CAUSE_UNKNOWN);
	}
	f = failure(3, 0);
	past = look(*state, &f);
	assert_int_equal(past.together, 2);
	assert_int_equal(past.together_idle_ms, 3000);
	assert_int_equal(past.together_end_ms, 40);
	assert_int_equal(past.together_busy, 0);
	f.idle_ms = 3;
	assert_int_equal(look(*state, &f).together_busy, 1);
}

static void test_forgotten(void **state)
{
	struct facts f = failure(1, -60);

	f.rst_timestamps = TRI_NO;
	f.peer_fin = TRI_NO;
	learn(*state, &f, CAUSE_UNKNOWN);
	f = failure(2, 0);
	f.age_ms = 30000; /* made after the other had failed */
	assert_int_equal(look(*state, &f).forgotten, 1);
	f.age_ms = 90000;
	assert_int_equal(look(*state, &f).forgotten, 0);
}

static void test_deaths_before(void **state)
{
	struct facts f = failure(1, -3);

	learn(*state, &f, CAUSE_PROCESS_EXIT);
	f = failure(2, -2);
	learn(*state, &f, CAUSE_LINGER_ZERO);
	f = failure(3, 0);
	assert_int_equal(history_live_before(*state, &f), 2);
	assert_int_equal(history_died_before(*state, &f), 1);
	f.time_us += 20 * SECOND;
	assert_int_equal(history_live_before(*state, &f), 0);
}

static void test_survived_pause(void **state)
{
	struct facts f = failure(1, -3);

	f.worked_idle_ms = 7500;
	learn(*state, &f, CAUSE_UNKNOWN);
	f = failure(2, 0);
	assert_true(look(*state, &f).longest_success_s > 7.4);
}

/* A service that sends RSTs needs no place for each port of its clients. */
static void test_senders_share_a_place(void **state)
{
	struct history_stats stats;

	for (unsigned int i = 1; i <= 5; i++) {
		struct facts f = failure(i, 0);

		f.kind = KIND_SENT;
		f.role = ROLE_UNKNOWN;
		f.peer.port = (uint16_t)(50000 + i);
		learn(*state, &f, CAUSE_LATE_DATA);
	}
	history_get_stats(*state, &stats);
	assert_int_equal(stats.places, 1);
}

static void test_destinations_are_apart(void **state)
{
	struct facts f = failure(1, 0), other = failure(2, 0);

	learn(*state, &f, CAUSE_UNKNOWN);
	other.netns = 2;
	assert_int_equal(look(*state, &other).failures_10s, 0);
	other = failure(2, 0);
	other.peer.port = 81;
	assert_int_equal(look(*state, &other).failures_10s, 0);
	other = failure(2, 0);
	other.tuple_known = false;
	assert_int_equal(look(*state, &other).failures_10s, 0);
	other = failure(2, 0);
	assert_int_equal(look(*state, &other).failures_10s, 1);
}

static void test_bounded(void **state)
{
	struct history_stats stats;
	struct facts f = failure(1, 0);

	learn(*state, &f, CAUSE_UNKNOWN);
	for (unsigned int i = 0; i < 20; i++) {
		struct facts more = failure(2 + i, 0);

		more.peer.port = (uint16_t)(100 + i);
		learn(*state, &more, CAUSE_UNKNOWN);
		if (i < 7) /* used again: it stays the longest */
			learn(*state, &f, CAUSE_UNKNOWN);
	}
	history_get_stats(*state, &stats);
	assert_int_equal(stats.places, 8);
	assert_int_equal(stats.evicted, 13);
	f.failure = 99;
	assert_int_equal(look(*state, &f).failures_10s, 0);
}

static void test_ports_hit(void **state)
{
	struct facts f = failure(1, 0);

	f.kind = KIND_SENT;
	for (uint16_t port = 1; port <= 5; port++) {
		f.local.port = port;
		learn(*state, &f, CAUSE_PORT_CLOSED);
		learn(*state, &f, CAUSE_PORT_CLOSED);
	}
	f.local.port = 6;
	assert_int_equal(history_ports_hit(*state, &f), 6);
	f.time_us += 60 * SECOND;
	assert_int_equal(history_ports_hit(*state, &f), 1);
	f.peer.ip[3] = 9;
	assert_int_equal(history_ports_hit(*state, &f), 0);
}

static void test_period(void **state)
{
	struct facts f;

	for (unsigned int i = 0; i < 5; i++) {
		f = failure(i + 1, 2 * (int64_t)i);
		f.sent_bytes = f.received_bytes = 0;
		learn(*state, &f, CAUSE_HEALTH_CHECK);
	}
	f.failure = 50;
	f.time_us += 2 * SECOND;
	assert_int_equal(look(*state, &f).periods, 3);
	assert_true(look(*state, &f).period_s == 2);
	f.time_us += SECOND / 2;
	assert_int_equal(look(*state, &f).periods, 0);
}

static void test_peer_went_on(void **state)
{
	struct facts reset = failure(1, 0), after = failure(2, 1);

	after.kind = KIND_SENT;
	after.skb_known = true;
	after.skb_bytes = 100;
	after.local.port = reset.local.port;
	learn(*state, &after, CAUSE_LATE_DATA);
	assert_true(look(*state, &reset).peer_went_on);
	reset.local.port++;
	assert_false(look(*state, &reset).peer_went_on);
}

static void test_deaths(void **state)
{
	struct facts f = failure(1, 0);
	struct fact_task task = f.owner;

	task.pid = 7;
	task.start_ns = 11;
	task.exit_signal = 9;
	history_exit(*state, &task, f.time_us);
	assert_int_equal(history_death(*state, &task, f.time_us)->exit_signal,
			 9);
	assert_null(history_death(*state, &task, f.time_us + 120 * SECOND));
	task.start_ns = 12; /* the pid was given again */
	assert_null(history_death(*state, &task, f.time_us));
	task.pid = NOT_KNOWN;
	assert_null(history_death(*state, &task, f.time_us));
}

static void test_success(void **state)
{
	struct facts f = failure(1, 0);

	history_success(*state, &f, 4800);
	history_success(*state, &f, 4000);
	assert_int_equal(look(*state, &f).successes, 2);
	assert_true(look(*state, &f).longest_success_s == 4.8);
}

static void test_timer_of_facts(void **state)
{
	struct facts f = failure(1, 0);

	(void)state;
	f.unsolicited = false;
	f.since_request_ms = 1;
	assert_int_equal(facts_idle_at_end_ms(&f), 5000);
	f.peer_fin = TRI_YES;
	f.peer_fin_before_ms = 1001;
	assert_int_equal(facts_idle_at_end_ms(&f), 4000);
	f.peer_fin_before_ms = 0; /* it crossed our request */
	assert_int_equal(facts_idle_at_end_ms(&f), 5000);
	f.idle_ms = NOT_KNOWN;
	assert_int_equal(facts_idle_at_end_ms(&f), NOT_KNOWN);
	f = failure(1, 0);
	f.answered = TRI_NO; /* an answer was overdue */
	f.since_send_ms = 3000;
	f.unacked_bytes = 0;
	f.idle_ms = 10;
	assert_int_equal(facts_timer_ms(&f), 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),	   TEST(test_windows_leave_itself_out),
		TEST(test_idle_cluster),   TEST(test_one_burst_is_one_witness),
		TEST(test_refusals),	   TEST(test_destinations_are_apart),
		TEST(test_bounded),	   TEST(test_ports_hit),
		TEST(test_period),	   TEST(test_peer_went_on),
		TEST(test_deaths),	   TEST(test_success),
		TEST(test_timer_of_facts), TEST(test_together),
		TEST(test_forgotten),	   TEST(test_deaths_before),
		TEST(test_survived_pause), TEST(test_senders_share_a_place),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
