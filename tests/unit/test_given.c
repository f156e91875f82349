/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict that changes within its first half minute, and who says why. */
#include "tests/unit/raw_pipeline.h"

#define NOW   RAW_START_NS
#define LATER (NOW + 2 * NSEC_PER_SEC) /* settled and looked at again */

static const char *change(const struct event *ev)
{
	const struct verdict *v = &ev->verdict;

	for (unsigned int i = 0; i < v->evidences; i++) {
		if (!strncmp(v->evidence[i].fact, "at first ", 9)) {
			assert_true(v->evidence[i].supports);
			return v->evidence[i].fact;
		}
	}
	return NULL;
}

static void assert_changed(const struct event *ev, const char *first,
			   const char *came)
{
	const char *text = change(ev);
	char want[64];

	snprintf(want, sizeof(want), "at first %s (0.", first);
	if (!text || strncmp(text, want, strlen(want)) || !strstr(text, came))
		fail_msg("\"%s\" for %s: \"%s\" is wanted", text ? text : "",
			 first, came);
}

/* --- a crash, seen as such by what follows ---------------------------------
 */

static void feed_hangup(struct line *l, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_hangup(id, ns, ns - RAW_MS);

	r.lport = (uint16_t)(RAW_CLIENT_PORT + id);
	r.sock.since_send_jiffies = 2;
	line_feed(l, r);
}

static void feed_refused(struct line *l, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_failure(REC_ERROR, id, ns);

	r.lport = (uint16_t)(RAW_CLIENT_PORT + id);
	r.state = TCP_SYN_SENT;
	r.sock.err = ECONNREFUSED;
	line_feed(l, r);
}

static void test_crash(void **state)
{
	struct line *l = line_new();
	const struct event *ev;

	(void)state;
	feed_hangup(l, 1, NOW);
	pipeline_advance(l->p, NOW + NSEC_PER_SEC / 10);
	ev = line_event(l, 1);
	assert_int_equal(ev->verdict.cause, CAUSE_PEER_CLOSED_EARLY);
	assert_null(change(ev));
	feed_hangup(l, 2, NOW + 200 * RAW_MS);
	feed_hangup(l, 3, NOW + 250 * RAW_MS);
	feed_refused(l, 4, NOW + 400 * RAW_MS);
	pipeline_advance(l->p, LATER);
	assert_int_equal(ev->verdict.cause, CAUSE_SERVER_CRASH);
	assert_changed(ev, "peer_closed_early",
		       "3 more failures at that destination within 401 ms");
	assert_changed(ev, "peer_closed_early", ", 1 refused");
	assert_int_equal(l->n, 4);
	assert_int_equal(l->counted, 4);
	line_free(l);
}

/* What comes half a minute later leaves it as it is. */
static void test_old(void **state)
{
	struct line *l = line_new();

	(void)state;
	feed_hangup(l, 1, NOW);
	pipeline_advance(l->p, NOW + NSEC_PER_SEC / 10);
	feed_refused(l, 2, NOW + 31 * NSEC_PER_SEC);
	pipeline_advance(l->p, NOW + 32 * NSEC_PER_SEC);
	assert_int_equal(l->calls, 2);
	assert_null(change(line_event(l, 1)));
	line_free(l);
}

static void feed_reset(struct line *l, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_received(id, ns);

	r.lport = (uint16_t)(RAW_CLIENT_PORT + id);
	line_feed(l, r);
}

/* The call that is told later keeps the reason. */
static void test_told_afterwards(void **state)
{
	struct line *l = line_new();
	char before[VERDICT_TEXT];

	(void)state;
	feed_reset(l, 1, NOW);
	pipeline_advance(l->p, NOW + NSEC_PER_SEC / 10);
	feed_reset(l, 2, NOW + 200 * RAW_MS);
	feed_reset(l, 3, NOW + 250 * RAW_MS);
	feed_refused(l, 4, NOW + 400 * RAW_MS);
	pipeline_advance(l->p, LATER);
	assert_non_null(change(line_event(l, 1)));
	strcpy(before, change(line_event(l, 1)));
	line_told(l, 1, LATER, -ECONNRESET);
	assert_int_equal(line_event(l, 1)->syscall.errno_nr, ECONNRESET);
	assert_string_equal(change(line_event(l, 1)), before);
	line_free(l);
}

/* --- a scan, known as such from the fifth port on --------------------------
 */

static void feed_knock(struct line *l, uint64_t id, uint64_t ns, uint8_t from,
		       uint16_t port)
{
	struct rec_failure r = raw_failure(REC_SENT, id, ns);

	raw_turn(&r);
	r.known = KNOWN_TUPLE | KNOWN_SKB | KNOWN_REASON;
	r.state = TCP_CLOSE;
	r.role = 0;
	r.reason = RAW_NO_SOCKET;
	r.skb_flags = TH_SYN;
	r.raddr[3] = from;
	r.lport = port;
	line_feed(l, r);
}

#define GAP_MS 60

/* `ports` of them, one after the other, each settled before the next. */
static struct line *knocks(unsigned int ports)
{
	struct line *l = line_new();

	for (unsigned int i = 0; i < ports; i++) {
		uint64_t ns = NOW + (uint64_t)i * GAP_MS * RAW_MS;

		pipeline_advance(l->p, ns);
		feed_knock(l, i + 1, ns, 5, (uint16_t)(100 + i));
	}
	return l;
}

static void test_scan(void **state)
{
	struct line *l = knocks(8);

	(void)state;
	assert_int_equal(line_event(l, 1)->verdict.cause, CAUSE_PORT_CLOSED);
	pipeline_advance(l->p, LATER);
	assert_int_equal(l->n, 8);
	for (size_t i = 0; i < l->n; i++) {
		assert_int_equal(l->events[i].verdict.cause, CAUSE_PORT_SCAN);
		assert_true(l->events[i].verdict.benign);
	}
	assert_changed(line_event(l, 1), "port_closed",
		       "7 more failures with that peer within 420 ms");
	assert_null(change(line_event(l, 8))); /* it was one at once */
	assert_int_equal(l->counted, 8);
	line_free(l);
}

/* Four services that are down are no scan. */
static void test_few_ports(void **state)
{
	struct line *l = knocks(4);

	(void)state;
	pipeline_advance(l->p, LATER);
	assert_int_equal(l->calls, 4);
	for (size_t i = 0; i < l->n; i++)
		assert_int_equal(l->events[i].verdict.cause, CAUSE_PORT_CLOSED);
	line_free(l);
}

/* SYNs from everywhere take no room from what waits for its call. */
static void test_many_peers(void **state)
{
	struct line *l = line_new();

	(void)state;
	line_received(l, 1000, NOW);
	for (unsigned int i = 0; i < 100; i++)
		feed_knock(l, i + 1, NOW + i, (uint8_t)i, (uint16_t)(100 + i));
	pipeline_advance(l->p, LATER);
	assert_int_equal(l->n, 101);
	assert_int_equal(line_stats(l).join.open, BRIEF_CAPACITY + 1);
	assert_int_equal(line_stats(l).join.evicted, 0);
	line_told(l, 1000, LATER, -ECONNRESET);
	assert_int_equal(line_stats(l).amended, 1);
	line_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_told_afterwards),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_few_ports),
		cmocka_unit_test(test_many_peers),
	};

	return cmocka_run_group_tests_name("given", tests, NULL, NULL);
}
