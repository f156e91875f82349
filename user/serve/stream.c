/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"
#include "user/serve/http.h"
#include "user/store/event_pack.h"

/* How long an event waits for others before its clients are woken. */
#define TICK_MS 100
/* A comment that often: whatever is between us and the client sees life. */
#define BEAT_NS (5 * NSEC_PER_SEC)

struct slot {
	uint8_t *data;
	size_t size;
};

struct stream_client {
	struct stream *stream;
	struct stream_client *next;
	void *connection;
	struct filter filter;
	bool asleep;
	uint64_t place; /* number of the next event to send */
	uint64_t beat_ns;
	char *text; /* being sent */
	size_t size, sent;
};

struct stream {
	pthread_mutex_t lock;
	pthread_cond_t change;
	pthread_t thread;
	bool running, stopping;
	struct slot ring[STREAM_RING];
	uint64_t next; /* number of the next event to come */
	struct stream_client *clients;
	_Atomic size_t listening;
};

struct stream *stream_new(void)
{
	struct stream *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->change, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STREAM_RING; i++)
		free(s->ring[i].data);
	pthread_cond_destroy(&s->change);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* --- waking --------------------------------------------------------------- */

static void wake(struct stream_client *c)
{
	if (!c->asleep)
		return;
	c->asleep = false;
	if (c->connection)
		http_wake(c->connection);
}

static bool gone(const struct stream_client *c)
{
	return c->connection && http_hung_up(c->connection);
}

static void wake_all(struct stream *s)
{
	uint64_t now_ns = clock_mono_ns();

	for (struct stream_client *c = s->clients; c; c = c->next)
		if (s->stopping || c->place != s->next ||
		    now_ns >= c->beat_ns || gone(c))
			wake(c);
}

