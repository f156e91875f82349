/* SPDX-License-Identifier: Apache-2.0 */
/* The page and the API's documents: files that are part of the program. */
#ifndef RSTSCOPE_PAGE_H
#define RSTSCOPE_PAGE_H

#include "user/serve/http.h"

/* Serves request->path; a handler for each of the paths in page.c. */
void page_serve(const struct http_request *request,
		struct http_response *response, void *ctx);

#endif
