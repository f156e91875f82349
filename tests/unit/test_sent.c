/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "user/explain/sent.h"

#define SYN  0x02
#define ACK  0x10
#define LIVE (SOCKF_OWNED | SOCKF_HAS_SOCKET)

struct row {
	const char *reason;
	int state, shutdown;
	uint32_t flags;
	int64_t unread;
	bool linger0;
	int64_t probes;
	bool exiting;
	int skb; /* TCP flags; -1: no segment */
	enum cause want;
};

static const struct row rows[] = {
	/* the kernel's reasons */
	{"TCP_ABORT_ON_CLOSE", TCP_CLOSE, 3, LIVE, 5, false, 0, false, -1,
	 CAUSE_CLOSE_WITH_UNREAD_DATA},
	{"ABORT_ON_CLOSE", TCP_CLOSE, 3, LIVE, 5, false, 0, false, -1,
	 CAUSE_CLOSE_WITH_UNREAD_DATA},
	{"SK_RST_REASON_TCP_ABORT_ON_CLOSE", TCP_CLOSE, 3, LIVE, 5, false, 0,
	 true, -1, CAUSE_PROCESS_EXIT},
	{"TCP_ABORT_ON_LINGER", TCP_CLOSE, 3, LIVE, 0, false, 0, false, -1,
	 CAUSE_LINGER_ZERO},
	{"TCP_ABORT_ON_MEMORY", TCP_CLOSE, 3, SOCKF_DEAD, 0, false, 0, false,
	 -1, CAUSE_MEMORY_PRESSURE},
	{"TCP_KEEPALIVE_TIMEOUT", TCP_ESTABLISHED, 0, SOCKF_HAS_SOCKET, 0,
	 false, 3, false, -1, CAUSE_KEEPALIVE_TIMEOUT},
	{"TCP_DISCONNECT_WITH_DATA", TCP_CLOSE, 0, LIVE, 0, false, 0, false, -1,
	 CAUSE_LINGER_ZERO},
	{"NO_SOCKET", NOT_KNOWN, NOT_KNOWN, 0, 0, false, 0, false, SYN,
	 CAUSE_PORT_CLOSED},
	{"NO_SOCKET", NOT_KNOWN, NOT_KNOWN, 0, 0, false, 0, false, SYN | ACK,
	 CAUSE_LATE_DATA},
	{"NO_SOCKET", NOT_KNOWN, NOT_KNOWN, 0, 0, false, 0, false, ACK,
	 CAUSE_LATE_DATA},
	{"TCP_FLAGS", TCP_LISTEN, 0, SOCKF_LISTENER, 0, false, 0, false, ACK,
	 CAUSE_LATE_DATA},
	{"TCP_ABORT_ON_DATA", TCP_FIN_WAIT2, 3, SOCKF_DEAD, 0, false, 0, false,
	 ACK, CAUSE_LATE_DATA},
	{"TCP_TIMEWAIT_SOCKET", TCP_TIME_WAIT, 3, SOCKF_TIMEWAIT, 0, false, 0,
	 false, ACK, CAUSE_LATE_DATA},
	{"INVALID_SYN", TCP_LISTEN, 0, SOCKF_LISTENER, 0, false, 0, false, ACK,
	 CAUSE_ACCEPT_OVERFLOW},
	{"INVALID_SYN", TCP_SYN_RECV, 0, 0, 0, false, 0, false, SYN,
	 CAUSE_BAD_SEGMENT},
	{"TCP_RFC7323_PAWS", TCP_SYN_RECV, 0, 0, 0, false, 0, false, ACK,
	 CAUSE_BAD_SEGMENT},
	{"MPTCP_RST_EMPTCP", TCP_ESTABLISHED, 0, 0, 0, false, 0, false, -1,
	 CAUSE_BAD_SEGMENT},
	/* TCP_STATE, and no reason at all: the same decisions */
	{"TCP_STATE", TCP_CLOSE, 3, LIVE, 0, true, 0, false, -1,
	 CAUSE_LINGER_ZERO},
	{"", TCP_CLOSE, 3, LIVE, 0, true, 0, false, -1, CAUSE_LINGER_ZERO},
	{"", TCP_CLOSE, 3, LIVE, 9, true, 0, false, -1,
	 CAUSE_CLOSE_WITH_UNREAD_DATA},
	{"TCP_STATE", TCP_CLOSE, 0, LIVE, 0, false, 0, false, -1,
	 CAUSE_LINGER_ZERO},
	{"TCP_STATE", TCP_CLOSE, 0, 0, 0, false, 0, false, -1,
	 CAUSE_LISTENER_CLOSED},
	{"TCP_STATE", TCP_ESTABLISHED, 0, LIVE, 0, false, 0, false, -1,
	 CAUSE_ADMIN_ABORT},
	{"", TCP_ESTABLISHED, 0, SOCKF_HAS_SOCKET, 0, false, 4, false, -1,
	 CAUSE_KEEPALIVE_TIMEOUT},
	{"NOT_SPECIFIED", TCP_CLOSE, 3, SOCKF_DEAD, 0, false, 0, false, -1,
	 CAUSE_MEMORY_PRESSURE},
	{"TCP_STATE", TCP_FIN_WAIT2, 3, SOCKF_DEAD, 0, false, 0, false, -1,
	 CAUSE_UNKNOWN},
	{"", TCP_CLOSE, 3, LIVE, 0, true, 0, true, -1, CAUSE_PROCESS_EXIT},
	{"", TCP_LISTEN, 0, SOCKF_LISTENER, 0, false, 0, false, ACK,
	 CAUSE_LATE_DATA},
	{"", NOT_KNOWN, NOT_KNOWN, 0, 0, false, 0, false, -1, CAUSE_UNKNOWN},
};

