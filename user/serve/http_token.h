/* SPDX-License-Identifier: Apache-2.0 */
/* The bearer token (RFC 6750) that requests must bear. */
#ifndef RSTSCOPE_HTTP_TOKEN_H
#define RSTSCOPE_HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_TOKEN_LEAST 16
#define HTTP_TOKEN	 256 /* with its '\0' */

/*
 * Reads a file of one line of printable ASCII without blanks, that is closed to
 * others. -EINVAL with one line in err, which never has the token.
 */
int http_token_read(const char *path, char token[HTTP_TOKEN], char *err,
		    size_t err_size);

/* Does this Authorization header (NULL: none) bear it? In constant time. */
bool http_token_borne(const char token[HTTP_TOKEN], const char *authorization);

#endif
