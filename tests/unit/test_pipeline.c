/* SPDX-License-Identifier: Apache-2.0 */
/* How the records of a failure become its event. */
#include <signal.h>

#include "tests/unit/raw_pipeline.h"

#define NOW	  RAW_START_NS
#define SETTLE_NS (SETTLE_MS * RAW_MS)

/* --- both ends ------------------------------------------------------------ */

static void check_receiver(const struct event *ev, int64_t other)
{
	assert_int_equal(ev->kind, KIND_RECEIVED);
	assert_string_equal(ev->host, "host");
	assert_int_equal(ev->process.pid, RAW_CLIENT_PID);
	assert_int_equal(ev->process.via, VIA_SYSCALL);
	assert_string_equal(ev->syscall.name, "recvfrom");
	assert_int_equal(ev->syscall.class, CALL_READ);
	assert_int_equal(ev->syscall.errno_nr, ECONNRESET);
	assert_int_equal(ev->syscall.delay_us, 2000);
	assert_int_equal(ev->verdict.cause, CAUSE_LINGER_ZERO);
	assert_int_equal(ev->verdict.blame, BLAME_PEER);
	assert_int_equal(ev->other_event, other);
	assert_int_equal(ev->other_pid, RAW_SERVER_PID);
	assert_string_equal(ev->other_comm, "server");
	assert_string_equal(ev->other_did, "closed with SO_LINGER 0");
}

static void check_sender(const struct event *ev, int64_t other)
{
	assert_int_equal(ev->kind, KIND_SENT);
	assert_int_equal(ev->process.pid, RAW_SERVER_PID);
	assert_int_equal(ev->process.via, VIA_SYSCALL);
	assert_int_equal(ev->syscall.class, CALL_CLOSE);
	assert_int_equal(ev->syscall.errno_nr, NOT_KNOWN);
	assert_int_equal(ev->verdict.cause, CAUSE_LINGER_ZERO);
	assert_int_equal(ev->other_event, other);
	assert_int_equal(ev->other_pid, RAW_CLIENT_PID);
	assert_string_equal(ev->other_did, "received the RST");
}

static void test_both_ends(void **state)
{
	(void)state;
	/* whichever record comes first */
	for (int turn = 0; turn < 2; turn++) {
		struct line *l = line_new();

		if (turn)
			line_sent(l, 2, NOW);
		line_received(l, 1, NOW + 7);
		if (!turn)
			line_sent(l, 2, NOW + 9);
		line_told(l, 1, NOW + 2 * RAW_MS, -ECONNRESET);
		line_settle(l);
		assert_int_equal(l->n, 2);
		assert_int_equal(l->calls, 2);
		assert_int_equal(l->counted, 2);
		check_receiver(line_event(l, turn ? 2 : 1), turn ? 1 : 2);
		check_sender(line_event(l, turn ? 1 : 2), turn ? 2 : 1);
		line_free(l);
	}
}

static void test_separate_netns(void **state)
{
	(void)state;
	for (int separate = 0; separate <= 1; separate++) {
		struct line *l = line_new_from(&raw_context, separate, 1);
		struct rec_failure r = raw_sent(2, NOW);

		r.netns++;
		line_received(l, 1, NOW);
		line_feed(l, r);
		line_settle(l);
		assert_int_equal(l->n, 2);
		assert_int_equal(line_event(l, 1)->other_known, !separate);
		assert_int_equal(line_event(l, 2)->other_known, !separate);
		line_free(l);
	}
}

/* --- false received events ------------------------------------------------ */

static struct rec_failure abort_on_data(uint64_t id, uint64_t ns,
					uint64_t voids)
{
	struct rec_failure r = raw_failure(REC_SENT, id, ns);

	r.known |= KNOWN_REASON | KNOWN_SKB | KNOWN_OWNER;
	r.owner = raw_client(HOW_CONNECT, "connect");
	r.reason = RAW_ABORT_ON_DATA;
	r.state = TCP_CLOSE;
	r.skb_len = 3;
	r.voids = voids;
	return r;
}

static void test_voided(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = abort_on_data(2, NOW + 1, 1);

	(void)state;
	line_received(l, 1, NOW);
	line_feed(l, r);
	line_settle(l);
	assert_int_equal(l->n, 1);
	assert_int_equal(l->events[0].kind, KIND_SENT);
	assert_int_equal(l->events[0].verdict.cause, CAUSE_LATE_DATA);
	assert_int_equal(l->counted, 1);
	assert_int_equal(line_stats(l).voided, 1);
	assert_int_equal(line_stats(l).join.open, 0);
	line_free(l);
}

