/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server: a table of routes on one address, with threads of its own.
 * Reading only (GET, HEAD). The Host header must name this machine: a web page
 * elsewhere that had its name point here (DNS rebinding) gets no answer.
 */
#ifndef RSTSCOPE_HTTP_H
#define RSTSCOPE_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct http;

struct http_request {
	const char *path;
	const char *accept; /* "" where the client sent none */
	void *connection;   /* libmicrohttpd's, for the functions below */
};

/*
 * A body without an end. `read` gives at most `size` bytes; 0: nothing yet, it
 * has called http_sleep() and is asked again after http_wake(); -1: the end;
 * -2: it is to be cut off, nothing more is sent.
 * `close` comes once, when the client is gone.
 */
struct http_reader {
	ssize_t (*read)(void *ctx, uint64_t at, char *out, size_t size);
	void (*close)(void *ctx);
	void *ctx;
};

/* Filled by a handler; starts as 200, text/plain, no body. */
struct http_response {
	unsigned int status;
	const char *type;	   /* constant */
	const char *vary;	   /* constant; NULL: none */
	char *body;		   /* malloc'd, taken over */
	const char *constant;	   /* instead of it: never freed */
	size_t size;		   /* of either */
	struct http_reader reader; /* instead of both, where read is set */
};

/* Called from the server's threads, several at once. */
typedef void (*http_handler)(const struct http_request *request,
			     struct http_response *response, void *ctx);

struct http_route {
	const char *path; /* exact; ending in "/" and not alone: a prefix too */
	http_handler handler;
	/*
	 * For programs that name this host as they like; no page can read it
	 * through a name of its own but where `listen` is not loopback.
	 */
	bool any_host;
	bool no_token; /* for those too who have none */
};

struct http_config {
	const char *listen;	/* see listen.h */
	bool insecure;		/* an address that other hosts reach is fine */
	const char *token_file; /* see http_token.h; NULL or "": no token */
	const struct http_route *routes;
	size_t n_routes;
	void *ctx; /* for the handlers */
};

/*
 * Binds, starts no thread yet: so that the caller can drop privileges between.
 * 0; -EINVAL wrong address or token file, -EACCES not loopback, no token and
 * not `insecure`,
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

/*
 * Calls fn for each parameter of the query string; value NULL: it has none. The
 * first result that is not 0 ends it and is returned; -EILSEQ: one holds a NUL.
 */
int http_query_each(const struct http_request *request,
		    int (*fn)(void *ctx, const char *name, const char *value),
		    void *ctx);

/* For struct http_reader; `connection` is that of its request. */
void http_sleep(void *connection);
void http_wake(void *connection);
/* The client has closed its side: what is sent now meets a RST. */
bool http_hung_up(void *connection);

/* Replaces the response by one line of text. */
void http_text(struct http_response *response, unsigned int status,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same as a problem object (RFC 9457), for programs. */
void http_problem(struct http_response *response, unsigned int status,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Takes json over; NULL: out of memory. */
void http_json(struct http_response *response, json_t *json);

/* Is this Host header one of a server on a loopback address? For tests. */
bool http_host_is_local(const char *host);
/* Or else an address (no name: names are what DNS rebinding needs), this one
 * where `ip` is not all zeros, or the name of this machine. For tests. */
bool http_host_is_ours(const char *host, uint8_t family, const uint8_t ip[16],
		       const char *name);

#endif
