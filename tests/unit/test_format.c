// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "user/base/base.h"

static void test_endpoint(void **state)
{
	static const uint8_t four[16] = {1, 2, 3, 4}, one[16] = {[15] = 1};
	char text[64], ip[IP_TEXT];

	(void)state;
	format_endpoint(4, four, 80, text, sizeof(text));
	assert_string_equal(text, "1.2.3.4:80");
	format_endpoint(6, one, 65535, text, sizeof(text));
	assert_string_equal(text, "[::1]:65535");
	format_ip(0, one, ip);
	assert_string_equal(ip, "?");
	format_endpoint(4, four, 80, text, 6);
	assert_string_equal(text, "1.2.3");
}

static void test_time_utc(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	format_time_utc(1795502412345678, text);
	assert_string_equal(text, "2026-11-24T06:40:12.345678Z");
	format_time_utc(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	format_time_utc(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	format_time_utc(INT64_MAX, text);
	assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
}

struct duration_case {
	double ms;
	const char *text;
};

static void test_duration(void **state)
{
	static const struct duration_case cases[] = {
		{0, "0 ms"},	    {0.25, "250 us"},
		{0.9996, "1.0 ms"}, {9.94, "9.9 ms"},
		{9.96, "10 ms"},    {120, "120 ms"},
		{999.6, "1.00 s"},  {5020, "5.02 s"},
		{9996, "10.0 s"},   {59940, "59.9 s"},
		{59960, "1 min"},   {65000, "1 min 5 s"},
		{3599600, "1 h"},   {7440000, "2 h 4 min"},
		{86400000, "1 d"},  {277200000, "3 d 5 h"},
		{-1, "-"},	    {1e300, "-"},
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_duration_ms(cases[i].ms, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
	format_duration_ms(NAN, text, sizeof(text));
	assert_string_equal(text, "-");
}

struct bytes_case {
	int64_t bytes;
	const char *text;
};

static void test_bytes(void **state)
{
	static const struct bytes_case cases[] = {
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1 KiB"},
		{1536, "1.5 KiB"},
		{1048575, "1 MiB"},
		{2147483648, "2 GiB"},
		{-1536, "-1.5 KiB"},
		{INT64_MAX, "8 EiB"},
		{INT64_MIN, "-8 EiB"},
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		format_bytes(cases[i].bytes, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

struct safe_case {
	const char *text, *out;
	size_t size;
};

static void test_safe(void **state)
{
	static const struct safe_case cases[] = {
		{"nginx: worker", "nginx: worker", 64},
		{"a\tb\nc\033[1m\177", "a?b?c?[1m?", 64},
		{"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80",
		 64},
		{"\xc3", "?", 64},		  /* ends too soon */
		{"\xc3(", "?(", 64},		  /* no continuation */
		{"\xc0\xaf", "??", 64},		  /* overlong */
		{"\xe0\x80\xaf", "???", 64},	  /* overlong */
		{"\xed\xa0\x80", "???", 64},	  /* surrogate */
		{"\xf4\x90\x80\x80", "????", 64}, /* beyond Unicode */
		{"\xff\xfe", "??", 64},
		{"\xc2\x9b"
		 "1m",
		 "?1m", 64}, /* CSI in C1 */
		{"a\xe2\x80\xae"
		 "b",
		 "a?b", 64}, /* right-to-left override */
		{"abcdef", "abc", 4},
		{"ab\xc3\xa9", "ab", 4}, /* no half characters */
		{"ab\xc3\xa9", "ab\xc3\xa9", 5},
		{"abc", "", 1},
		{"", "", 8},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(out, 'Z', sizeof(out));
		format_safe(cases[i].text, out, cases[i].size);
		assert_string_equal(out, cases[i].out);
	}
	out[0] = 'Z';
	format_safe("abc", out, 0);
	assert_int_equal(out[0], 'Z');
}

static void test_errno(void **state)
{
	(void)state;
	assert_string_equal(errno_name(ECONNRESET), "ECONNRESET");
	assert_string_equal(errno_name(EPIPE), "EPIPE");
	assert_null(errno_name(0));
	assert_null(errno_name(-1));
	assert_null(errno_name(4096));
	assert_null(errno_name(INT64_MAX));
	assert_int_equal(errno_by_name("ETIMEDOUT"), ETIMEDOUT);
	assert_int_equal(errno_by_name("EWOULDBLOCK"), EAGAIN);
	assert_int_equal(errno_by_name("EWHAT"), -ENOENT);
	assert_int_equal(errno_by_name(""), -ENOENT);
	for (int nr = 1; nr < 256; nr++) {
		if (errno_name(nr))
			assert_int_equal(errno_by_name(errno_name(nr)), nr);
	}
}

int main(void)
{
	const struct CMUnitTest format[] = {
		cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_time_utc),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_errno),
	};

	return cmocka_run_group_tests(format, NULL, NULL);
}