/* The other end's real one stays, and is not joined with the false one. */
static void test_voided_has_other_end(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = abort_on_data(2, NOW + 1, 1), hit;

	(void)state;
	line_received(l, 1, NOW);
	line_feed(l, r);
	hit = raw_received(3, NOW + 2);
	raw_turn(&hit);
	hit.owner = raw_server(HOW_LISTEN, "listen");
	line_feed(l, hit);
	line_settle(l);
	assert_int_equal(l->n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(l->events[i].other_event, l->events[1 - i].id);
	line_free(l);
}

static void test_voided_too_late(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = abort_on_data(2, NOW + SETTLE_NS, 1);

	(void)state;
	line_received(l, 1, NOW);
	pipeline_advance(l->p, NOW + SETTLE_NS);
	assert_int_equal(l->n, 1); /* handed over: it stands */
	line_feed(l, r);
	line_settle(l);
	assert_int_equal(l->n, 2);
	assert_int_equal(line_stats(l).voided, 0);
	line_free(l);
}

static void test_voids_only_received(void **state)
{
	struct line *l = line_new();
	struct rec_failure hangup = raw_hangup(1, NOW, NOW - RAW_MS);
	struct rec_failure r = abort_on_data(2, NOW + 1, 1);

	(void)state;
	line_feed(l, hangup);
	line_feed(l, r);
	r.head.failure = 3;
	r.voids = 77; /* none that is here */
	line_feed(l, r);
	line_settle(l);
	assert_int_equal(l->n, 3);
	assert_int_equal(line_stats(l).voided, 0);
	line_free(l);
}

/* --- hang-ups ------------------------------------------------------------- */

static void test_hangup_then_reset(void **state)
{
	(void)state;
	/* the RST comes before or after it is settled */
	for (int late = 0; late < 2; late++) {
		struct line *l = line_new();
		struct rec_failure h = raw_hangup(1, NOW, NOW - RAW_MS);
		struct rec_failure r = raw_received(2, NOW + RAW_MS);

		line_feed(l, h);
		if (late)
			line_settle(l);
		r.flags = SOCKF_AGAIN;
		r.voids = 1;
		line_feed(l, r);
		line_told(l, 1, NOW + 2 * RAW_MS, -EPIPE);
		line_settle(l);
		assert_int_equal(l->n, 1);
		assert_int_equal(l->counted, 1);
		assert_int_equal(l->events[0].kind, KIND_HANGUP);
		assert_string_equal(l->events[0].syscall.name, "recvfrom");
		assert_int_equal(l->events[0].syscall.errno_nr, NOT_KNOWN);
		line_free(l);
	}
}

/* A connection that failed before, in a way that is no hang-up's. */
static void test_reset_again(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = raw_received(2, NOW + RAW_MS);

	(void)state;
	r.flags = SOCKF_AGAIN;
	r.voids = 77; /* not here any more */
	line_feed(l, r);
	line_settle(l);
	assert_int_equal(l->n, 1);
	assert_int_equal(l->events[0].kind, KIND_RECEIVED);
	line_free(l);
}

/* --- deaths --------------------------------------------------------------- */

static struct event death(bool oom, uint32_t victim, uint32_t exit_code)
{
	struct line *l = line_new();
	struct rec_failure sent = raw_sent(1, NOW + 2);
	struct rec_exit mark =
		raw_exit(REC_OOM, NOW - RAW_MS, raw_task(victim, "", 0, NULL));
	struct rec_exit end =
		raw_exit(REC_EXIT, NOW, raw_server(HOW_CURRENT, NULL));
	static struct event ev;

	raw_ends_by(&end.task, exit_code);
	raw_ends_by(&sent.task, exit_code);
	if (oom)
		line_feed(l, mark);
	line_feed(l, end);
	line_feed(l, sent);
	line_settle(l);
	assert_int_equal(l->n, 1);
	ev = l->events[0];
	line_free(l);
	assert_int_equal(ev.verdict.cause, CAUSE_PROCESS_EXIT);
	assert_int_equal(ev.syscall.class, CALL_EXIT);
	assert_int_equal(ev.process.pid, RAW_SERVER_PID);
	return ev;
}

static bool says(const struct event *ev, const char *what)
{
	for (unsigned int i = 0; i < ev->verdict.evidences; i++) {
		if (strstr(ev->verdict.evidence[i].fact, what))
			return true;
	}
	return false;
}

static void test_oom(void **state)
{
	struct event ev = death(true, RAW_SERVER_PID, SIGKILL);

	(void)state;
	assert_true(says(&ev, "OOM"));
	ev = death(true, RAW_SERVER_PID + 1, SIGKILL); /* another's */
	assert_false(says(&ev, "OOM"));
	assert_true(says(&ev, "signal"));
	ev = death(false, 0, SIGKILL);
	assert_false(says(&ev, "OOM"));
	ev = death(true, RAW_SERVER_PID, 3 << 8); /* it exited by itself */
	assert_false(says(&ev, "OOM"));
	assert_true(says(&ev, "status 3"));
}

static void test_killed_at_other_end(void **state)
{
	struct line *l = line_new();
	struct rec_failure sent = raw_sent(2, NOW + 1);

	(void)state;
	raw_ends_by(&sent.task, SIGKILL);
	line_received(l, 1, NOW);
	line_feed(l, sent);
	line_settle(l);
	assert_int_equal(line_event(l, 1)->verdict.cause, CAUSE_PROCESS_EXIT);
	assert_string_equal(line_event(l, 1)->other_did,
			    "was killed by signal 9");
	line_free(l);
}

/* --- time, ids, foreign bytes --------------------------------------------- */

static void test_due(void **state)
{
	struct line *l = line_new();

	(void)state;
	assert_int_equal(pipeline_due_ns(l->p), 0);
	line_received(l, 1, NOW);
	assert_int_equal(pipeline_due_ns(l->p), NOW + SETTLE_NS);
	pipeline_advance(l->p, NOW + SETTLE_NS - 1);
	assert_int_equal(l->n, 0);
	pipeline_advance(l->p, NOW + SETTLE_NS);
	assert_int_equal(l->n, 1);
	assert_int_equal(pipeline_due_ns(l->p), 0);
	line_free(l);
}

static void test_first_id(void **state)
{
	static const int64_t first[] = {-4, 0, 1, 4711, 1ll << 40};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		struct line *l = line_new_from(&raw_context, false, first[i]);
		int64_t from = first[i] > 0 ? first[i] : 1;

		line_received(l, 1, NOW);
		line_settle(l);
		line_received(l, 2, NOW + NSEC_PER_SEC);
		line_settle(l);
		assert_int_equal(l->events[0].id, from);
		assert_int_equal(l->events[1].id, from + 1);
		line_free(l);
	}
}

