/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/otlp.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/serve/otlp_json.h"

#define QUEUE_EVENTS	 16384
#define BATCH_EVENTS	 512
#define BATCH_MS	 500 /* how long a batch waits for more */
#define IDLE_MS		 1000
#define RETRY_MS	 1000
#define RETRY_MOST_MS	 30000
#define RETRY_AFTER_MOST 300 /* s */
#define CONNECT_MS	 5000
#define REQUEST_MS	 10000
#define STOP_MS		 1500 /* to send the rest */
#define STOP_LIMIT_MS	 1900

struct otlp {
	struct outbox *outbox;
	CURL *curl;
	struct curl_slist *headers;
	char host[65];
	uint16_t port;	 /* the receiver's */
	int64_t stop_ms; /* when it gives up; 0: it is not to stop */
	int64_t retry_ms;
	bool failing;
	char error[CURL_ERROR_SIZE];
};

static int64_t now_ms(void)
{
	return (int64_t)(clock_mono_ns() / 1000000);
}

/* False: it is no URL, or of another scheme. */
static bool parse_url(const char *url, uint16_t *port)
{
	char *scheme = NULL, *text = NULL;
	CURLU *parts = curl_url();
	bool good = parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
		    !curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) &&
		    !curl_url_get(parts, CURLUPART_PORT, &text,
				  CURLU_DEFAULT_PORT) &&
		    (!strcmp(scheme, "http") || !strcmp(scheme, "https"));

	if (good)
		*port = (uint16_t)atoi(text);
	curl_free(scheme);
	curl_free(text);
	curl_url_cleanup(parts);
	return good;
}

int otlp_check_url(const char *url, char *err, size_t err_size)
{
	uint16_t port;

	if (parse_url(url, &port))
		return 0;
	snprintf(err, err_size,
		 "wants http://HOST:PORT or https://HOST:PORT, without "
		 "/v1/logs");
	return -EINVAL;
}

/* --- one request ---------------------------------------------------------- */

static bool out_of_time(struct otlp *o)
{
	if (!o->stop_ms && outbox_stopping(o->outbox))
		o->stop_ms = now_ms() + STOP_MS;
	return o->stop_ms && now_ms() >= o->stop_ms;
}

static size_t ignore(char *data, size_t size, size_t n, void *ctx)
{
	(void)data, (void)ctx;
	return size * n;
}

static int progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
		    curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return out_of_time(ctx);
}

enum outcome { SENT, AGAIN, REFUSED };

/* *after_ms: what Retry-After says, or 0. */
static enum outcome post(struct otlp *o, const char *body, int64_t *after_ms)
{
	curl_off_t after = 0;
	long status = 0;
	CURLcode rc;