static void wait_tick(struct stream *s)
{
	struct timespec until;

	if (!s->clients) {
		pthread_cond_wait(&s->change, &s->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TICK_MS * 1000000;
	if (until.tv_nsec >= (long)NSEC_PER_SEC) {
		until.tv_nsec -= NSEC_PER_SEC;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&s->change, &s->lock, &until);
}

static void *run(void *arg)
{
	struct stream *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		wait_tick(s);
		wake_all(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int stream_start(struct stream *s)
{
	int rc = pthread_create(&s->thread, NULL, run, s);

	s->running = !rc;
	return -rc;
}

void stream_stop(struct stream *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	wake_all(s);
	pthread_cond_signal(&s->change);
	pthread_mutex_unlock(&s->lock);
	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
}

/* --- events --------------------------------------------------------------- */

void stream_put(struct stream *s, const struct event *ev)
{
	uint8_t packed[EVENT_PACK_MAX];
	struct slot *slot;
	uint8_t *data;
	int size;

	if (!s->listening)
		return;
	size = event_pack(ev, packed, sizeof(packed));
	data = size > 0 ? malloc(size) : NULL;
	if (!data)
		return;
	memcpy(data, packed, size);
	pthread_mutex_lock(&s->lock);
	slot = &s->ring[s->next++ % STREAM_RING];
	free(slot->data);
	slot->data = data;
	slot->size = size;
	pthread_mutex_unlock(&s->lock);
}

/* --- clients -------------------------------------------------------------- */

/* Takes text over; NULL: out of memory, and that one is not sent. */
static void say(struct stream_client *c, char *text)
{
	free(c->text);
	c->text = text;
	c->size = text ? strlen(text) : 0;
	c->sent = 0;
}

static void say_event(struct stream_client *c, const uint8_t *data, size_t size)
{
	char *line, *text;
	struct event ev;

	if (event_unpack(&ev, data, size) || !filter_match(&c->filter, &ev))
		return;
	line = event_to_line(&ev); /* ends in '\n' */
	if (line && asprintf(&text, "event: failure\ndata: %s\n", line) > 0)
		say(c, text);
	free(line);
}

static void say_missed(struct stream_client *c, uint64_t n)
{
	char *text;

	if (asprintf(&text, "event: missed\ndata: {\"events\":%llu}\n\n",
		     (unsigned long long)n) > 0)
		say(c, text);
}

int stream_join(struct stream *s, const struct filter *f, void *connection,
		struct stream_client **out)
{
	struct stream_client *c = calloc(1, sizeof(*c));
	int ret = 0;

	if (!c)
		return -ENOMEM;
	c->stream = s;
	c->connection = connection;
	c->filter = *f;
	c->beat_ns = clock_mono_ns() + BEAT_NS;
	say(c, strdup("retry: 2000\n\n")); /* the client sees at once: open */
	pthread_mutex_lock(&s->lock);
	if (s->listening == STREAM_CLIENTS) {
		ret = -EBUSY;
	} else {
		c->place = s->next;
		c->next = s->clients;
		s->clients = c;
		s->listening++;
		pthread_cond_signal(&s->change);
		*out = c;
	}
	pthread_mutex_unlock(&s->lock);
	if (ret) {
		free(c->text);
		free(c);
	}
	return ret;
}

void stream_leave(void *client)
{
	struct stream_client *c = client, **at;
	struct stream *s = c->stream;

	pthread_mutex_lock(&s->lock);
	for (at = &s->clients; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	s->listening--;
	pthread_mutex_unlock(&s->lock);
	free(c->text);
	free(c);
}

enum next {
	NEXT_END,
	NEXT_GONE,
	NEXT_SLEEP,
	NEXT_BEAT,
	NEXT_MISSED,
	NEXT_EVENT
};

/* What there is for this client now; data[] gets a copy of the event. */
static enum next take_next(struct stream_client *c, uint8_t *data, size_t *n)
{
	struct stream *s = c->stream;
	const struct slot *slot;

	if (s->stopping)
		return NEXT_END;
	/* Our write would be answered by a RST: a failure of our own making. */
	if (gone(c))
		return NEXT_GONE;
	if (s->next - c->place > STREAM_RING) {
		*n = s->next - STREAM_RING - c->place;
		c->place += *n;
		return NEXT_MISSED;
	}
	if (c->place != s->next) {
		slot = &s->ring[c->place++ % STREAM_RING];
		memcpy(data, slot->data, slot->size);
		*n = slot->size;
		return NEXT_EVENT;
	}
	if (clock_mono_ns() >= c->beat_ns) {
		c->beat_ns = clock_mono_ns() + BEAT_NS;
		return NEXT_BEAT;
	}
	c->asleep = true;
	if (c->connection)
		http_sleep(c->connection);
	return NEXT_SLEEP;
}

/* Until there is something to send, or nothing is left. */
static enum next fill(struct stream_client *c)
{
	uint8_t data[EVENT_PACK_MAX];
	enum next next;
	size_t n = 0;

	do {
		pthread_mutex_lock(&c->stream->lock);
		next = take_next(c, data, &n);
		pthread_mutex_unlock(&c->stream->lock);
		if (next == NEXT_EVENT)
			say_event(c, data, n);
		else if (next == NEXT_MISSED)
			say_missed(c, n);
		else if (next == NEXT_BEAT)
			say(c, strdup(":\n\n"));
	} while (next > NEXT_SLEEP && c->sent == c->size);
	return next;
}

ssize_t stream_read(void *client, uint64_t at, char *out, size_t size)
{
	struct stream_client *c = client;
	enum next next;

	(void)at;
	if (c->sent == c->size) {
		next = fill(c);
		if (next == NEXT_END)
			return -1;
		if (next == NEXT_GONE)
			return -2;
		if (next == NEXT_SLEEP)
			return 0;
	}
	if (size > c->size - c->sent)
		size = c->size - c->sent;
	memcpy(out, c->text + c->sent, size);
	c->sent += size;
	return size;
}
