/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/explain/protocol.h"
#include "user/explain/tls.h"

static struct facts seen(enum rec_role role, unsigned int tls)
{
	struct facts f;

	facts_init(&f);
	f.role = role;
	f.labels_known = true;
	f.first_out = f.first_in = LABEL_TLS;
	f.first_out_bytes = 517;
	f.sent_bytes = 2000;
	f.tls = tls;
	return f;
}

static void test_nothing_seen(void **state)
{
	struct facts f;

	(void)state;
	facts_init(&f);
	assert_string_equal(facts_tls(&f), "");
	f.labels_known = true;
	assert_string_equal(facts_tls(&f), "");
	f.first_out = LABEL_HTTP_REQUEST;
	assert_string_equal(facts_tls(&f), "no");
}

static void test_client(void **state)
{
	struct facts f = seen(ROLE_CLIENT, TLS_HELLO_OUT | TLS_HELLO_IN);

	(void)state;
	assert_string_equal(facts_tls(&f), "handshake");
	f.tls |= TLS_MOVED_IN; /* the server's does not finish ours */
	assert_string_equal(facts_tls(&f), "handshake");
	f.tls |= TLS_MOVED_OUT; /* the server may still refuse it */
	assert_string_equal(facts_tls(&f), "handshake");
	f.tls |= TLS_ANSWERED;
	assert_string_equal(facts_tls(&f), "established");
	f.sent_bytes = 517 + 6 + 24; /* an encrypted alert */
	assert_string_equal(facts_tls(&f), "handshake");
	f.sent_bytes = 517 + 6 + 58; /* the shortest Finished */
	assert_string_equal(facts_tls(&f), "established");
}

static void test_server(void **state)
{
	struct facts f =
		seen(ROLE_SERVER, TLS_HELLO_IN | TLS_HELLO_OUT | TLS_MOVED_OUT);

	(void)state;
	assert_string_equal(facts_tls(&f), "handshake");
	f.tls |= TLS_MOVED_IN;
	assert_string_equal(facts_tls(&f), "established");
}

static void test_alerts(void **state)
{
	(void)state;
	assert_string_equal(tls_alert_name(40), "handshake_failure");
	assert_null(tls_alert_name(200));
	assert_null(tls_alert_name(NOT_KNOWN));
}

static void test_protocol(void **state)
{
	struct facts f;

	(void)state;
	facts_init(&f);
	f.tuple_known = true;
	f.role = ROLE_CLIENT;
	f.peer.port = 5432;
	f.local.port = 80;
	assert_string_equal(facts_protocol(&f).name, "PostgreSQL");
	assert_true(facts_protocol(&f).by_port);
	f.labels_known = true;
	f.first_in = LABEL_MYSQL; /* the label wins over the port */
	assert_string_equal(facts_protocol(&f).name, "MySQL");
	assert_false(facts_protocol(&f).by_port);
	f.first_in = LABEL_TLS; /* TLS does not say what is inside */
	assert_string_equal(facts_protocol(&f).name, "PostgreSQL");
	f.role = ROLE_SERVER;
	assert_string_equal(facts_protocol(&f).name, "HTTP");
	f.local.port = 7;
	assert_string_equal(facts_protocol(&f).name, "TLS");
	f.first_in = (enum rec_label)99;
	assert_string_equal(facts_protocol(&f).name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_seen),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_protocol),
	};

	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
