/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "user/base/base.h"
#include "user/cli/html.h"

#define TEXT_MOST 1024

void html_text(FILE *out, const char *text)
{
	char safe[TEXT_MOST];

	format_safe(text, safe, sizeof(safe));
	for (const char *c = safe; *c; c++) {
		switch (*c) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*c, out);
		}
	}
}

void html_printf(FILE *out, const char *fmt, ...)
{
	char text[TEXT_MOST];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	html_text(out, text);
}
