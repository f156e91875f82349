/* SPDX-License-Identifier: Apache-2.0 */
/* What no single golden file shows: amends, bounds, honesty on little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "user/explain/engine.h"
#include "user/explain/facts_json.h"
#include "user/explain/view.h"

#define SECOND 1000000ll

static int setup(void **state)
{
	*state = engine_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	engine_free(*state);
	return 0;
}

static struct facts hangup(uint64_t id, int64_t at_us)
{
	struct facts f;

	facts_init(&f);
	f.failure = id;
	f.time_us = at_us;
	f.kind = KIND_HANGUP;
	f.tuple_known = true;
	f.family = 4;
	f.role = ROLE_CLIENT;
	f.state = TCP_CLOSE_WAIT;
	f.sock_known = true;
	f.peer.port = 9000;
	f.local.port = (uint16_t)(40000 + id);
	f.age_ms = 500;
	f.idle_ms = 0;
	f.since_send_ms = 400;
	f.sent_bytes = f.acked_bytes = 100;
	f.received_bytes = f.unacked_bytes = f.unsent_bytes = 0;
	f.answered = TRI_NO;
	f.unsolicited = true;
	f.peer_fin = TRI_YES;
	f.peer_fin_before_ms = 0;
	return f;
}

static void test_verdict_is_amended(void **state)
{
	struct facts first = hangup(1, 100 * SECOND), f;
	struct verdict v;

	engine_explain(*state, &first, &v);
	assert_int_equal(v.cause, CAUSE_PEER_CLOSED_EARLY);
	assert_true(v.confidence < 0.8);
	assert_int_equal(engine_stamp(*state, &first), 0);
	engine_learn(*state, &first, &v);
	assert_int_equal(engine_stamp(*state, &first), 1);
	for (unsigned int i = 2; i <= 4; i++) {
		f = hangup(i, 100 * SECOND + i);
		engine_explain(*state, &f, &v);
		engine_learn(*state, &f, &v);
	}
	f = hangup(5, 101 * SECOND);
	f.kind = KIND_REFUSED;
	f.state = TCP_SYN_SENT;
	engine_explain(*state, &f, &v);
	engine_learn(*state, &f, &v);
	engine_explain(*state, &first, &v);
	assert_int_equal(v.cause, CAUSE_SERVER_CRASH);
	assert_true(v.confidence > 0.8);
}

static void test_death_explains_late_data(void **state)
{
	struct facts f;
	struct verdict v;

	facts_init(&f);
	f.kind = KIND_SENT;
	f.time_us = 100 * SECOND;
	f.skb_known = true;
	f.skb_flags = 0x10;
	f.skb_bytes = 10;
	strcpy(f.reason_name, "NO_SOCKET");
	f.owner.pid = 7;
	f.owner.start_ns = 3;
	engine_explain(*state, &f, &v);
	assert_int_equal(v.cause, CAUSE_LATE_DATA);
	engine_learn_exit(*state, &f.owner, f.time_us - SECOND);
	engine_explain(*state, &f, &v);
	assert_int_equal(v.cause, CAUSE_PROCESS_EXIT);
	assert_int_equal(v.alternative[0].cause, CAUSE_LATE_DATA);
}

/* Nothing known: no name may come with a confidence that people act on. */
static void test_nothing_known(void **state)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct facts f;
		struct verdict v;

		facts_init(&f);
		f.kind = (enum failure_kind)kind;
		engine_explain(*state, &f, &v);
		assert_true(v.evidences > 0);
		if (kind != KIND_REFUSED)
			assert_true(v.confidence < 0.8);
		engine_learn(*state, &f, &v);
	}
}

static int64_t pick(unsigned int *seed)
{
	static const int64_t values[] = {
		NOT_KNOWN, 0,	 1,	4,	40,	   999,		  1000,
		5003,	   6002, 60000, 350000, 1ll << 40, INT64_MAX / 4,
	};

	return values[(unsigned int)rand_r(seed) %
		      (sizeof(values) / sizeof(values[0]))];
}

static enum tri pick_tri(unsigned int *seed)
{
	return (enum tri)((int)((unsigned int)rand_r(seed) % 3) - 1);
}

