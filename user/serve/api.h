/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1: the history as JSON, for the page and for programs; openapi.json is
 * its contract. Reads go through store connections of their own (WAL: they
 * never wait for the writer, nor it for them), at most API_READERS at a time,
 * and have a limit in rows and in time.
 */
#ifndef RSTSCOPE_API_H
#define RSTSCOPE_API_H

#include "user/explain/timeouts.h"
#include "user/serve/http.h"
#include "user/serve/stream.h"
#include "user/store/store.h"

#define API_READERS  2
#define API_ROWS_MAX 100000 /* the newest that summary looks at */

struct api;

struct api_config {
	const char *store;    /* URL; must outlive the API */
	const char *timeouts; /* the user's timers; a file, need not exist */
};

/* Opens nothing yet. NULL: out of memory. */
struct api *api_new(const struct api_config *config);
void api_free(struct api *a);
struct stream *api_stream(struct api *a);
const struct timeouts *api_timeouts(const struct api *a);

/*
 * A connection for one request, or NULL: the response says why. Give it back.
 */
struct store *api_take(struct api *a, struct http_response *response);
void api_give(struct api *a, struct store *store);
/* Answers for a store that failed. */
void api_store_failed(struct http_response *response, int err,
		      const char *text);

/* Handlers; their ctx is a struct endpoints. */
void api_events(const struct http_request *request,
		struct http_response *response, void *endpoints);
/* "/api/v1/events/ID" and "/api/v1/events/ID/story" */
void api_event(const struct http_request *request,
	       struct http_response *response, void *endpoints);
void api_summary(const struct http_request *request,
		 struct http_response *response, void *endpoints);
void api_stream_events(const struct http_request *request,
		       struct http_response *response, void *endpoints);
void api_status(const struct http_request *request,
		struct http_response *response, void *endpoints);

#endif
