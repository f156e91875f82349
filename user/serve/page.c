/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/page.h"

#include <string.h>

#include "user/base/base.h"

/* The assembler reads the file, relative to where make runs. */
#define EMBED(name, file)                                                      \
	__asm__(".section .rodata\n"                                           \
		"page_" #name ":\n"                                            \
		".incbin \"" file "\"\n"                                       \
		"page_" #name "_end:\n"                                        \
		".previous\n");                                                \
	extern const char page_##name[], page_##name##_end[]

EMBED(html, "user/serve/page/index.html");
EMBED(app, "user/serve/page/app.js");
/* Debian's libjs-chart.js. */
EMBED(chart, "/usr/share/javascript/chart.js/chart.min.js");
EMBED(chart_license, "/usr/share/doc/libjs-chart.js/copyright");
EMBED(charts, "user/serve/page/charts.js");
EMBED(style, "user/serve/page/style.css");
EMBED(icon, "user/serve/page/icon.svg");
EMBED(openapi, "user/serve/openapi.json");
EMBED(schema, "user/store/event.schema.json");

static const struct {
	const char *path, *type, *start, *end;
} files[] = {
	{"/", "text/html; charset=utf-8", page_html, page_html_end},
	{"/app.js", "text/javascript; charset=utf-8", page_app, page_app_end},
	{"/chart.min.js", "text/javascript; charset=utf-8", page_chart,
	 page_chart_end},
	{"/chart.min.js.license", "text/plain; charset=utf-8",
	 page_chart_license, page_chart_license_end},
	{"/charts.js", "text/javascript; charset=utf-8", page_charts,
	 page_charts_end},
	{"/style.css", "text/css; charset=utf-8", page_style, page_style_end},
	{"/icon.svg", "image/svg+xml", page_icon, page_icon_end},
	{"/api/v1/openapi.json", "application/json", page_openapi,
	 page_openapi_end},
	{"/api/v1/event.schema.json", "application/schema+json", page_schema,
	 page_schema_end},
};

void page_serve(const struct http_request *request,
		struct http_response *response, void *ctx)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].path, request->path))
			continue;
		response->constant = files[i].start;
		response->size = files[i].end - files[i].start;
		response->type = files[i].type;
	}
}
