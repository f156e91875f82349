// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "user/base/base.h"

#define MICRO 1000000

/*
 * Digits at *at, moved past them. -EINVAL: there are none; -ERANGE: more than
 * int64_t holds.
 */
static int take_digits(const char **at, int64_t *out)
{
	const char *s = *at;
	int64_t value = 0;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *s - '0', &value))
			return -ERANGE;
	}
	*at = s;
	*out = value;
	return 0;
}

/* ".345" as millionths, further digits cut off; nothing there is 0. */
static int take_fraction(const char **at, int64_t *micro)
{
	const char *s = *at;
	int64_t scale = MICRO / 10;

	*micro = 0;
	if (*s != '.')
		return 0;
	if (!isdigit((unsigned char)*++s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		*micro += (*s - '0') * scale;
		scale /= 10;
	}
	*at = s;
	return 0;
}

int parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	const char *at = text + negative;
	int64_t value;
	int err = take_digits(&at, &value);

	if (err == -ERANGE && at[strspn(at, "0123456789")] != '\0')
		return -EINVAL;
	/* INT64_MIN itself is nobody's input. */
	if (err)
		return err;
	if (*at != '\0')
		return -EINVAL;
	if (negative)
		value = -value;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/* whole * unit + millionths of a unit */
static int scale_up(int64_t whole, int64_t micro, int64_t unit, int64_t *out)
{
	int64_t value;

	if (__builtin_mul_overflow(whole, unit, &value))
		return -ERANGE;
	/* In two steps: unit may be near 2^60, micro near 2^20. */
	if (__builtin_add_overflow(value, unit / MICRO * micro, &value) ||
	    __builtin_add_overflow(value, unit % MICRO * micro / MICRO, &value))
		return -ERANGE;
	*out = value;
	return 0;
}

struct duration_unit {
	const char *name;
	int64_t us;
};

static int64_t take_duration_unit(const char **at)
{
	static const struct duration_unit units[] = {
		{"us", 1},
		{"ms", 1000},
		{"s", USEC_PER_SEC},
		{"m", 60 * USEC_PER_SEC},
		{"min", 60 * USEC_PER_SEC},
		{"h", 3600 * USEC_PER_SEC},
		{"d", 86400 * USEC_PER_SEC},
		{"w", 7 * 86400 * USEC_PER_SEC},
	};
	size_t n = 0;

	while (isalpha((unsigned char)(*at)[n]))
		n++;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == n &&
		    memcmp(units[i].name, *at, n) == 0) {
			*at += n;
			return units[i].us;
		}
	}
	return 0;
}

int parse_duration_us(const char *text, int64_t *us)
{
	int64_t total = 0, last_unit = INT64_MAX;
	const char *at = text;

	do {
		int64_t whole, micro, unit, value;
		bool first = at == text;
		int err = take_digits(&at, &whole);

		if (!err)
			err = take_fraction(&at, &micro);
		if (err)
			return err;
		/* A bare number is seconds, but only alone: not "1h30". */
		unit = *at == '\0' && first ? USEC_PER_SEC
					    : take_duration_unit(&at);
		if (unit == 0 || unit >= last_unit)
			return -EINVAL;
		last_unit = unit;
		err = scale_up(whole, micro, unit, &value);
		if (err)
			return err;
		if (__builtin_add_overflow(total, value, &total))
			return -ERANGE;
	} while (*at != '\0');
	*us = total;
	return 0;
}

int parse_size(const char *text, int64_t *bytes)
{
	static const char units[] = "KMGTP";
	const char *at = text, *unit;
	int64_t whole, micro, factor = 1;
	int err = take_digits(&at, &whole);

	if (!err)
		err = take_fraction(&at, &micro);
	if (err)
		return err;
	unit = *at ? strchr(units, toupper((unsigned char)*at)) : NULL;
	if (unit) {
		factor = (int64_t)1 << (10 * (unit - units + 1));
		at++;
		if (*at == 'i' && at[1] == 'B')
			at++;
	}
	if (*at == 'B')
		at++;
	/* Half a byte does not exist. */
	if (*at != '\0' || (factor == 1 && micro != 0))
		return -EINVAL;
	return scale_up(whole, micro, factor, bytes);
}
