/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: a table of routes on one address, with threads of its own.
 * Reading only (GET, HEAD). On a loopback address the Host header must name
 * this machine: a web page elsewhere that had its name point to 127.0.0.1 (DNS
 * rebinding) gets no answer.
 */
#ifndef RSTSCOPE_HTTP_H
#define RSTSCOPE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;

struct http_request {
	const char *path;
	const char *accept; /* "" where the client sent none */
	void *connection;   /* libmicrohttpd's, for http_query() */
};

/* Filled by a handler; starts as 200, text/plain, no body. */
struct http_response {
	unsigned int status;
	const char *type; /* constant */
	const char *vary; /* constant; NULL: none */
	char *body;	  /* malloc'd, taken over */
	size_t size;
};

/* Called from the server's threads, several at once. */
typedef void (*http_handler)(const struct http_request *request,
			     struct http_response *response, void *ctx);

struct http_route {
	const char *path; /* exact; ending in "/" and not alone: a prefix too */
	http_handler handler;
};

struct http_config {
	const char *listen; /* see listen.h */
	bool insecure;	    /* an address that other hosts reach is fine */
	const struct http_route *routes;
	size_t n_routes;
	void *ctx; /* for the handlers */
};

/*
 * Binds, starts no thread yet: so that the caller can drop privileges between.
 * 0; -EINVAL wrong address, -EACCES not loopback and not `insecure`,
 * -EADDRINUSE ..., each with one line in err. "off" gives a NULL server, which
 * the other functions take and do nothing for.
 */
int http_open(struct http **out, const struct http_config *config, char *err,
	      size_t err_size);
int http_start(struct http *h, char *err, size_t err_size);
/* Ends the threads, closes, removes a unix socket's file. */
void http_stop(struct http *h);

/* The port in use, also where 0 was asked for; 0: no TCP. */
uint16_t http_port(const struct http *h);

/* A parameter of the query string; NULL: not there, "": has no value. */
const char *http_query(const struct http_request *request, const char *name);

/* Replaces the response by one line of text. */
void http_text(struct http_response *response, unsigned int status,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Is this Host header one of a server on a loopback address? For tests. */
bool http_host_is_local(const char *host);

#endif
