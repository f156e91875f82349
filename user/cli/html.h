/* SPDX-License-Identifier: Apache-2.0 */
/* Text of any origin put into HTML: fit to print, and never markup. */
#ifndef RSTSCOPE_HTML_H
#define RSTSCOPE_HTML_H

#include <stdio.h>

/* As the content of an element or a quoted attribute. */
void html_text(FILE *out, const char *text);
/* printf(), with all of the result escaped. */
void html_printf(FILE *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
