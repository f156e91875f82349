/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "user/base/base.h"
#include "user/tell/show.h"

void show_split_time(int64_t us, bool utc, struct tm *tm)
{
	time_t at = us / USEC_PER_SEC;

	if (utc)
		gmtime_r(&at, tm);
	else
		localtime_r(&at, tm);
}

void show_time(const struct show *show, int64_t us, char *out, size_t size)
{
	struct tm tm, today;
	char text[TIME_TEXT];
	bool same_day;

	if (us < 0) {
		*out = '\0';
		return;
	}
	if (!show->terminal) {
		format_time_utc(us, text);
		snprintf(out, size, "%s", text);
		return;
	}
	show_split_time(us, show->utc, &tm);
	show_split_time(show->now_us, show->utc, &today);
	same_day = tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year;
	strftime(text, sizeof(text), same_day ? "%T" : "%m-%d %T", &tm);
	snprintf(out, size, "%s%s", text, show->utc ? "Z" : "");
}
