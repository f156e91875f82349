/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/api.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"

/* How long a request waits for one of the connections. */
#define TAKE_S 1

struct api {
	struct api_config config;
	struct stream *stream;
	struct timeouts *timeouts;
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct store *idle[API_READERS];
	unsigned int n_idle, busy;
};

static void add_timeouts(struct api *a)
{
	char err[512];
	int rc = timeouts_add_file(a->timeouts, a->config.timeouts, err,
				   sizeof(err));

	if (rc && rc != -ENOENT)
		log_warn("the page does not mark your timers: %s", err);
}

struct api *api_new(const struct api_config *config)
{
	struct api *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->config = *config;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->given, NULL);
	a->stream = stream_new();
	a->timeouts = timeouts_new();
	if (!a->stream || !a->timeouts) {
		api_free(a);
		return NULL;
	}
	if (config->timeouts)
		add_timeouts(a);
	return a;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	while (a->n_idle)
		store_close(a->idle[--a->n_idle]);
	stream_free(a->stream);
	timeouts_free(a->timeouts);
	pthread_cond_destroy(&a->given);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

struct stream *api_stream(struct api *a)
{
	return a->stream;
}

const struct timeouts *api_timeouts(const struct api *a)
{
	return a->timeouts;
}

void api_store_failed(struct http_response *response, int err, const char *text)
{
	log_warn("http: %s", text && *text ? text : strerror(-err));
	http_problem(response, err == -EBUSY ? 503 : 500,
		     "the store does not answer: %s",
		     text && *text ? text : strerror(-err));
}

/* True: one more request may read; *store is an idle connection, or NULL. */
static bool reserve(struct api *a, struct store **store)
{
	struct timespec until;
	int rc = 0;

	*store = NULL;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TAKE_S;
	pthread_mutex_lock(&a->lock);
	while (a->busy == API_READERS && !rc)
		rc = pthread_cond_timedwait(&a->given, &a->lock, &until);
	if (a->busy < API_READERS) {
		rc = 0;
		a->busy++;
		if (a->n_idle)
			*store = a->idle[--a->n_idle];
	}
	pthread_mutex_unlock(&a->lock);
	return !rc;
}

void api_give(struct api *a, struct store *store)
{
	pthread_mutex_lock(&a->lock);
	a->busy--;
	if (store)
		a->idle[a->n_idle++] = store;
	pthread_cond_signal(&a->given);
	pthread_mutex_unlock(&a->lock);
}

struct store *api_take(struct api *a, struct http_response *response)
{
	struct store *store;
	char err[512] = "";
	int rc;

	if (!a) {
		http_problem(response, 503, "this server has no store");
		return NULL;
	}
	if (!reserve(a, &store)) {
		http_problem(response, 503, "others are reading the store");
		return NULL;
	}
	if (store)
		return store;
	rc = store_open(&store, a->config.store, STORE_READ, err, sizeof(err));
	if (!rc)
		return store;
	api_give(a, NULL);
	api_store_failed(response, rc, err);
	return NULL;
}
