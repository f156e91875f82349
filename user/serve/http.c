/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/serve/http.h"
#include "user/serve/listen.h"

#define THREADS		2
#define CONNECTIONS_MAX 64
#define TIMEOUT_S	10
#define MEMORY_BYTES	(32 * 1024)

struct http {
	struct http_config config;
	struct listen_address address;
	struct MHD_Daemon *daemon;
	int fd;
	uint16_t port;
};

void http_text(struct http_response *response, unsigned int status,
	       const char *fmt, ...)
{
	va_list args;
	int n;

	free(response->body);
	response->body = NULL;
	va_start(args, fmt);
	n = vasprintf(&response->body, fmt, args);
	va_end(args);
	if (n < 0)
		response->body = NULL;
	response->size = n < 0 ? 0 : n;
	response->status = status;
	response->type = "text/plain; charset=utf-8";
}

/* "localhost", "127.x.x.x", "[::1]", each with or without a port. */
bool http_host_is_local(const char *host)
{
	char name[64];
	const char *end = strrchr(host, ':');
	uint8_t family, ip[16];
	int64_t port;
	size_t n;

	if (host[0] == '[')
		end = strchr(host, ']') ? strchr(host, ']') + 1 : NULL;
	n = end ? (size_t)(end - host) : strlen(host);
	if (!n || n >= sizeof(name))
		return false;
	if (host[n] &&
	    (host[n] != ':' || parse_int(host + n + 1, 1, 65535, &port)))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	if (name[n - 1] == '.')
		name[n - 1] = '\0';
	if (!strcasecmp(name, "localhost") || !strcmp(name, "[::1]"))
		return true;
	return !parse_ip(name, &family, ip) && family == 4 && ip[0] == 127;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* True where the request may go on; else the response says why not. */
static bool admit(const struct http *h, struct MHD_Connection *c,
		  const char *method, struct http_response *response)
{
	const char *host = header(c, MHD_HTTP_HEADER_HOST);
	const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
	char shown[80];

	/* A browser always sends Host; what sends none is no browser. */
	if (h->address.kind == LISTEN_TCP && h->address.loopback && host &&
	    !http_host_is_local(host)) {
		format_safe(host, shown, sizeof(shown));
		http_text(response, MHD_HTTP_FORBIDDEN,
			  "this server answers to localhost, not to '%s'\n",
			  shown);
		return false;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		http_text(response, MHD_HTTP_METHOD_NOT_ALLOWED,
			  "only GET and HEAD are served\n");
		return false;
	}
	if ((length && strcmp(length, "0")) ||
	    header(c, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
		http_text(response, MHD_HTTP_CONTENT_TOO_LARGE,
			  "no request here takes a body\n");
		return false;
	}
	return true;
}

static bool route_matches(const struct http_route *route, const char *path)
{
	size_t n = strlen(route->path);

	if (n > 1 && route->path[n - 1] == '/')
		return !strncmp(route->path, path, n);
	return !strcmp(route->path, path);
}

static void not_found(const struct http *h, struct http_response *response)
{
	char list[512] = "";
	size_t i, used = 0;

	for (i = 0; i < h->config.n_routes && used < sizeof(list); i++)
		used += snprintf(list + used, sizeof(list) - used, "  %s\n",
				 h->config.routes[i].path);
	http_text(response, MHD_HTTP_NOT_FOUND, "no such path; there are:\n%s",
		  list);
}

static void dispatch(const struct http *h, struct MHD_Connection *c,
		     const char *path, struct http_response *response)
{
	const char *accept = header(c, MHD_HTTP_HEADER_ACCEPT);
	struct http_request request = {path, accept ? accept : "", c};
	size_t i;

	for (i = 0; i < h->config.n_routes; i++) {
		const struct http_route *route = &h->config.routes[i];

		if (route_matches(route, path)) {
			route->handler(&request, response, h->config.ctx);
			return;
		}
	}
	not_found(h, response);
}

static enum MHD_Result reply(struct MHD_Connection *c, struct http_response *r)
{
	struct MHD_Response *out;
	enum MHD_Result rc;

	out = MHD_create_response_from_buffer(r->body ? r->size : 0, r->body,
					      MHD_RESPMEM_MUST_FREE);
	if (!out) {
		free(r->body);
		return MHD_NO;
	}
	MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	MHD_add_response_header(out, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
	if (r->vary)
		MHD_add_response_header(out, MHD_HTTP_HEADER_VARY, r->vary);
	if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(out, MHD_HTTP_HEADER_ALLOW,
					"GET, HEAD");
	rc = MHD_queue_response(c, r->status, out);
	MHD_destroy_response(out);
	return rc;
}

/*
 * libmicrohttpd calls twice: after the headers, when what is refused is best
 * refused, and again when the request is complete.
 */
static enum MHD_Result serve(void *ctx, struct MHD_Connection *c,
			     const char *path, const char *method,
			     const char *version, const char *upload,
			     size_t *upload_size, void **state)
{
	static char seen;
	struct http_response response = {
		.status = MHD_HTTP_OK,
		.type = "text/plain; charset=utf-8",
	};
	const struct http *h = ctx;

	(void)version;
	(void)upload;
	if (!*state) {
		*state = &seen;
		if (admit(h, c, method, &response))
			return MHD_YES;
		return reply(c, &response);
	}
	*upload_size = 0;
	dispatch(h, c, path, &response);
	return reply(c, &response);
}

const char *http_query(const struct http_request *request, const char *name)
{
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(
		    request->connection, MHD_GET_ARGUMENT_KIND, name,
		    strlen(name), &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : "";
}

/* The library's own complaints, such as a client that left: of no interest. */
static void log_library(void *ctx, const char *fmt, va_list args)
{
	char line[256];

	(void)ctx;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

static uint16_t bound_port(int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t size = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &size))
		return 0;
	if (ss.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&ss)->sin_port);
	if (ss.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	return 0;
}

int http_open(struct http **out, const struct http_config *config, char *err,
	      size_t err_size)
{
	struct listen_address address;
	struct http *h;
	int rc;

	rc = listen_parse(config->listen, &address, err, err_size);
	if (rc)
		return rc;
	rc = listen_check(&address, config->insecure, err, err_size);
	if (rc)
		return rc;
	if (address.kind == LISTEN_OFF) {
		*out = NULL;
		return 0;
	}
	h = calloc(1, sizeof(*h));
	if (!h) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	h->config = *config;
	h->address = address;
	h->fd = listen_open(&address, err, err_size);
	if (h->fd < 0) {
		rc = h->fd;
		free(h);
		return rc;
	}
	h->port = bound_port(h->fd);
	*out = h;
	return 0;
}

int http_start(struct http *h, char *err, size_t err_size)
{
	sigset_t all, before;

	if (!h)
		return 0;
	/* Signals are for the daemon's own loop, not for these threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, serve, h, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, h->fd, MHD_OPTION_THREAD_POOL_SIZE,
		THREADS, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
		MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* From here on the library closes the socket, also where it failed. */
	h->fd = -1;
	if (!h->daemon) {
		snprintf(err, err_size, "the HTTP server did not start: %s",
			 strerror(errno));
		return -EIO;
	}
	return 0;
}

void http_stop(struct http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	if (h->fd >= 0)
		close(h->fd);
	if (h->address.kind == LISTEN_UNIX)
		unlink(h->address.path);
	free(h);
}

uint16_t http_port(const struct http *h)
{
	return h ? h->port : 0;
}
