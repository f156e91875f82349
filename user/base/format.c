// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"

void format_ip(uint8_t family, const uint8_t ip[16], char out[IP_TEXT])
{
	int af = family == 4 ? AF_INET : AF_INET6;

	if ((family != 4 && family != 6) || !inet_ntop(af, ip, out, IP_TEXT))
		snprintf(out, IP_TEXT, "?");
}

void format_endpoint(uint8_t family, const uint8_t ip[16], uint16_t port,
		     char *out, size_t size)
{
	char text[IP_TEXT];

	format_ip(family, ip, text);
	snprintf(out, size, family == 6 ? "[%s]:%u" : "%s:%u", text,
		 (unsigned int)port);
}

void format_time_utc(int64_t us, char out[TIME_TEXT])
{
	int64_t part = us % USEC_PER_SEC;
	time_t sec = us / USEC_PER_SEC;
	struct tm tm;
	size_t n;

	if (part < 0) {
		part += USEC_PER_SEC;
		sec--;
	}
	gmtime_r(&sec, &tm);
	n = strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, TIME_TEXT - n, ".%06dZ", (int)part);
}

struct unit_pair {
	int64_t seconds;
	const char *big, *small;
	int64_t small_seconds;
};

/* From a minute on: two units, whole, the smaller one left out if zero. */
static void format_long(int64_t s, char *out, size_t size)
{
	static const struct unit_pair pairs[] = {
		{86400, "d", "h", 3600},
		{3600, "h", "min", 60},
		{60, "min", "s", 1},
	};
	const struct unit_pair *u = pairs;
	int64_t rest;

	while (s < u->seconds)
		u++;
	rest = s % u->seconds / u->small_seconds;
	if (rest)
		snprintf(out, size, "%" PRId64 " %s %" PRId64 " %s",
			 s / u->seconds, u->big, rest, u->small);
	else
		snprintf(out, size, "%" PRId64 " %s", s / u->seconds, u->big);
}

/* Limits lie half a last digit low, so that nothing reads "1000 ms". */
void format_duration_ms(double ms, char *out, size_t size)
{
	if (!(ms >= 0) || ms > 9e15)
		snprintf(out, size, "-");
	else if (ms == 0)
		snprintf(out, size, "0 ms");
	else if (ms < 0.9995)
		snprintf(out, size, "%.0f us", ms * 1000);
	else if (ms < 9.95)
		snprintf(out, size, "%.1f ms", ms);
	else if (ms < 999.5)
		snprintf(out, size, "%.0f ms", ms);
	else if (ms < 9995)
		snprintf(out, size, "%.2f s", ms / 1000);
	else if (ms < 59950)
		snprintf(out, size, "%.1f s", ms / 1000);
	else
		format_long(llround(ms / 1000), out, size);
}

void format_bytes(int64_t bytes, char *out, size_t size)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	double value = fabs((double)bytes);
	const char *sign = bytes < 0 ? "-" : "";
	size_t u = 0;
	long tenths;

	while (value >= 1023.95 && u + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		u++;
	}
	tenths = lround(value * 10);
	if (tenths % 10)
		snprintf(out, size, "%s%ld.%ld %s", sign, tenths / 10,
			 tenths % 10, units[u]);
	else
		snprintf(out, size, "%s%ld %s", sign, tenths / 10, units[u]);
}

/* Length of the character at s by its first byte, 0: none starts so. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

/* The code point at s and its length, or -1: not valid there (RFC 3629). */
static int32_t utf8_decode(const unsigned char *s, size_t *length)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = utf8_length(s[0]);
	int32_t code;

	if (n == 0)
		return -1;
	code = n == 1 ? s[0] : s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* also stops at the end */
			return -1;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return -1;
	*length = n;
	return code;
}

/* Controls, line separators, and what turns the direction of writing. */
static bool is_unprintable(int32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

void format_safe(const char *text, char *out, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;

	if (size == 0)
		return;
	while (*s) {
		size_t n = 1;
		int32_t code = utf8_decode(s, &n);
		bool bad = code < 0 || is_unprintable(code);
		size_t need = bad ? 1 : n;

		if (used + need >= size)
			break;
		if (bad)
			out[used] = '?';
		else
			memcpy(out + used, s, n);
		used += need;
		s += n;
	}
	out[used] = '\0';
}

const char *errno_name(int64_t nr)
{
	if (nr <= 0 || nr > 4095) /* MAX_ERRNO of the kernel */
		return NULL;
	return strerrorname_np((int)nr);
}

int errno_by_name(const char *name)
{
	if (strcmp(name, "EWOULDBLOCK") == 0)
		return EWOULDBLOCK;
	if (strcmp(name, "ENOTSUP") == 0)
		return ENOTSUP;
	if (strcmp(name, "EDEADLOCK") == 0)
		return EDEADLOCK;
	for (int nr = 1; nr < 256; nr++) {
		const char *known = errno_name(nr);

		if (known && strcmp(known, name) == 0)
			return nr;
	}
	return -ENOENT;
}

void text_copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}
