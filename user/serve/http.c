/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
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
#include "user/serve/http_token.h"
#include "user/serve/listen.h"

#define THREADS		4
#define CONNECTIONS_MAX 128 /* shared out among the threads */
#define TIMEOUT_S	10
#define MEMORY_BYTES	(32 * 1024)
#define STREAM_BLOCK	(16 * 1024)
#define PROBLEM_TEXT	400

/* Nothing from elsewhere, nothing inline, in no frame. */
#define CONTENT_POLICY                                                         \
	"default-src 'none'; script-src 'self'; style-src 'self'; "            \
	"img-src 'self'; connect-src 'self'; base-uri 'none'; "                \
	"form-action 'none'; frame-ancestors 'none'"

struct http {
	struct http_config config;
	struct listen_address address;
	struct MHD_Daemon *daemon;
	char name[256]; /* of this machine */
	char token[HTTP_TOKEN];
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

void http_json(struct http_response *response, json_t *json)
{
	char *text =
		json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6))
		     : NULL;

	json_decref(json);
	if (!text) {
		http_text(response, MHD_HTTP_INTERNAL_SERVER_ERROR,
			  "out of memory\n");
		return;
	}
	free(response->body);
	response->body = text;
	response->size = strlen(text);
	response->type = "application/json";
}