	o->error[0] = '\0';
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(o->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	rc = curl_easy_perform(o->curl);
	if (rc) {
		if (!o->error[0])
			snprintf(o->error, sizeof(o->error), "%s",
				 curl_easy_strerror(rc));
		return AGAIN;
	}
	curl_easy_getinfo(o->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(o->curl, CURLINFO_RETRY_AFTER, &after);
	if (status >= 200 && status < 300)
		return SENT;
	snprintf(o->error, sizeof(o->error), "the receiver answers %ld",
		 status);
	if (after > RETRY_AFTER_MOST)
		after = RETRY_AFTER_MOST;
	*after_ms = after * 1000;
	return status == 429 || status >= 500 ? AGAIN : REFUSED;
}

/* Said once, and once when it is over. */
static void tell(struct otlp *o, enum outcome outcome)
{
	bool failing = outcome != SENT;

	if (failing && !o->failing)
		log_warn("--otlp: %s; %s", o->error,
			 outcome == AGAIN ? "it is tried again"
					  : "these events are lost");
	else if (!failing && o->failing)
		log_info("--otlp: the receiver takes events again");
	o->failing = failing;
}

/* False: it was given up. */
static bool deliver(struct otlp *o, const char *body)
{
	enum outcome outcome;

	o->retry_ms = RETRY_MS;
	for (;;) {
		int64_t after_ms = 0, wait_ms;

		outcome = post(o, body, &after_ms);
		tell(o, outcome);
		if (outcome != AGAIN)
			return outcome == SENT;
		wait_ms = after_ms ? after_ms : o->retry_ms;
		if (o->retry_ms < RETRY_MOST_MS)
			o->retry_ms *= 2;
		if (outbox_stopping(o->outbox))
			return false;
		outbox_sleep(o->outbox, wait_ms);
	}
}

/* --- batches -------------------------------------------------------------- */

/* NULL: nothing came. */
static json_t *take_batch(struct otlp *o)
{
	int64_t end_ms, now = clock_unix_us();
	json_t *records = NULL;
	struct event ev;

	if (!outbox_take(o->outbox, &ev, IDLE_MS))
		return NULL;
	records = json_array();
	end_ms = now_ms() + BATCH_MS;
	do {
		json_array_append_new(records, otlp_record(&ev, now));
	} while (json_array_size(records) < BATCH_EVENTS && now_ms() < end_ms &&
		 outbox_take(o->outbox, &ev, end_ms - now_ms()));
	return records;
}

static void send_batch(struct otlp *o, json_t *records)
{
	size_t n = json_array_size(records);
	json_t *request = otlp_request(records, o->host);
	char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
	bool sent = body && !out_of_time(o) && deliver(o, body);

	outbox_settle(o->outbox, sent ? 0 : n);
	free(body);
	json_decref(request);
}

static void run(struct outbox *outbox, void *ctx)
{
	struct otlp *o = ctx;
	json_t *records;

	o->outbox = outbox; /* outbox_start() may not have returned yet */
	for (;;) {
		records = take_batch(o);
		if (records)
			send_batch(o, records);
		else if (outbox_stopping(outbox))
			return;
	}
}

/* --- life ----------------------------------------------------------------- */

static int open_curl(struct otlp *o, const char *url)
{
	size_t n = strlen(url);
	char full[600];

	while (n && url[n - 1] == '/')
		n--;
	snprintf(full, sizeof(full), "%.*s/v1/logs", (int)n, url);
	if (!parse_url(url, &o->port))
		return -EINVAL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	o->curl = curl_easy_init();
	o->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (!o->curl || !o->headers)
		return -ENOMEM;
	curl_easy_setopt(o->curl, CURLOPT_URL, full);
	curl_easy_setopt(o->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(o->curl, CURLOPT_HTTPHEADER, o->headers);
	curl_easy_setopt(o->curl, CURLOPT_USERAGENT, "rstscope");
	curl_easy_setopt(o->curl, CURLOPT_ERRORBUFFER, o->error);
	curl_easy_setopt(o->curl, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(o->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(o->curl, CURLOPT_TIMEOUT_MS, (long)REQUEST_MS);
	curl_easy_setopt(o->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(o->curl, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(o->curl, CURLOPT_XFERINFODATA, o);
	curl_easy_setopt(o->curl, CURLOPT_NOSIGNAL, 1L);
	/* A name server that is silent must not hold up the end. */
	curl_easy_setopt(o->curl, CURLOPT_QUICK_EXIT, 1L);
	/* An idle connection would end as a failure of our own making. */
	curl_easy_setopt(o->curl, CURLOPT_MAXAGE_CONN, 10L);
	return 0;
}

static void otlp_free(struct otlp *o)
{
	curl_easy_cleanup(o->curl);
	curl_slist_free_all(o->headers);
	free(o);
}

int otlp_start(struct otlp **out, const char *url, const char *host, char *err,
	       size_t err_size)
{
	struct otlp *o = calloc(1, sizeof(*o));
	struct outbox_config config = {
		.name = "otlp",
		.events = QUEUE_EVENTS,
		.run = run,
		.ctx = o,
	};
	int rc = -ENOMEM;

	if (o) {
		text_copy(o->host, sizeof(o->host), host);
		rc = open_curl(o, url);
	}
	if (!rc)
		rc = outbox_start(&o->outbox, &config);
	if (!rc) {
		*out = o;
		return 0;
	}
	snprintf(err, err_size, "--otlp does not start: %s", strerror(-rc));
	if (o)
		otlp_free(o);
	return rc;
}

bool otlp_own(const struct otlp *o, const struct event *ev)
{
	pid_t pid = getpid();

	if (ev->process.known && ev->process.pid == pid)
		return ev->peer.port == o->port && ev->role != ROLE_SERVER;
	if (ev->kind != KIND_SENT || ev->local.port != o->port)
		return false;
	if (ev->other_known)
		return ev->other_pid == pid;
	/* A receiver of this host is away: its kernel's RST has no process. */
	return !ev->process.known &&
	       !memcmp(ev->local.ip, ev->peer.ip, sizeof(ev->local.ip));
}

struct outbox *otlp_outbox(struct otlp *o)
{
	return o->outbox;
}

void otlp_stop(struct otlp *o)
{
	if (!o)
		return;
	if (outbox_stop(o->outbox, STOP_LIMIT_MS))
		otlp_free(o);
}
