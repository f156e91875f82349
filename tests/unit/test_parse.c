// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "user/base/base.h"

#define UNTOUCHED 424242

struct number_case {
	const char *text;
	int result;
	int64_t value; /* where the result is 0 */
};

static void check(const struct number_case *c, int result, int64_t value)
{
	if (result != c->result || value != (result ? UNTOUCHED : c->value))
		fail_msg("'%s': %d, %lld", c->text, result, (long long)value);
}

static void test_int(void **state)
{
	static const struct number_case cases[] = {
		{"0", 0, 0},
		{"-5", 0, -5},
		{"100", 0, 100},
		{"007", 0, 7},
		{"101", -ERANGE, 0},
		{"-6", -ERANGE, 0},
		{"9223372036854775808", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
		{"99999999999999999999999x", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"--1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1x", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = UNTOUCHED;
		int result = parse_int(cases[i].text, -5, 100, &value);

		check(&cases[i], result, value);
	}
}

static void test_int_limits(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(parse_int("9223372036854775807", 0, INT64_MAX, &value),
			 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(
		parse_int("-9223372036854775807", INT64_MIN, 0, &value), 0);
	assert_true(value == -INT64_MAX);
}

static void test_duration(void **state)
{
	static const struct number_case cases[] = {
		{"0", 0, 0},
		{"90", 0, 90000000},
		{"90s", 0, 90000000},
		{"5m", 0, 300000000},
		{"5min", 0, 300000000},
		{"1h30m", 0, 5400000000},
		{"7d", 0, 604800000000},
		{"2w", 0, 1209600000000},
		{"250ms", 0, 250000},
		{"10us", 0, 10},
		{"1.5s", 0, 1500000},
		{"0.5", 0, 500000},
		{"1d2h3m4s5ms6us", 0, 93784005006},
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"1h30", -EINVAL, 0},
		{"30m1h", -EINVAL, 0},
		{"1h1h", -EINVAL, 0},
		{"1 h", -EINVAL, 0},
		{"1y", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{"9223372036854775807d", -ERANGE, 0},
		{"106751991d86400s", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = UNTOUCHED;
		int result = parse_duration_us(cases[i].text, &value);

		check(&cases[i], result, value);
	}
}

static void test_size(void **state)
{
	static const struct number_case cases[] = {
		{"1048576", 0, 1048576},
		{"512M", 0, 536870912},
		{"512m", 0, 536870912},
		{"2G", 0, 2147483648},
		{"1.5K", 0, 1536},
		{"3KiB", 0, 3072},
		{"3KB", 0, 3072},
		{"12B", 0, 12},
		{"1T", 0, 1099511627776},
		{"", -EINVAL, 0},
		{"M", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
		{"-1M", -EINVAL, 0},
		{"1X", -EINVAL, 0},
		{"1MM", -EINVAL, 0},
		{"1Ki", -EINVAL, 0},
		{"9007199254740992K", -ERANGE, 0},
		{"9223372036854775808", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = UNTOUCHED;
		int result = parse_size(cases[i].text, &value);

		check(&cases[i], result, value);
	}
}

static const int64_t now_us =
	1795502412345678; /* 2026-11-24T06:40:12.345678Z */

static void test_time_utc(void **state)
{
	static const struct number_case cases[] = {
		{"2026-11-24T06:40:12.345678Z", 0, 1795502412345678},
		{"2026-11-24T06:40:12.345Z", 0, 1795502412345000},
		{"2026-11-24T06:40:12.3456789Z", 0, 1795502412345678},
		{"2026-11-24 06:40Z", 0, 1795502400000000},
		{"@1795502400", 0, 1795502400000000},
		{"@1795502400.5", 0, 1795502400500000},
		{"@0", 0, 0},
		{"1h", 0, 1795502412345678 - 3600000000},
		{"12", 0, 1795502412345678 - 12000000},
		{"2024-02-29T00:00Z", 0, 1709164800000000},
		{"2025-02-29T00:00Z", -ERANGE, 0},
		{"2026-13-01T00:00Z", -ERANGE, 0},
		{"2026-00-01T00:00Z", -ERANGE, 0},
		{"2026-01-32T00:00Z", -ERANGE, 0},
		{"2026-01-01T24:00Z", -ERANGE, 0},
		{"2026-01-01T00:60Z", -ERANGE, 0},
		{"1969-12-31T00:00Z", -ERANGE, 0},
		{"30000w", -ERANGE, 0},
		{"@9223372036854775807", -ERANGE, 0},
		{"@99999999999999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"yesterday", -EINVAL, 0},
		{"2026-11-24T", -EINVAL, 0},
		{"2026-11-24T06", -EINVAL, 0},
		{"2026-11-24T6:40", -EINVAL, 0},
		{"2026-11-24T06:40:", -EINVAL, 0},
		{"2026-11-24T06:40:12.", -EINVAL, 0},
		{"2026-11-24T06:40:12Zx", -EINVAL, 0},
		{"2026-11-4", -EINVAL, 0},
		{"@", -EINVAL, 0},
		{"@-1", -EINVAL, 0},
		{"@1x", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = UNTOUCHED;
		int result = parse_time_us(cases[i].text, now_us, &value);

		check(&cases[i], result, value);
	}
}

/* Without a Z, the time is that of the machine's clock on the wall. */
static void test_time_local(void **state)
{
	int64_t value;

	(void)state;
	setenv("TZ", "XST-2", 1); /* two hours east of UTC */
	tzset();
	assert_int_equal(parse_time_us("2026-11-24 06:40", now_us, &value), 0);
	assert_true(value == 1795502400000000 - 7200000000);
	assert_int_equal(parse_time_us("2026-11-24", now_us, &value), 0);
	assert_true(value == 1795478400000000 - 7200000000);
	assert_int_equal(parse_time_us("2026-11-24T06:40Z", now_us, &value), 0);
	assert_true(value == 1795502400000000);
	unsetenv("TZ");
	tzset();
}

static void test_ip(void **state)
{
	static const uint8_t four[16] = {10, 1, 2, 3};
	static const uint8_t one[16] = {[15] = 1};
	static const char *const bad[] = {"",	    "10.1.2",	"10.1.2.256",
					  "::1%lo", "[::1]",	"10.1.2.3/8",
					  ":",	    "localhost"};
	uint8_t family = 9, ip[16];

	(void)state;
	memset(ip, 0xee, sizeof(ip));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_ip(bad[i], &family, ip), -EINVAL);
	assert_int_equal(family, 9);
	assert_int_equal(ip[0], 0xee);
	assert_int_equal(parse_ip("10.1.2.3", &family, ip), 0);
	assert_int_equal(family, 4);
	assert_memory_equal(ip, four, 16);
	assert_int_equal(parse_ip("::1", &family, ip), 0);
	assert_int_equal(family, 6);
	assert_memory_equal(ip, one, 16);
	assert_int_equal(parse_ip("::ffff:10.1.2.3", &family, ip), 0);
	assert_int_equal(family, 4);
	assert_memory_equal(ip, four, 16);
}

struct peer_case {
	const char *text;
	int result;
	const char *ip;
	int bits;
	int port;
};

static void test_peer(void **state)
{
	static const struct peer_case cases[] = {
		{"1.2.3.4", 0, "1.2.3.4", 32, -1},
		{"1.2.3.4:80", 0, "1.2.3.4", 32, 80},
		{"10.0.0.0/8", 0, "10.0.0.0", 8, -1},
		{"10.1.2.3/8", 0, "10.0.0.0", 8, -1},
		{"10.1.2.3/30:443", 0, "10.1.2.0", 30, 443},
		{"1.2.3.4/0", 0, "0.0.0.0", 0, -1},
		{"::1", 0, "::1", 128, -1},
		{"[::1]", 0, "::1", 128, -1},
		{"[::1]:80", 0, "::1", 128, 80},
		{"fd00::/8", 0, "fd00::", 8, -1},
		{"fd12:3456::1/12:80", 0, "fd10::", 12, 80},
		{"[fd00::/8]:80", 0, "fd00::", 8, 80},
		{"[fd00::]/8:80", 0, "fd00::", 8, 80},
		{"[fd00::]/8", 0, "fd00::", 8, -1},
		{"::ffff:10.1.2.3", 0, "10.1.2.3", 32, -1},
		{"::ffff:10.1.2.3/104", 0, "10.0.0.0", 8, -1},
		{"", -EINVAL, NULL, 0, 0},
		{":80", -EINVAL, NULL, 0, 0},
		{"1.2.3.4:", -EINVAL, NULL, 0, 0},
		{"1.2.3.4/", -EINVAL, NULL, 0, 0},
		{"1.2.3.4/x", -EINVAL, NULL, 0, 0},
		{"1.2.3.4/8/9", -EINVAL, NULL, 0, 0},
		{"[::1", -EINVAL, NULL, 0, 0},
		{"[::1]80", -EINVAL, NULL, 0, 0},
		{"[1.2.3.4]:80", -EINVAL, NULL, 0, 0},
		{"host:80", -EINVAL, NULL, 0, 0},
		{"1.2.3.4/33", -ERANGE, NULL, 0, 0},
		{"::/129", -ERANGE, NULL, 0, 0},
		{"1.2.3.4:0", -ERANGE, NULL, 0, 0},
		{"1.2.3.4:65536", -ERANGE, NULL, 0, 0},
		{"111111111111111111111111111111111111111111111111111111111"
		 "1111111111111111111111111111111",
		 -EINVAL, NULL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct peer_case *c = &cases[i];
		uint8_t family, ip[16], bits;
		char text[IP_TEXT];
		int64_t port;

		if (parse_peer(c->text, &family, ip, &bits, &port) != c->result)
			fail_msg("'%s'", c->text);
		if (c->result)
			continue;
		format_ip(family, ip, text);
		if (strcmp(text, c->ip) != 0 || bits != c->bits ||
		    port != c->port)
			fail_msg("'%s': %s/%d:%d", c->text, text, bits,
				 (int)port);
	}
}

int main(void)
{
	const struct CMUnitTest parse[] = {
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_int_limits),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_time_utc),
		cmocka_unit_test(test_time_local),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_peer),
	};

	return cmocka_run_group_tests(parse, NULL, NULL);
}