static void scramble(struct facts *f, unsigned int *seed)
{
	int64_t *const numbers[] = {
		&f->age_ms,	      &f->idle_ms,
		&f->since_send_ms,    &f->since_receive_ms,
		&f->since_request_ms, &f->sent_bytes,
		&f->received_bytes,   &f->unacked_bytes,
		&f->unread_bytes,     &f->retransmits,
		&f->probes_out,	      &f->peer_fin_before_ms,
		&f->srtt_us,	      &f->closer.idle_ms,
		&f->other.idle_ms,
	};

	f->kind = (enum failure_kind)((unsigned int)rand_r(seed) % KINDS);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = pick(seed);
	f->peer_fin = pick_tri(seed);
	f->answered = pick_tri(seed);
	f->state = (int)((unsigned int)rand_r(seed) % 13);
	f->role = (enum rec_role)((unsigned int)rand_r(seed) % 3);
	f->labels_known = true;
	f->first_out = (enum rec_label)((unsigned int)rand_r(seed) % LABELS);
	f->first_in = (enum rec_label)((unsigned int)rand_r(seed) % LABELS);
	f->tls = (unsigned int)rand_r(seed) & 0x3f;
	f->unsolicited = rand_r(seed) & 1;
	f->closer.known = !(rand_r(seed) & 7);
	f->other.known = !(rand_r(seed) & 7);
	f->tuple_known = true;
	f->peer.port = (uint16_t)(rand_r(seed) & 3);
	f->failure++;
	f->time_us += (int64_t)((unsigned int)rand_r(seed) % 2000000u);
}

/* Whatever the facts, the verdict keeps its form. */
static void test_any_facts(void **state)
{
	unsigned int seed = 5;
	struct facts f;
	struct verdict v;

	facts_init(&f);
	for (unsigned int n = 0; n < 20000; n++) {
		double sum;
		int fast;

		scramble(&f, &seed);
		engine_explain(*state, &f, &v);
		sum = v.confidence;
		for (unsigned int i = 0; i < v.alternatives; i++) {
			assert_int_not_equal(v.alternative[i].cause, v.cause);
			sum += v.alternative[i].confidence;
		}
		assert_true(v.confidence >= 0 && sum <= 1.0001);
		assert_true(v.evidences > 0 && v.evidences <= VERDICT_EVIDENCE);
		assert_true(v.fixes <= VERDICT_FIXES);
		assert_int_equal(engine_cause(*state, &f, &sum), v.cause);
		assert_true(sum == v.confidence);
		fast = engine_cause_fast(*state, &f);
		assert_true(fast == -1 || fast == (int)v.cause);
		engine_learn(*state, &f, &v);
	}
}

static void test_tell(void **state)
{
	struct facts f;
	struct view view;
	char text[VERDICT_TEXT], small[8];

	(void)state;
	facts_init(&f);
	view_init(&view, &f, NULL, NULL);
	f.sent_bytes = 1;
	tell(&view, "{sent}, {received}, {age}, {nothing}, {", text,
	     sizeof(text));
	assert_string_equal(text, "1 byte, an unknown number of bytes, "
				  "an unknown time, ?, {");
	tell(&view, "{sent} and more", small, sizeof(small));
	assert_string_equal(small, "1 byte ");
	f.task.pid = 3;
	strcpy(f.task.comm, "a\nb");
	tell(&view, "{task}", text, sizeof(text));
	assert_string_equal(text, "a?b (pid 3)");
}

static void test_facts_json_errors(void **state)
{
	static const struct {
		const char *json, *want;
	} bad[] = {
		{"[]", "facts:"},
		{"{\"no_such\":1}", "no_such: no such fact"},
		{"{\"age_ms\":-1}", "age_ms:"},
		{"{\"age_ms\":\"x\"}", "age_ms:"},
		{"{\"kind\":\"odd\"}", "kind:"},
		{"{\"peer\":\"1.2.3.4\"}", "peer:"},
		{"{\"tls\":[\"odd\"]}", "tls:"},
		{"{\"task\":{\"comm\":\"longer than a name may be\"}}",
		 "comm:"},
		{"{\"task\":{\"odd\":1}}", "odd: no such fact"},
		{"{\"peer_fin\":1}", "peer_fin:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *json = json_loads(bad[i].json, 0, NULL);
		struct facts f;
		char err[128];

		assert_non_null(json);
		facts_init(&f);
		assert_int_not_equal(
			facts_from_json(&f, json, err, sizeof(err)), 0);
		if (strncmp(err, bad[i].want, strlen(bad[i].want)) != 0)
			fail_msg("\"%s\" for %s", err, bad[i].json);
		json_decref(json);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verdict_is_amended),
		TEST(test_death_explains_late_data),
		TEST(test_nothing_known),
		TEST(test_any_facts),
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_facts_json_errors),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
