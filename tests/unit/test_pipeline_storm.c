/* SPDX-License-Identifier: Apache-2.0 */
/* Many alike failures: few events, exact counts, no name of one that is not. */
#include "tests/unit/raw_pipeline.h"

#define NOW   RAW_START_NS
#define STORM 1000

struct storm {
	int clients, servers;	/* how many processes at each end */
	uint64_t told_after_ns; /* 0: never */
};

static void one_reset(struct line *l, const struct storm *s, uint64_t i)
{
	uint64_t ns = NOW + i * RAW_MS;
	struct rec_failure r = raw_received(2 * i + 1, ns);
	struct rec_failure t = raw_sent(2 * i + 2, ns + 9);

	r.lport = t.rport = (uint16_t)(20000 + i);
	r.owner.tgid += i % (uint64_t)s->clients;
	t.task.tgid += i % (uint64_t)s->servers;
	line_feed(l, r);
	line_feed(l, t);
}

static void told(struct line *l, const struct storm *s, uint64_t i)
{
	uint64_t ns = NOW + i * RAW_MS;
	struct rec_told t =
		raw_told(2 * i + 1, ns + s->told_after_ns, ns, -ECONNRESET);

	t.task.tgid += i % (uint64_t)s->clients;
	line_feed(l, t);
}

static struct line *storm(const struct storm *s)
{
	struct line *l = line_new();
	bool at_once = s->told_after_ns && s->told_after_ns < RAW_MS;

	for (uint64_t i = 0; i < STORM; i++) {
		pipeline_advance(l->p, NOW + i * RAW_MS);
		one_reset(l, s, i);
		if (at_once)
			told(l, s, i);
		if (i % 300 == 0)
			pipeline_flush(l->p);
	}
	line_settle(l);
	for (uint64_t i = 0; i < STORM && s->told_after_ns && !at_once; i++)
		told(l, s, i);
	pipeline_flush(l->p);
	return l;
}

static int64_t sum(const struct line *l, enum failure_kind kind)
{
	int64_t count = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->events[i].kind == kind)
			count += l->events[i].count;
	}
	return count;
}

static void check_sums(const struct line *l)
{
	assert_int_equal(sum(l, KIND_RECEIVED), STORM);
	assert_int_equal(sum(l, KIND_SENT), STORM);
	assert_int_equal(l->counted + l->folded, 2 * STORM);
}

/* Each names an event that there is, of the other kind. */
static void check_other_ends(struct line *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct event *ev = &l->events[i], *other;

		assert_true(ev->other_known);
		other = line_event(l, ev->other_event);
		if (!other)
			fail_msg("event %d names event %d, which is none",
				 (int)ev->id, (int)ev->other_event);
		assert_int_not_equal(other->kind, ev->kind);
	}
}

static void test_storm(void **state)
{
	struct storm s = {1, 1, 1000};
	struct line *l = storm(&s);

	(void)state;
	assert_int_equal(l->n, 2 * FOLD_SINGLE);
	check_sums(l);
	check_other_ends(l);
	assert_int_equal(line_stats(l).fold.folded, 2 * (STORM - FOLD_SINGLE));
	for (size_t i = 0; i < l->n; i++) {
		assert_int_equal(l->events[i].verdict.cause, CAUSE_LINGER_ZERO);
		if (l->events[i].count > 1)
			assert_int_equal(l->events[i].last_time_us -
						 l->events[i].time_us,
					 (STORM - FOLD_SINGLE) * 1000);
	}
	line_free(l);
}

/*
 * Told when all is settled, as by an idle pool: the event that counts the
 * others is amended like the rest, and keeps its count.
 */
static void test_told_late(void **state)
{
	struct storm s = {1, 1, 3600 * NSEC_PER_SEC};
	struct line *l = storm(&s);

	(void)state;
	assert_int_equal(l->n, 2 * FOLD_SINGLE);
	check_sums(l);
	for (size_t i = 0; i < l->n; i++) {
		if (l->events[i].kind == KIND_RECEIVED)
			assert_int_equal(l->events[i].syscall.errno_nr,
					 ECONNRESET);
	}
	line_free(l);
}

/* The ends fold apart: one process here, many there. */
static void test_uneven(void **state)
{
	static const struct storm uneven[] = {{1, 4, 1000}, {4, 1, 1000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uneven); i++) {
		struct line *l = storm(&uneven[i]);

		assert_int_equal(l->n, 5 * FOLD_SINGLE);
		check_sums(l);
		check_other_ends(l);
		line_free(l);
	}
}

/* What the kernel only counted counts here, too. */
static void test_kernel_counts(void **state)
{
	struct line *l = line_new();
	struct rec_failure r = raw_failure(REC_SENT, 1, NOW);

	(void)state;
	raw_turn(&r);
	r.known = KNOWN_TUPLE | KNOWN_SKB | KNOWN_REASON;
	r.state = TCP_CLOSE;
	r.role = 0;
	r.reason = RAW_NO_SOCKET;
	r.skb_flags = TH_SYN;
	for (uint64_t i = 0; i < 12; i++) {
		r.head.failure = i + 1;
		r.head.time_ns = NOW + i * RAW_MS;
		r.folded = i < 11 ? 0 : 500;
		line_feed(l, r);
	}
	line_settle(l);
	pipeline_flush(l->p);
	assert_int_equal(l->n, FOLD_SINGLE);
	assert_int_equal(sum(l, KIND_SENT), 12 + 500);
	assert_int_equal(l->counted + l->folded, 12 + 500);
	assert_int_equal(l->events[0].verdict.cause, CAUSE_PORT_CLOSED);
	line_free(l);
}

/* A minute apart they are ten events each time. */
static void test_windows(void **state)
{
	struct line *l = line_new();
	struct storm s = {1, 1, 0};

	(void)state;
	for (uint64_t i = 0; i < 60; i++) {
		one_reset(l, &s, i < 30 ? i : i + 60000);
		line_settle(l);
		pipeline_flush(l->p);
	}
	assert_int_equal(l->n, 4 * FOLD_SINGLE);
	assert_int_equal(sum(l, KIND_RECEIVED), 60);
	line_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_told_late),
		cmocka_unit_test(test_uneven),
		cmocka_unit_test(test_kernel_counts),
		cmocka_unit_test(test_windows),
	};

	return cmocka_run_group_tests_name("pipeline_storm", tests, NULL, NULL);
}
