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
#define ANSWER_BYTES	 4096
#define CA_BYTES	 (1 << 20)
#define REJECTED_MS	 60000 /* how often events that it rejects are told */
#define STOP_MS		 1500  /* to send the rest */
#define STOP_LIMIT_MS	 1900

struct otlp {
	struct outbox *outbox;
	CURL *curl;
	struct curl_slist *headers;
	char host[65];
	uint16_t port;	 /* the receiver's */
	int64_t stop_ms; /* when it gives up; 0: it is not to stop */
	int64_t retry_ms;
	int64_t quiet_ms; /* until when rejected events are not told */
	bool failing;
	char error[CURL_ERROR_SIZE];
	char answer[ANSWER_BYTES]; /* how it begins */
	size_t answered;
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

static size_t take_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct otlp *o = ctx;
	size_t room = sizeof(o->answer) - o->answered, most = size * n;

	if (room > most)
		room = most;
	memcpy(o->answer + o->answered, data, room);
	o->answered += room;
	return most;
}

static int progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
		    curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return out_of_time(ctx);
}

enum outcome { SENT, AGAIN, REFUSED };

/* Those of the OTLP specification; all others are for good. */
static bool may_repeat(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* *after_ms: what Retry-After says, or 0. */
static enum outcome post(struct otlp *o, const char *body, int64_t *after_ms)
{
	curl_off_t after = 0;
	long status = 0;
	CURLcode rc;

	o->error[0] = '\0';
	o->answered = 0;
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
	return may_repeat(status) ? AGAIN : REFUSED;
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

/* Of n events of a request that it took: how many it did not. */
static uint64_t rejected(struct otlp *o, uint64_t n)
{
	struct otlp_rejection no;
	char why[200];

	if (!otlp_rejection(o->answer, o->answered, &no))
		return 0;
	if (no.events > n)
		no.events = n;
	if (now_ms() >= o->quiet_ms) {
		format_safe(no.why, why, sizeof(why));
		log_warn("--otlp: the receiver rejects %llu of %llu events: %s",
			 (unsigned long long)no.events, (unsigned long long)n,
			 why);
		o->quiet_ms = now_ms() + REJECTED_MS;
	}
	return no.events;
}

/* Of n events: how many are lost. */
static uint64_t deliver(struct otlp *o, const char *body, uint64_t n)
{
	enum outcome outcome;

	o->retry_ms = RETRY_MS;
	for (;;) {
		int64_t after_ms = 0, wait_ms;

		outcome = post(o, body, &after_ms);
		tell(o, outcome);
		if (outcome == SENT)
			return rejected(o, n);
		if (outcome == REFUSED)
			return n;
		wait_ms = after_ms ? after_ms : o->retry_ms;
		if (o->retry_ms < RETRY_MOST_MS)
			o->retry_ms *= 2;
		if (outbox_stopping(o->outbox))
			return n;
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
	uint64_t lost = n;

	if (body && !out_of_time(o))
		lost = deliver(o, body, n);
	outbox_settle(o->outbox, lost);
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
	curl_easy_setopt(o->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(o->curl, CURLOPT_WRITEDATA, o);
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

/* It is read now: a file that is not right is told at once. */
static int trust(struct otlp *o, const char *path, char *err, size_t err_size)
{
	char *text = calloc(1, CA_BYTES + 1);
	FILE *f = fopen(path, "re");
	size_t n = f && text ? fread(text, 1, CA_BYTES, f) : 0;
	struct curl_blob blob = {text, n, CURL_BLOB_COPY};
	int rc = 0;

	if (!f || ferror(f)) {
		snprintf(err, err_size, "--otlp-ca: %s: %s", path,
			 strerror(errno));
		rc = -EINVAL;
	} else if (!text || !strstr(text, "-----BEGIN CERTIFICATE-----")) {
		snprintf(err, err_size, "--otlp-ca: %s has no certificate",
			 path);
		rc = -EINVAL;
	} else if (curl_easy_setopt(o->curl, CURLOPT_CAINFO_BLOB, &blob)) {
		snprintf(err, err_size, "--otlp-ca: libcurl does not take it");
		rc = -ENOMEM;
	}
	if (f)
		fclose(f);
	free(text);
	return rc;
}

int otlp_start(struct otlp **out, const struct otlp_config *config, char *err,
	       size_t err_size)
{
	struct otlp *o = calloc(1, sizeof(*o));
	struct outbox_config outbox = {
		.name = "otlp",
		.events = QUEUE_EVENTS,
		.run = run,
		.ctx = o,
	};
	int rc = -ENOMEM;

	err[0] = '\0';
	if (o) {
		text_copy(o->host, sizeof(o->host), config->host);
		rc = open_curl(o, config->url);
	}
	if (!rc && config->ca[0])
		rc = trust(o, config->ca, err, err_size);
	if (!rc)
		rc = outbox_start(&o->outbox, &outbox);
	if (!rc) {
		*out = o;
		return 0;
	}
	if (!err[0])
		snprintf(err, err_size, "--otlp does not start: %s",
			 strerror(-rc));
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
