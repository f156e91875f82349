/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "user/explain/advice.h"

static struct facts request(void)
{
	struct facts f;

	facts_init(&f);
	f.kind = KIND_RECEIVED;
	f.role = ROLE_CLIENT;
	f.state = TCP_ESTABLISHED;
	f.sock_known = true;
	f.sent_bytes = 300;
	f.acked_bytes = 150;
	f.unacked_bytes = 150;
	f.received_bytes = 200;
	f.answered = TRI_NO;
	f.since_request_ms = f.since_send_ms = 1;
	f.idle_ms = 6002;
	f.age_ms = 9000;
	f.peer_fin = TRI_NO;
	return f;
}

static enum retry retry_of(const struct facts *f, enum cause cause)
{
	struct view view;

	view_init(&view, f, NULL, NULL);
	return retry_for(&view, cause);
}

static void test_retry(void **state)
{
	struct facts f = request();

	(void)state;
	/* sent, nothing of it acknowledged */
	assert_int_equal(retry_of(&f, CAUSE_STALE_KEEPALIVE), RETRY_SAFE);
	f.acked_bytes = 300; /* the peer's kernel has it */
	f.unacked_bytes = 0;
	f.unsolicited = true;
	assert_int_equal(retry_of(&f, CAUSE_PEER_CLOSED_UNREAD),
			 RETRY_IF_IDEMPOTENT);
	f.answered = TRI_YES;
	f.idle_ms = 3;
	assert_int_equal(retry_of(&f, CAUSE_PEER_ABORTED), RETRY_UNSAFE);
	f.idle_ms = 3000; /* it lay in a pool */
	assert_int_equal(retry_of(&f, CAUSE_LB_IDLE_TIMEOUT), RETRY_SAFE);
	f.sent_bytes = 0;
	assert_int_equal(retry_of(&f, CAUSE_PEER_ABORTED), RETRY_SAFE);
	f = request();
	f.answered = TRI_UNKNOWN;
	assert_int_equal(retry_of(&f, CAUSE_UNKNOWN), RETRY_UNKNOWN);
	f.role = ROLE_SERVER;
	assert_int_equal(retry_of(&f, CAUSE_PEER_ABORTED), RETRY_UNKNOWN);
}

static void test_retry_by_kind(void **state)
{
	struct facts f = request();

	(void)state;
	assert_int_equal(retry_of(&f, CAUSE_TLS_HANDSHAKE_FAILURE),
			 RETRY_USELESS);
	f.kind = KIND_REFUSED;
	assert_int_equal(retry_of(&f, CAUSE_CONNECTION_REFUSED), RETRY_SAFE);
	assert_int_equal(retry_of(&f, CAUSE_FIREWALL_REJECT), RETRY_USELESS);
	f.kind = KIND_SENT;
	assert_int_equal(retry_of(&f, CAUSE_LINGER_ZERO), RETRY_UNKNOWN);
	f.kind = KIND_TIMEOUT; /* silence: the ACK may have been lost */
	assert_int_equal(retry_of(&f, CAUSE_FIREWALL_IDLE_DROP),
			 RETRY_IF_IDEMPOTENT);
}

static void test_retry_unread_there(void **state)
{
	struct facts f = request();

	(void)state;
	f.acked_bytes = 150;
	f.unacked_bytes = 0;
	f.sent_bytes = 150;
	f.unsolicited = true;
	assert_int_equal(retry_of(&f, CAUSE_CLOSE_WITH_UNREAD_DATA),
			 RETRY_IF_IDEMPOTENT);
	f.other.known = true;
	f.other.unread_bytes = 150;
	assert_int_equal(retry_of(&f, CAUSE_CLOSE_WITH_UNREAD_DATA),
			 RETRY_SAFE);
}

static void give(const struct facts *f, enum cause cause, double timer,
		 struct verdict *v)
{
	struct view view;

	memset(v, 0, sizeof(*v));
	view_init(&view, f, NULL, NULL);
	v->cause = cause;
	v->timeout_known = timer > 0;
	v->timeout_seconds = timer;
	view.timer_s = timer;
	advise(&view, v);
}

static bool has_fix(const struct verdict *v, const char *text)
{
	for (unsigned int i = 0; i < v->fixes; i++)
		if (strstr(v->fix[i], text))
			return true;
	return false;
}

static void test_fixes_for_node(void **state)
{
	struct facts f = request();
	struct verdict v;

	(void)state;
	f.told.pid = 7;
	snprintf(f.told.comm, sizeof(f.told.comm), "node");
	give(&f, CAUSE_STALE_KEEPALIVE, 6, &v);
	assert_true(v.fixes > 2 && v.fixes <= VERDICT_FIXES);
	assert_true(has_fix(&v, "after 6 s idle"));
	assert_true(has_fix(&v, "freeSocketTimeout below 6 s"));
	assert_false(has_fix(&v, "Apache HttpClient"));
	snprintf(f.told.comm, sizeof(f.told.comm), "java");
	give(&f, CAUSE_STALE_KEEPALIVE, 0, &v);
	assert_true(has_fix(&v, "setValidateAfterInactivity"));
	assert_false(has_fix(&v, "freeSocketTimeout"));
	assert_false(has_fix(&v, " 0 s"));
}

static void test_fixes_for_their_program(void **state)
{
	struct facts f = request();
	struct verdict v;

	(void)state;
	f.other.known = true;
	snprintf(f.other.task.comm, sizeof(f.other.task.comm), "gunicorn");
	give(&f, CAUSE_STALE_KEEPALIVE, 2, &v);
	assert_true(has_fix(&v, "gunicorn: raise keepalive"));
}

static void test_benign_has_no_fixes(void **state)
{
	struct facts f = request();
	struct verdict v;

	(void)state;
	give(&f, CAUSE_GRACEFUL_RACE, 0, &v);
	assert_true(v.benign);
	assert_int_equal(v.fixes, 0);
}

static void test_blame(void **state)
{
	struct facts f = request();
	struct view view;

	(void)state;
	view_init(&view, &f, NULL, NULL);
	assert_int_equal(blame_for(&view, CAUSE_LINGER_ZERO), BLAME_PEER);
	assert_int_equal(blame_for(&view, CAUSE_MIDDLEBOX_INJECTED),
			 BLAME_PATH);
	f.tls = TLS_ALERT_OUT;
	assert_int_equal(blame_for(&view, CAUSE_TLS_HANDSHAKE_FAILURE),
			 BLAME_LOCAL);
	f.kind = KIND_SENT;
	assert_int_equal(blame_for(&view, CAUSE_LINGER_ZERO), BLAME_LOCAL);
	assert_int_equal(blame_for(&view, CAUSE_LATE_DATA), BLAME_PEER);
	f.kind = KIND_TIMEOUT;
	assert_int_equal(blame_for(&view, CAUSE_ADMIN_ABORT), BLAME_LOCAL);
	f.netfilter_us = 5;
	assert_int_equal(blame_for(&view, CAUSE_FIREWALL_REJECT), BLAME_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_retry_by_kind),
		cmocka_unit_test(test_retry_unread_there),
		cmocka_unit_test(test_fixes_for_node),
		cmocka_unit_test(test_fixes_for_their_program),
		cmocka_unit_test(test_benign_has_no_fixes),
		cmocka_unit_test(test_blame),
	};

	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
