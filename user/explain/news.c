/* SPDX-License-Identifier: Apache-2.0 */
/* What the history says of the time since a verdict was given. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/news.h"

#define US_PER_MS 1000

static void add(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *fmt, ...)
{
	size_t at = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + at, size - at, fmt, ap);
	va_end(ap);
}

/* What the failures of one place have in common, see history.c. */
static const char *place_of(const struct facts *f)
{
	if (f->role == ROLE_SERVER)
		return "at that port of ours";
	return f->kind == KIND_SENT ? "with that peer" : "at that destination";
}

void news_tell(const struct history *h, const struct facts *f, uint64_t stamp,
	       char *text, size_t size)
{
	struct past past;
	int64_t last_us = f->time_us;
	uint64_t n = history_since(h, f, stamp, &past, &last_us);
	char within[40];

	*text = '\0';
	if (!n)
		return;
	add(text, size, "%llu more failure%s %s", (unsigned long long)n,
	    n == 1 ? "" : "s", place_of(f));
	if (last_us >= f->time_us + US_PER_MS) {
		format_duration_ms((double)(last_us - f->time_us) / US_PER_MS,
				   within, sizeof(within));
		add(text, size, " within %s", within);
	}
	/* a cluster counts the failure itself */
	if (past.idle.n > 1)
		add(text, size, ", %u after the same idle time",
		    past.idle.n - 1);
	if (past.age.n > 1)
		add(text, size, ", %u at the same age", past.age.n - 1);
	if (past.refused)
		add(text, size, ", %u refused", past.refused);
	if (past.peer_went_on)
		add(text, size, ", and the peer went on");
}
