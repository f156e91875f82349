/* SPDX-License-Identifier: Apache-2.0 */
/* A server without a store, and requests to it. */
#ifndef RSTSCOPE_HTTP_CASE_H
#define RSTSCOPE_HTTP_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http_client.h"
#include "user/base/base.h"
#include "user/serve/endpoints.h"

struct fixture {
	struct endpoints endpoints;
	struct http *http;
	bool well;
};

static inline bool healthy(void *ctx, char *why, size_t size)
{
	struct fixture *f = ctx;

	if (!f->well)
		snprintf(why, size, "the store fails: disk full");
	return f->well;
}

static inline int open_http(struct fixture *f, const char *listen,
			    bool insecure, char *err, size_t err_size)
{
	struct http_config config = {
		.listen = listen,
		.insecure = insecure,
		.ctx = &f->endpoints,
	};

	config.routes = endpoints_routes(&config.n_routes);
	return http_open(&f->http, &config, err, err_size);
}

static inline void start(struct fixture *f, const char *listen)
{
	struct metrics_config metrics = {5, "1", "r", "k"};
	char err[256] = "";

	memset(f, 0, sizeof(*f));
	f->well = true;
	f->endpoints.metrics = metrics_new(&metrics);
	f->endpoints.healthy = healthy;
	f->endpoints.healthy_ctx = f;
	assert_int_equal(open_http(f, listen, false, err, sizeof(err)), 0);
	assert_int_equal(http_start(f->http, err, sizeof(err)), 0);
}

static inline int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	start(f, "127.0.0.1:0");
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	http_stop(f->http);
	metrics_free(f->endpoints.metrics);
	free(f);
	return 0;
}

static inline char *ask(struct fixture *f, const char *text)
{
	return ask_fd(dial_tcp(http_port(f->http)), text);
}

static inline char *request(struct fixture *f, const char *line,
			    const char *headers)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		 "%s\r\n",
		 line, headers);
	return ask(f, text);
}

static inline void check(struct fixture *f, const char *line,
			 const char *headers, int status, const char *has)
{
	char *answer = request(f, line, headers);

	if (status_of(answer) != status || !strstr(answer, has))
		fail_msg("%s: wanted %d and '%s', got:\n%.600s", line, status,
			 has, answer);
	free(answer);
}

#endif
