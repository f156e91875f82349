// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"

/* Exactly n digits; moves *at past them. */
static bool take_number(const char **at, int n, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*at)[i]))
			return false;
		value = value * 10 + (*at)[i] - '0';
	}
	*at += n;
	*out = value;
	return true;
}

static bool take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* ".345" in microseconds; further digits are cut off. */
static bool take_micros(const char **at, int64_t *us)
{
	int64_t scale = USEC_PER_SEC / 10;

	*us = 0;
	if (!take_char(at, '.'))
		return true;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++) {
		*us += (**at - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* "2026-11-24" */
static bool take_date(const char **at, struct tm *tm)
{
	return take_number(at, 4, &tm->tm_year) && take_char(at, '-') &&
	       take_number(at, 2, &tm->tm_mon) && take_char(at, '-') &&
	       take_number(at, 2, &tm->tm_mday);
}

/* "06:40", "06:40:12", "06:40:12.345" */
static bool take_clock(const char **at, struct tm *tm, int64_t *us)
{
	if (!take_number(at, 2, &tm->tm_hour) || !take_char(at, ':') ||
	    !take_number(at, 2, &tm->tm_min))
		return false;
	*us = 0;
	if (!take_char(at, ':'))
		return true;
	return take_number(at, 2, &tm->tm_sec) && take_micros(at, us);
}

static bool is_in_range(const struct tm *tm)
{
	return tm->tm_year >= 1970 && tm->tm_mon >= 1 && tm->tm_mon <= 12 &&
	       tm->tm_mday >= 1 && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
	       tm->tm_sec <= 60;
}

/* mktime and timegm take the 30th of February for the 2nd of March. */
static bool is_in_calendar(const struct tm *tm)
{
	struct tm day = {.tm_year = tm->tm_year,
			 .tm_mon = tm->tm_mon,
			 .tm_mday = tm->tm_mday};

	timegm(&day);
	return day.tm_mday == tm->tm_mday && day.tm_mon == tm->tm_mon;
}

static int to_unix_us(struct tm *tm, bool utc, int64_t part, int64_t *us)
{
	time_t sec;

	if (!is_in_range(tm))
		return -ERANGE;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	tm->tm_isdst = -1;
	if (!is_in_calendar(tm))
		return -ERANGE;
	sec = utc ? timegm(tm) : mktime(tm);
	if (sec < 0)
		return -ERANGE;
	*us = sec * USEC_PER_SEC + part;
	return 0;
}

static int parse_calendar(const char *text, int64_t *us)
{
	struct tm tm = {0};
	int64_t part = 0;
	bool utc = false;

	if (!take_date(&text, &tm))
		return -EINVAL;
	if (*text != '\0') {
		if (!take_char(&text, ' ') && !take_char(&text, 'T'))
			return -EINVAL;
		if (!take_clock(&text, &tm, &part))
			return -EINVAL;
		utc = take_char(&text, 'Z');
	}
	if (*text != '\0')
		return -EINVAL;
	return to_unix_us(&tm, utc, part, us);
}

static int parse_unix(const char *text, int64_t *us)
{
	char whole[24];
	size_t n = strspn(text, "0123456789");
	int64_t sec, part, value;
	int err;

	if (n >= sizeof(whole))
		return -ERANGE;
	memcpy(whole, text, n);
	whole[n] = '\0';
	err = parse_int(whole, 0, INT64_MAX, &sec);
	if (err)
		return err;
	text += n;
	if (!take_micros(&text, &part) || *text != '\0')
		return -EINVAL;
	if (__builtin_mul_overflow(sec, USEC_PER_SEC, &value) ||
	    __builtin_add_overflow(value, part, us))
		return -ERANGE;
	return 0;
}

static bool looks_like_date(const char *text)
{
	return strspn(text, "0123456789") == 4 && text[4] == '-';
}

int parse_time_us(const char *text, int64_t now_us, int64_t *us)
{
	int64_t value;
	int err;

	if (*text == '@')
		err = parse_unix(text + 1, &value);
	else if (looks_like_date(text))
		err = parse_calendar(text, &value);
	else {
		err = parse_duration_us(text, &value);
		if (!err && value > now_us)
			return -ERANGE; /* before 1970 */
		value = err ? 0 : now_us - value;
	}
	if (err)
		return err;
	*us = value;
	return 0;
}