static struct facts facts_of(const struct row *r)
{
	struct facts f;

	facts_init(&f);
	f.kind = KIND_SENT;
	snprintf(f.reason_name, sizeof(f.reason_name), "%s", r->reason);
	f.state = r->state;
	f.shutdown = r->shutdown;
	f.sock_flags = r->flags;
	f.sock_known = r->state != NOT_KNOWN;
	f.unread_bytes = r->unread;
	f.linger0 = r->linger0 ? TRI_YES : TRI_NO;
	f.keepalive_on = r->probes ? TRI_YES : TRI_NO;
	f.probes_out = r->probes;
	f.task.pid = 9;
	f.task.exiting = r->exiting;
	f.skb_known = r->skb >= 0;
	f.skb_flags = r->skb >= 0 ? (unsigned int)r->skb : 0;
	return f;
}

static void test_decision_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct facts f = facts_of(&rows[i]);
		struct sent s = sent_decide(&f);

		if (s.cause != rows[i].want)
			fail_msg("row %zu (%s): %s, not %s", i, rows[i].reason,
				 cause_name(s.cause), cause_name(rows[i].want));
		assert_true(s.confidence > 0 && s.confidence <= 1);
		if (s.cause == CAUSE_UNKNOWN)
			assert_true(s.confidence < 0.8);
	}
}

static void test_overflow_without_reason(void **state)
{
	struct facts f = facts_of(&rows[13]);

	(void)state;
	f.reason_name[0] = '\0';
	f.accept_backlog = 2;
	f.accept_max = 1;
	assert_int_equal(sent_decide(&f).cause, CAUSE_ACCEPT_OVERFLOW);
}

static void test_netfilter(void **state)
{
	struct facts f = facts_of(&rows[7]);

	(void)state;
	f.netfilter_us = 0;
	assert_int_equal(sent_decide(&f).cause, CAUSE_FIREWALL_REJECT);
}

/* What the process did not read waits in the MPTCP socket, not here. */
static void test_mptcp_closed(void **state)
{
	struct facts f;

	(void)state;
	facts_init(&f);
	f.kind = KIND_SENT;
	f.state = TCP_ESTABLISHED;
	f.sock_known = true;
	f.sock_flags = LIVE | SOCKF_MPTCP;
	assert_int_equal(sent_decide(&f).cause, CAUSE_ADMIN_ABORT);
	f.call.known = true;
	f.call.class = CALL_CLOSE;
	assert_int_equal(sent_decide(&f).cause, CAUSE_CLOSE_WITH_UNREAD_DATA);
	assert_null(strstr(sent_decide(&f).text, "{unread}"));
}

static void test_exit_words(void **state)
{
	struct facts f = facts_of(&rows[2]);

	(void)state;
	f.task.exit_signal = 9;
	assert_non_null(strstr(sent_decide(&f).text, "{signal}"));
	f.task.oom_killed = true;
	assert_non_null(strstr(sent_decide(&f).text, "OOM"));
	f.task.oom_killed = false;
	f.task.exit_signal = 0;
	assert_non_null(strstr(sent_decide(&f).text, "{status}"));
}

static void test_reason_names(void **state)
{
	struct facts f = facts_of(&rows[0]);

	(void)state;
	assert_true(facts_reason_is(&f, "ABORT_ON_CLOSE"));
	assert_true(facts_reason_is(&f, "TCP_ABORT_ON_CLOSE"));
	assert_false(facts_reason_is(&f, "ABORT_ON_DATA"));
	f.reason_name[0] = '\0';
	assert_false(facts_reason_is(&f, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decision_table),
		cmocka_unit_test(test_overflow_without_reason),
		cmocka_unit_test(test_netfilter),
		cmocka_unit_test(test_mptcp_closed),
		cmocka_unit_test(test_exit_words),
		cmocka_unit_test(test_reason_names),
	};

	return cmocka_run_group_tests_name("sent", tests, NULL, NULL);
}
