/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/raw.h"
#include "user/attribute/join.h"

#define NOW	RAW_START_NS
#define SETTLED (NOW + SETTLE_MS * RAW_MS)

static struct failure *add(struct join *j, const struct rec_failure *rec)
{
	struct failure *f = join_new_failure(j);

	assert_non_null(f);
	record_facts(rec, &raw_context, &f->facts);
	join_add(j, f);
	return f;
}

static struct failure *add_received(struct join *j, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_received(id, ns);

	return add(j, &r);
}

static struct failure *add_sent(struct join *j, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_sent(id, ns);

	return add(j, &r);
}

static struct join_stats stats_of(const struct join *j)
{
	struct join_stats stats;

	join_get_stats(j, &stats);
	return stats;
}

static void test_new(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *f = add_received(j, 1, NOW);

	(void)state;
	f->voided = f->folded = f->stands = true;
	f->event = 5;
	join_settled(j, f, false);
	f = join_new_failure(j); /* the same memory, like new */
	assert_int_equal(f->event, NOT_KNOWN);
	assert_false(f->settled || f->folded || f->voided || f->stands);
	facts_init(&f->facts);
	join_add(j, f);
	join_free(j);
	join_free(NULL);
}

static void test_find(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *a = add_received(j, 1, NOW);
	struct failure *b = add_received(j, 1ull << 50, NOW);

	(void)state;
	assert_ptr_equal(join_find(j, 1), a);
	assert_ptr_equal(join_find(j, 1ull << 50), b);
	assert_null(join_find(j, 2));
	assert_null(join_find(j, 0));
	join_settled(j, a, true);
	assert_ptr_equal(join_find(j, 1), a);
	join_settled(j, b, false);
	assert_null(join_find(j, 1ull << 50));
	join_free(j);
}

static void test_due(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *a, *b;

	(void)state;
	assert_null(join_next_due(j, UINT64_MAX));
	assert_int_equal(join_next_due_ns(j), 0);
	a = add_received(j, 1, NOW);
	b = add_received(j, 2, NOW + 7);
	assert_int_equal(join_next_due_ns(j), SETTLED);
	assert_null(join_next_due(j, SETTLED - 1));
	assert_ptr_equal(join_next_due(j, SETTLED), a);
	join_settled(j, a, true);
	assert_true(a->settled);
	assert_int_equal(join_next_due_ns(j), SETTLED + 7);
	assert_null(join_next_due(j, SETTLED));
	assert_ptr_equal(join_next_due(j, UINT64_MAX), b);
	join_settled(j, b, false);
	assert_null(join_next_due(j, UINT64_MAX));
	assert_int_equal(join_next_due_ns(j), 0);
	join_free(j);
}

static void test_stats(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *a = add_received(j, 1, NOW);
	struct failure *b = add_received(j, 2, NOW);

	(void)state;
	assert_int_equal(stats_of(j).open, 2);
	join_settled(j, a, true);
	assert_int_equal(stats_of(j).open, 2);
	join_settled(j, b, false);
	assert_int_equal(stats_of(j).open, 1);
	assert_int_equal(stats_of(j).unmatched, 0);
	join_count_unmatched(j);
	assert_int_equal(stats_of(j).unmatched, 1);
	assert_int_equal(stats_of(j).evicted, 0);
	join_free(j);
}

/* Of those that stay the oldest goes; those that wait are never dropped. */
static void test_eviction(void **state)
{
	struct join *j = join_new(3, false);

	(void)state;
	for (uint64_t id = 1; id <= 5; id++)
		join_settled(j, add_received(j, id, NOW), true);
	for (uint64_t id = 11; id <= 20; id++)
		add_received(j, id, NOW);
	assert_null(join_find(j, 1));
	assert_null(join_find(j, 2));
	for (uint64_t id = 3; id <= 5; id++)
		assert_non_null(join_find(j, id));
	for (uint64_t id = 11; id <= 20; id++)
		assert_non_null(join_find(j, id));
	assert_int_equal(stats_of(j).evicted, 2);
	assert_int_equal(stats_of(j).open, 13);
	join_free(j);
}

static void test_other_end(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *received = add_received(j, 1, NOW);
	struct failure *sent;

	(void)state;
	assert_null(join_other_end(j, received)); /* not even itself */
	sent = add_sent(j, 2, NOW + 5);
	assert_ptr_equal(join_other_end(j, received), sent);
	assert_ptr_equal(join_other_end(j, sent), received);
	join_settled(j, sent, true);
	assert_ptr_equal(join_other_end(j, received), sent);
	sent->voided = true;
	assert_null(join_other_end(j, received));
	sent->voided = false;
	received->facts.tuple_known = false;
	assert_null(join_other_end(j, received));
	join_free(j);
}

