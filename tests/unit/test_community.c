// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "user/base/base.h"

struct flow {
	const char *a, *b;
	uint16_t a_port, b_port;
	const char *id;
};

/* With an id: from the published baseline of the specification, seed 0. */
static const struct flow flows[] = {
	{"128.232.110.120", "66.35.250.204", 34855, 80,
	 "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{"192.168.170.8", "192.168.170.20", 32795, 53, NULL},
	{"10.0.0.1", "10.0.0.1", 1000, 2000, NULL},
	{"2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a",
	 63943, 25, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
};

static void compute(const struct flow *f, bool swapped, char out[40])
{
	uint8_t family, a[16], b[16];

	assert_int_equal(parse_ip(f->a, &family, a), 0);
	assert_int_equal(parse_ip(f->b, &family, b), 0);
	if (swapped)
		community_id(family, b, f->b_port, a, f->a_port, out);
	else
		community_id(family, a, f->a_port, b, f->b_port, out);
}

static void test_published(void **state)
{
	char id[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		compute(&flows[i], false, id);
		if (flows[i].id)
			assert_string_equal(id, flows[i].id);
	}
}

static void test_same_for_both_ends(void **state)
{
	char there[40], back[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
		compute(&flows[i], false, there);
		compute(&flows[i], true, back);
		assert_string_equal(there, back);
		assert_int_equal(strlen(there), 30);
	}
}

/* Bytes beyond an IPv4 address are no part of it. */
static void test_ignores_tail(void **state)
{
	uint8_t family, a[16], b[16];
	char id[40];

	(void)state;
	parse_ip(flows[0].a, &family, a);
	parse_ip(flows[0].b, &family, b);
	memset(a + 4, 0xff, 12);
	community_id(4, a, 34855, b, 80, id);
	assert_string_equal(id, flows[0].id);
}

int main(void)
{
	const struct CMUnitTest community[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_same_for_both_ends),
		cmocka_unit_test(test_ignores_tail),
	};

	return cmocka_run_group_tests(community, NULL, NULL);
}
