/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "user/base/base.h"
#include "user/serve/endpoints.h"
#include "user/serve/page.h"

#define OPENMETRICS "application/openmetrics-text"

/* One entry of the header, [s, end): its media type and its weight. */
static bool is_type(const char *s, const char *end, const char *type)
{
	size_t n = strlen(type);

	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	if ((size_t)(end - s) < n || strncasecmp(s, type, n))
		return false;
	return s + n == end || strchr("; \t", s[n]);
}

static double weight(const char *s, const char *end)
{
	double q;

	while ((s = memchr(s, ';', end - s))) {
		s++;
		while (s < end && (*s == ' ' || *s == '\t'))
			s++;
		if (end - s < 2 || strncasecmp(s, "q=", 2))
			continue;
		q = strtod(s + 2, NULL);
		return q > 0 ? q : 0; /* also for what is no number */
	}
	return 1;
}

enum metrics_format endpoints_format(const char *accept)
{
	double open = 0, text = 0;
	const char *end;

	for (; *accept; accept = *end ? end + 1 : end) {
		double q;

		end = accept + strcspn(accept, ",");
		q = weight(accept, end);
		if (is_type(accept, end, OPENMETRICS))
			open = q > open ? q : open;
		else if (is_type(accept, end, "text/plain"))
			text = q > text ? q : text;
	}
	return open > 0 && open >= text ? METRICS_OPENMETRICS : METRICS_TEXT;
}

static void serve_metrics(const struct http_request *request,
			  struct http_response *response, void *ctx)
{
	enum metrics_format format = endpoints_format(request->accept);
	const struct endpoints *e = ctx;

	if (metrics_render(e->metrics, format, &response->body,
			   &response->size)) {
		http_text(response, 500, "out of memory\n");
		return;
	}
	response->vary = "Accept";
	response->type = format == METRICS_OPENMETRICS
				 ? OPENMETRICS "; version=1.0.0; charset=utf-8"
				 : "text/plain; version=0.0.4; charset=utf-8";
}

static void serve_health(const struct http_request *request,
			 struct http_response *response, void *ctx)
{
	const struct endpoints *e = ctx;
	char why[256] = "not healthy";

	(void)request;
	if (!e->healthy || e->healthy(e->healthy_ctx, why, sizeof(why)))
		http_text(response, 200, "ok\n");
	else
		http_text(response, 503, "%s\n", why);
}

static const struct http_route routes[] = {
	{"/", page_serve},
	{"/app.js", page_serve},
	{"/chart.min.js", page_serve},
	{"/chart.min.js.license", page_serve},
	{"/charts.js", page_serve},
	{"/style.css", page_serve},
	{"/icon.svg", page_serve},
	{"/metrics", serve_metrics, .any_host = true},
	{"/healthz", serve_health, .any_host = true, .no_token = true},
	{"/api/v1/openapi.json", page_serve},
	{"/api/v1/event.schema.json", page_serve},
	{"/api/v1/events", api_events},
	{"/api/v1/events/", api_event},
	{"/api/v1/summary", api_summary},
	{"/api/v1/stream", api_stream_events},
	{"/api/v1/status", api_status},
};

const struct http_route *endpoints_routes(size_t *n)
{
	*n = ARRAY_SIZE(routes);
	return routes;
}
