/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query string of the API: FILTER by its names on the command line, and
 * what else an answer may be shaped by.
 */
#ifndef RSTSCOPE_API_QUERY_H
#define RSTSCOPE_API_QUERY_H

#include "user/serve/http.h"
#include "user/store/filter.h"
#include "user/tell/groups.h"

#define API_LIMIT     100 /* events on a page, where nothing is said */
#define API_LIMIT_MAX 1000
#define API_GROUPS    20

/* What an answer takes beside FILTER. */
enum api_takes {
	API_TAKES_PAGE = 1 << 0,   /* limit, cursor */
	API_TAKES_GROUPS = 1 << 1, /* by, top */
};

#define API_PARAMETERS 24

struct api_query {
	int64_t now_us;
	unsigned int takes;
	struct filter filter; /* its limit: events on a page */
	const struct group_key *key[GROUP_KEYS_MOST];
	size_t keys;
	int64_t top;
	/* Those that were given. */
	const char *given[API_PARAMETERS];
	size_t n_given;
};

void api_query_init(struct api_query *q, unsigned int takes, int64_t now_us);
/* One parameter; value NULL: it has none. -EINVAL with one line in err. */
int api_query_set(struct api_query *q, const char *name, const char *value,
		  char *err, size_t err_size);
/* What holds where nothing was said: the last hour, as for `rstscope ls`. */
void api_query_finish(struct api_query *q);

/* All of a request's; false: the response says what is wrong. */
bool api_query_read(struct api_query *q, unsigned int takes,
		    const struct http_request *request,
		    struct http_response *response);

#define API_CURSOR_TEXT 48
/* The cursor of what is listed before that event. */
void api_cursor(const struct event *ev, char out[API_CURSOR_TEXT]);

#endif