/* What one record has to differ in to be of another connection. */
static void not_joined(const struct rec_failure *sent)
{
	struct join *j = join_new(0, false);
	struct failure *received = add_received(j, 1, NOW);
	struct failure *other = add(j, sent);

	assert_null(join_other_end(j, received));
	assert_null(join_other_end(j, other));
	join_free(j);
}

static void test_no_other_end(void **state)
{
	struct rec_failure r = raw_sent(2, NOW);

	(void)state;
	r.lport++;
	not_joined(&r);
	r = raw_sent(2, NOW);
	r.rport++;
	not_joined(&r);
	r = raw_sent(2, NOW);
	r.raddr[15] = 1;
	not_joined(&r);
	r = raw_sent(2, NOW);
	r.family = 6;
	not_joined(&r);
	r = raw_sent(2, NOW);
	raw_turn(&r); /* the same end */
	not_joined(&r);
	r = raw_received(2, NOW);
	raw_turn(&r); /* two that were both told */
	not_joined(&r);
}

/* The port may have been used anew. */
static void test_other_end_in_time(void **state)
{
	struct rec_failure r = raw_sent(2, NOW + NSEC_PER_SEC);
	struct join *j = join_new(0, false);
	struct failure *received = add_received(j, 1, NOW);

	(void)state;
	assert_ptr_equal(join_other_end(j, add(j, &r)), received);
	join_free(j);
	r.head.time_ns++;
	not_joined(&r);
	r.head.time_ns = NOW - NSEC_PER_SEC - 1;
	not_joined(&r);
}

static void test_separate_netns(void **state)
{
	(void)state;
	for (int separate = 0; separate <= 1; separate++) {
		struct join *j = join_new(0, separate);
		struct failure *received = add_received(j, 1, NOW);
		struct rec_failure r = raw_sent(2, NOW);
		struct failure *same = add(j, &r), *far;

		assert_ptr_equal(join_other_end(j, received), same);
		join_settled(j, same, false);
		r.netns++;
		r.head.failure++;
		far = add(j, &r);
		assert_ptr_equal(join_other_end(j, received),
				 separate ? NULL : far);
		assert_ptr_equal(join_other_end(j, far),
				 separate ? NULL : received);
		join_free(j);
	}
}

/* Any kind that a RST of ours can have brought about at the other end. */
static void test_kinds(void **state)
{
	static const enum failure_kind kinds[] = {KIND_RECEIVED, KIND_REFUSED,
						  KIND_HANGUP, KIND_TIMEOUT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct join *j = join_new(0, false);
		struct failure *told = add_received(j, 1, NOW);
		struct failure *sent = add_sent(j, 2, NOW);

		told->facts.kind = kinds[i];
		assert_ptr_equal(join_other_end(j, told), sent);
		assert_ptr_equal(join_other_end(j, sent), told);
		join_free(j);
	}
}

static void test_reset_before(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *was = add_received(j, 1, NOW);
	struct rec_failure r = raw_failure(REC_SENT, 2, NOW + 1);
	struct facts f = raw_decode(&r);

	(void)state;
	assert_ptr_equal(join_reset_before(j, &f), was);
	f.mono_ns = NOW - 1; /* it came after */
	assert_null(join_reset_before(j, &f));
	f.mono_ns = NOW + 60 * NSEC_PER_SEC;
	assert_null(join_reset_before(j, &f));
	f.mono_ns = NOW + 1;
	f.netns++;
	assert_null(join_reset_before(j, &f));
	f.netns--;
	f.peer.port++;
	assert_null(join_reset_before(j, &f));
	f.peer.port--;
	was->voided = true; /* there was no RST */
	assert_null(join_reset_before(j, &f));
	join_free(j);
}

/* Chains and lists stay whole whatever goes first. */
static void test_many_alike(void **state)
{
	struct join *j = join_new(0, false);
	struct failure *f[9];

	(void)state;
	for (uint64_t i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = add_sent(j, i + 1, NOW);
	for (size_t i = 0; i < ARRAY_SIZE(f); i++)
		join_settled(j, f[i * 5 % ARRAY_SIZE(f)], i % 2);
	for (uint64_t i = 0; i < ARRAY_SIZE(f); i++) {
		size_t turn = i * 2 % ARRAY_SIZE(f); /* 5 * 2 = 1 mod 9 */

		assert_ptr_equal(join_find(j, i + 1), turn % 2 ? f[i] : NULL);
	}
	assert_int_equal(stats_of(j).open, ARRAY_SIZE(f) / 2);
	assert_non_null(join_other_end(j, add_received(j, 99, NOW)));
	join_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_other_end),
		cmocka_unit_test(test_no_other_end),
		cmocka_unit_test(test_other_end_in_time),
		cmocka_unit_test(test_separate_netns),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_reset_before),
		cmocka_unit_test(test_many_alike),
	};

	return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
