/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sample_event.h"
#include "user/store/query.h"

static void test_plain(void **state)
{
	struct filter f;
	struct query q;

	(void)state;
	filter_init(&f);
	query_ids(&q, &f);
	assert_string_equal(q.text, "SELECT id FROM events WHERE benign = 0 "
				    "ORDER BY time_us DESC, id DESC");
	assert_int_equal(q.params, 0);
	f.benign = true;
	f.limit = 5;
	query_ids(&q, &f);
	assert_string_equal(q.text, "SELECT id FROM events ORDER BY time_us "
				    "DESC, id DESC LIMIT ?");
	assert_int_equal(q.params, 1);
	assert_int_equal(q.param[0].number, 5);
	query_count(&q, &f);
	assert_null(strchr(q.text, '?'));
}

static unsigned int count_marks(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '?';
	return n;
}

/* Everything at once: it fits, and each mark has its value. */
static void test_all(void **state)
{
	static const char *const all[][2] = {
		{"since", "1h"},	  {"until", "1s"},
		{"process", "node"},	  {"pid", "5"},
		{"peer", "::1/64:443"},	  {"port", "80"},
		{"cause", "linger_zero"}, {"kind", "sent"},
		{"syscall", "close"},	  {"unit", "a"},
		{"container", "ab"},	  {"host", "h"},
		{"limit", "9"},
	};
	char err[128];
	struct filter f;
	struct query q;

	(void)state;
	filter_init(&f);
	f.after_id = 4;
	f.before_us = 5;
	f.before_id = 6;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(filter_set(&f, all[i][0], all[i][1],
					    SAMPLE_TIME, err, sizeof(err)),
				 0);
	query_ids(&q, &f);
	assert_int_equal(count_marks(q.text), q.params);
	query_count(&q, &f);
	assert_int_equal(count_marks(q.text), q.params);
}

/* What a person types is bound, never part of the statement. */
static void test_never_pasted(void **state)
{
	struct filter f;
	struct query q;

	(void)state;
	filter_init(&f);
	strcpy(f.process, "x' OR 1=1 --");
	strcpy(f.host, "'; DROP TABLE");
	query_ids(&q, &f);
	assert_null(strchr(q.text, '\''));
	assert_string_equal(q.param[0].text, f.process);
}

static void peer_query(struct query *q, struct filter *f, const char *peer)
{
	char err[128];

	filter_init(f);
	assert_int_equal(filter_set(f, "peer", peer, 0, err, sizeof(err)), 0);
	query_ids(q, f);
}

static void test_peer_range(void **state)
{
	static const uint8_t first[16] = {[10] = 255, 255, 10, 1, 16, 0};
	static const uint8_t last[16] = {[10] = 255, 255, 10, 1, 31, 255};
	struct filter f;
	struct query q;

	(void)state;
	peer_query(&q, &f, "10.1.17.2/20");
	assert_non_null(strstr(q.text, "peer_ip BETWEEN ? AND ?"));
	assert_memory_equal(q.param[0].bytes, first, 16);
	assert_memory_equal(q.param[1].bytes, last, 16);
	f.since_us = 1;
	query_ids(&q, &f);
	assert_non_null(strstr(q.text, "peer_ip BETWEEN ? AND ?"));
	f.peer_bits = 8;
	query_ids(&q, &f);
	assert_non_null(strstr(q.text, "NOT (peer_ip < ? OR peer_ip > ?)"));
	peer_query(&q, &f, "10.1.17.2");
	assert_non_null(strstr(q.text, "peer_ip = ?"));
	peer_query(&q, &f, "::/0");
	assert_int_equal(q.param[0].bytes[0], 0);
	assert_int_equal(q.param[1].bytes[0], 255);
	assert_int_equal(q.param[2].number, 6);
}

int main(void)
{
	const struct CMUnitTest query[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_never_pasted),
		cmocka_unit_test(test_peer_range),
	};

	return cmocka_run_group_tests(query, NULL, NULL);
}
