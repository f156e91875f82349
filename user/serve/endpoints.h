/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon serves: the table of routes and what its handlers need.
 */
#ifndef RSTSCOPE_ENDPOINTS_H
#define RSTSCOPE_ENDPOINTS_H

#include "user/serve/api.h"
#include "user/serve/http.h"
#include "user/serve/metrics.h"

struct endpoints {
	struct metrics *metrics;
	struct api *api; /* NULL: no store to read */
	/*
	 * Is the daemon well? False with one line in `why` where not. Called
	 * from the HTTP threads. NULL: always well.
	 */
	bool (*healthy)(void *ctx, char *why, size_t why_size);
	void *healthy_ctx;
};

/* For struct http_config; its ctx is a struct endpoints. */
const struct http_route *endpoints_routes(size_t *n);

/* Does this Accept header prefer OpenMetrics to plain text (RFC 9110)? */
enum metrics_format endpoints_format(const char *accept);

#endif
