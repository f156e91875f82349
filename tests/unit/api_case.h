/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a store behind it, for the tests of the API. */
#ifndef RSTSCOPE_API_CASE_H
#define RSTSCOPE_API_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "http_client.h"
#include "sample_event.h"
#include "scratch.h"
#include "user/serve/endpoints.h"

/* The samples are of another day. */
#define ALL_TIMES "since=@1000000000"

struct api_case {
	struct scratch *scratch;
	struct store *writer;
	struct endpoints endpoints;
	struct http *http;
};

static inline int api_case_setup(void **state)
{
	struct api_case *c = calloc(1, sizeof(*c));
	struct http_config http = {.listen = "127.0.0.1:0"};
	struct api_config api = {0};
	char err[512];

	if (scratch_setup((void **)&c->scratch))
		return -1;
	http.ctx = &c->endpoints;
	http.routes = endpoints_routes(&http.n_routes);
	api.store = c->scratch->path;
	c->endpoints.api = api_new(&api);
	*state = c;
	return store_open(&c->writer, c->scratch->path, STORE_WRITE, err,
			  sizeof(err)) ||
	       stream_start(api_stream(c->endpoints.api)) ||
	       http_open(&c->http, &http, err, sizeof(err)) ||
	       http_start(c->http, err, sizeof(err));
}

static inline int api_case_teardown(void **state)
{
	struct api_case *c = *state;
	void *scratch = c->scratch;

	stream_stop(api_stream(c->endpoints.api));
	http_stop(c->http);
	api_free(c->endpoints.api);
	store_close(c->writer);
	scratch_teardown(&scratch);
	free(c);
	return 0;
}

static inline void api_case_put(struct api_case *c, const struct event *ev)
{
	char err[512] = "";

	if (store_put(c->writer, &ev, 1, err, sizeof(err)))
		fail_msg("%s", err);
}

/* The whole answer to a GET; free() it. */
static inline char *api_case_ask(struct api_case *c, const char *target)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "GET %s HTTP/1.1\r\nHost: localhost\r\n"
		 "Connection: close\r\n\r\n",
		 target);
	return ask_fd(dial_tcp(http_port(c->http)), text);
}

/* Its body as JSON, of an answer with that status. */
static inline json_t *api_case_get(struct api_case *c, const char *target,
				   int status)
{
	char *answer = api_case_ask(c, target);
	const char *body = strstr(answer, "\r\n\r\n");
	json_t *json = body ? json_loads(body + 4, 0, NULL) : NULL;

	if (status_of(answer) != status || !json)
		fail_msg("%s: wanted %d and JSON, got:\n%.600s", target, status,
			 answer);
	free(answer);
	return json;
}

#endif