static void test_foreign(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = raw_received(1, NOW);
	struct rec_told t = raw_told(1, NOW, NOW, -1);

	(void)state;
	for (size_t size = 0; size < sizeof(r); size++)
		pipeline_feed(l->p, &r, size);
	r.head.kind = REC_KINDS;
	line_feed(l, r);
	t.head.kind = REC_SENT;
	line_feed(l, t);
	line_settle(l);
	assert_int_equal(l->calls, 0);
	assert_int_equal(line_stats(l).records, sizeof(r) + 2);
	assert_int_equal(line_stats(l).bad_records, sizeof(r) + 2);
	assert_int_equal(line_stats(l).join.open, 0);
	line_free(l);
}

/* Any bytes in a record of the right size: no crash, and the ids stay good. */
static void test_garbage(void **state)
{
	struct line *l = line_new();
	union record rec;
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 100; i++) {
		uint8_t *bytes = (uint8_t *)&rec;
		static const uint16_t kinds[] = {REC_RECEIVED, REC_SENT,
						 REC_ERROR, REC_HANGUP};

		for (size_t b = 0; b < sizeof(rec); b++) {
			random = random * 1664525 + 1013904223;
			bytes[b] = (uint8_t)(random >> 24);
		}
		rec.head.kind = kinds[i % ARRAY_SIZE(kinds)];
		rec.head.size = sizeof(rec.failure);
		pipeline_feed(l->p, &rec, sizeof(rec.failure));
	}
	line_settle(l);
	assert_int_equal(line_stats(l).bad_records, 0);
	assert_int_equal(l->counted > 0, 1);
	line_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_separate_netns),
		cmocka_unit_test(test_voided),
		cmocka_unit_test(test_voided_has_other_end),
		cmocka_unit_test(test_voided_too_late),
		cmocka_unit_test(test_voids_only_received),
		cmocka_unit_test(test_hangup_then_reset),
		cmocka_unit_test(test_reset_again),
		cmocka_unit_test(test_oom),
		cmocka_unit_test(test_killed_at_other_end),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_first_id),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