void http_problem(struct http_response *response, unsigned int status,
		  const char *fmt, ...)
{
	char detail[PROBLEM_TEXT], safe[PROBLEM_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	format_safe(detail, safe, sizeof(safe));
	http_json(response,
		  json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank",
			    "title", MHD_get_reason_phrase_for(status),
			    "status", (int)status, "detail", safe));
	response->status = status;
	response->type = "application/problem+json";
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static bool route_matches(const struct http_route *route, const char *path)
{
	size_t n = strlen(route->path);

	if (n > 1 && route->path[n - 1] == '/')
		return !strncmp(route->path, path, n);
	return !strcmp(route->path, path);
}

static const struct http_route *find_route(const struct http *h,
					   const char *path)
{
	for (size_t i = 0; i < h->config.n_routes; i++)
		if (route_matches(&h->config.routes[i], path))
			return &h->config.routes[i];
	return NULL;
}

static bool host_admitted(const struct http *h, const char *host, bool any_host)
{
	const struct listen_address *a = &h->address;

	/* A browser always sends Host; what sends none is no browser. */
	if (a->kind != LISTEN_TCP || !host)
		return true;
	if (a->loopback)
		return http_host_is_local(host);
	return any_host || http_host_is_ours(host, a->family, a->ip, h->name);
}

/* For programs a problem object, for people a line. */
static void refuse(struct http_response *response, const char *path,
		   unsigned int status, const char *text)
{
	if (strncmp(path, "/api/", 5))
		http_text(response, status, "%s\n", text);
	else
		http_problem(response, status, "%s", text);
}

/* True where the request may go on; else the response says why not. */
static bool admit(const struct http *h, struct MHD_Connection *c,
		  const char *path, const char *method,
		  struct http_response *response)
{
	const char *host = header(c, MHD_HTTP_HEADER_HOST);
	const char *length = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const struct http_route *route = find_route(h, path);
	char shown[80], text[160];

	if (!host_admitted(h, host, route && route->any_host)) {
		format_safe(host, shown, sizeof(shown));
		snprintf(text, sizeof(text),
			 "this server answers to %s, not to '%s'",
			 h->address.loopback ? "localhost" : "its own address",
			 shown);
		refuse(response, path, MHD_HTTP_FORBIDDEN, text);
		return false;
	}
	if (h->token[0] && !(route && route->no_token) &&
	    !http_token_borne(h->token,
			      header(c, MHD_HTTP_HEADER_AUTHORIZATION))) {
		refuse(response, path, MHD_HTTP_UNAUTHORIZED,
		       "wants the header Authorization: Bearer TOKEN");
		return false;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		refuse(response, path, MHD_HTTP_METHOD_NOT_ALLOWED,
		       "only GET and HEAD are served");
		return false;
	}
	if ((length && strcmp(length, "0")) ||
	    header(c, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
		refuse(response, path, MHD_HTTP_CONTENT_TOO_LARGE,
		       "no request here takes a body");
		return false;
	}
	return true;
}

static void not_found(const struct http *h, const char *path,
		      struct http_response *response)
{
	char list[1024] = "";
	size_t i, used = 0;

	if (!strncmp(path, "/api/", 5)) {
		http_problem(response, MHD_HTTP_NOT_FOUND,
			     "no such path; /api/v1/openapi.json has them all");
		return;
	}
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
	const struct http_route *route = find_route(h, path);

	if (route)
		route->handler(&request, response, h->config.ctx);
	else
		not_found(h, path, response);
}

static struct MHD_Response *make_response(struct http_response *r)
{
	if (r->reader.read)
		return MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, STREAM_BLOCK, r->reader.read,
			r->reader.ctx, r->reader.close);
	if (r->constant)
		return MHD_create_response_from_buffer(
			r->size, (void *)r->constant, MHD_RESPMEM_PERSISTENT);
	return MHD_create_response_from_buffer(r->body ? r->size : 0, r->body,
					       MHD_RESPMEM_MUST_FREE);
}

static void add_headers(struct MHD_Response *out, const struct http_response *r)
{
	static const char *const all[][2] = {
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Content-Security-Policy", CONTENT_POLICY},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
	};

	MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		MHD_add_response_header(out, all[i][0], all[i][1]);
	if (r->vary)
		MHD_add_response_header(out, MHD_HTTP_HEADER_VARY, r->vary);
	if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(out, MHD_HTTP_HEADER_ALLOW,
					"GET, HEAD");
	if (r->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(out, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
					"Bearer realm=\"rstscope\"");
	if (r->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(out, MHD_HTTP_HEADER_RETRY_AFTER, "2");
}

static enum MHD_Result reply(struct MHD_Connection *c, struct http_response *r)
{
	struct MHD_Response *out;
	enum MHD_Result rc;

	out = make_response(r);
	if (!out) {
		free(r->body);
		if (r->reader.read)
			r->reader.close(r->reader.ctx);
		return MHD_NO;
	}
	add_headers(out, r);
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
		if (admit(h, c, path, method, &response))
			return MHD_YES;
		return reply(c, &response);
	}
	*upload_size = 0;
	dispatch(h, c, path, &response);
	return reply(c, &response);
}

struct each {
	int (*fn)(void *ctx, const char *name, const char *value);
	void *ctx;
	int ret;
};

static enum MHD_Result one_parameter(void *ctx, enum MHD_ValueKind kind,
				     const char *name, size_t name_size,
				     const char *value, size_t value_size)
{
	struct each *each = ctx;

	(void)kind;
	if (strlen(name) != name_size || (value && strlen(value) != value_size))
		each->ret = -EILSEQ;
	else
		each->ret = each->fn(each->ctx, name, value);
	return each->ret ? MHD_NO : MHD_YES;
}

int http_query_each(const struct http_request *request,
		    int (*fn)(void *ctx, const char *name, const char *value),
		    void *ctx)
{
	struct each each = {fn, ctx, 0};

	MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND,
				    one_parameter, &each);
	return each.ret;
}

void http_sleep(void *connection)
{
	MHD_suspend_connection(connection);
}

void http_wake(void *connection)
{
	MHD_resume_connection(connection);
}

bool http_hung_up(void *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd p = {.events = POLLRDHUP};

	if (!info)
		return false;
	p.fd = info->connect_fd;
	return poll(&p, 1, 0) == 1;
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
	bool with_token;
	int rc;

	rc = listen_parse(config->listen, &address, err, err_size);
	if (rc)
		return rc;
	with_token = config->token_file && config->token_file[0];
	rc = listen_check(&address, config->insecure || with_token, err,
			  err_size);
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
	gethostname(h->name, sizeof(h->name) - 1);
	if (with_token)
		rc = http_token_read(config->token_file, h->token, err,
				     err_size);
	if (!rc) {
		h->fd = listen_open(&address, err, err_size);
		rc = h->fd < 0 ? h->fd : 0;
	}
	if (rc) {
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
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG |
			MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, serve, h, MHD_OPTION_EXTERNAL_LOGGER,
		log_library, NULL, MHD_OPTION_LISTEN_SOCKET, h->fd,
		MHD_OPTION_THREAD_POOL_SIZE, THREADS,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
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
