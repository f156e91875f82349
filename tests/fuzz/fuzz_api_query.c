/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's parameters, NAME=VALUE with '&' between (as libmicrohttpd hands
 * them on, decoded). What is taken is within its limits, and a cursor comes
 * back as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/api_query.h"

#define NOW_US 1790000000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct api_query *q)
{
	const struct filter *f = &q->filter;
	char cursor[API_CURSOR_TEXT], err[256];
	struct api_query again;
	struct event ev;

	if (f->limit < 1 || f->limit > API_LIMIT_MAX || q->top < 1 ||
	    !q->keys || q->keys > GROUP_KEYS_MOST || f->since_us == NOT_KNOWN)
		abort();
	if (!f->before_id)
		return;
	event_init(&ev);
	ev.time_us = f->before_us;
	ev.id = f->before_id;
	api_cursor(&ev, cursor);
	api_query_init(&again, API_TAKES_PAGE, NOW_US);
	if (api_query_set(&again, "cursor", cursor, err, sizeof(err)) ||
	    again.filter.before_us != f->before_us ||
	    again.filter.before_id != f->before_id)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *name, err[256];
	struct api_query q;

	memcpy(text, data, size);
	text[size] = '\0';
	api_query_init(&q, API_TAKES_PAGE | API_TAKES_GROUPS, NOW_US);
	while ((name = strsep(&rest, "&"))) {
		char *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		err[0] = '\0';
		if (api_query_set(&q, name, value, err, sizeof(err)) && !err[0])
			abort();
	}
	api_query_finish(&q);
	check(&q);
	free(text);
	return 0;
}
