/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"
#include "user/store/event_pack.h"
#include "user/store/writer.h"

#define QUEUE_EVENTS 16384
#define BATCH_EVENTS 2000
#define BATCH_MS     200
#define RETRY_MS     1000
#define SYNC_MS	     1000
#define IDLE_MS	     1000
#define PRUNE_MS     10000
#define NOTES_MAX    64

/* What is written beside the events. */
struct note {
	struct note *next;
	char *key, *text; /* NULL: it is an interval of connections */
	struct store_connections connections;
};

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct store *store; /* of the thread alone */
	struct writer_config config;

	/* under lock: a ring of events that are owned by it */
	struct store_packed *ring;
	size_t first, used;
	struct note *notes;
	bool stop;
	struct writer_stats stats;

	/* of the thread alone */
	struct store_packed *batch;
	int64_t sync_ms, prune_ms;
};

static int64_t now_ms(void)
{
	return (int64_t)(clock_mono_ns() / 1000000);
}

static void note_free(struct note *note)
{
	if (!note)
		return;
	free(note->key);
	free(note->text);
	free(note);
}

/* Waits until woken or until that moment; the lock is held. */
static void wait_until(struct writer *w, int64_t ms)
{
	struct timespec at = {.tv_sec = ms / 1000,
			      .tv_nsec = ms % 1000 * 1000000};

	pthread_cond_timedwait(&w->wake, &w->lock, &at);
}

static size_t batch_size(const struct writer *w)
{
	return w->used < BATCH_EVENTS ? w->used : BATCH_EVENTS;
}

/*
 * Waits for a batch worth a transaction: full, or BATCH_MS old; while idle, for
 * the next housekeeping. Its bytes stay in the ring, which the thread alone
 * shortens, until they are written.
 */
static size_t next_batch(struct writer *w, struct note **notes, bool *stop)
{
	int64_t until = now_ms() + IDLE_MS;
	size_t n;

	pthread_mutex_lock(&w->lock);
	while (!w->stop && !w->used && !w->notes && now_ms() < until)
		wait_until(w, until);
	until = now_ms() + BATCH_MS;
	while (!w->stop && w->used && w->used < BATCH_EVENTS &&
	       now_ms() < until)
		wait_until(w, until);
	n = batch_size(w);
	for (size_t i = 0; i < n; i++)
		w->batch[i] = w->ring[(w->first + i) % w->config.queue_events];
	*notes = w->notes;
	w->notes = NULL;
	*stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void drop_first(struct writer *w, size_t n, int error)
{
	pthread_mutex_lock(&w->lock);
	w->first = (w->first + n) % w->config.queue_events;
	w->used -= n;
	if (error)
		w->stats.lost_store += n;
	else
		w->stats.written += n;
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < n; i++)
		free((void *)w->batch[i].data);
}

/* Logs once when it starts to fail, and once when it works again. */
static void set_error(struct writer *w, int error, const char *what)
{
	uint64_t lost;
	int before;

	pthread_mutex_lock(&w->lock);
	before = w->stats.last_error;
	w->stats.last_error = -error;
	lost = w->stats.lost_store;
	pthread_mutex_unlock(&w->lock);
	if (error && !before)
		log_error("%s; trying again every second", what);
	if (!error && before)
		log_warn("store: takes events again; %llu were lost so far",
			 (unsigned long long)lost);
}

/* A note that fails is tried no more: the next one says it anew. */
static int write_notes(struct writer *w, struct note *notes)
{
	int err = 0;

	while (notes) {
		struct note *next = notes->next;

		if (!err && notes->key)
			err = store_set_note(w->store, notes->key, notes->text);
		else if (!err)
			err = store_put_connections(w->store,
						    &notes->connections);
		note_free(notes);
		notes = next;
	}
	return err;
}

static int write_batch(struct writer *w, size_t n, struct note *notes)
{
	char what[512] = "";
	int err = 0;

	if (n)
		err = store_put_packed(w->store, w->batch, n, what,
				       sizeof(what));
	if (n && !err)
		drop_first(w, n, 0);
	if (notes) {
		int failed = write_notes(w, notes);

		if (failed && !err) {
			err = failed;
			snprintf(what, sizeof(what), "store: a note: %s",
				 strerror(-err));
		}
	}
	if (n || err)
		set_error(w, err, what);
	return err;
}

static void refresh_size(struct writer *w)
{
	int64_t bytes, events;

	if (store_size(w->store, &bytes, &events))
		return;
	pthread_mutex_lock(&w->lock);
	w->stats.bytes = bytes;
	w->stats.events = events;
	pthread_mutex_unlock(&w->lock);
}

/* A share of the pruning per turn; the next turn goes on if there is more. */
static void keep_house(struct writer *w)
{
	int64_t now = now_ms(), deleted = 0;
	int err;

	if (now >= w->sync_ms) {
		err = store_sync(w->store);
		if (err)
			log_debug("store: sync: %s", strerror(-err));
		w->sync_ms = now + SYNC_MS;
	}
	if (now < w->prune_ms)
		return;
	err = store_prune(w->store, clock_unix_us(), w->config.retain_age_s,
			  w->config.retain_bytes, &deleted);
	if (err)
		log_warn("store: retention: %s", strerror(-err));
	refresh_size(w);
	w->prune_ms = deleted && !err ? now : now + PRUNE_MS;
}

/* After a failure: a second in which the queue takes what it can. */
static bool wait_retry(struct writer *w)
{
	int64_t until = now_ms() + RETRY_MS;
	bool stop;

	pthread_mutex_lock(&w->lock);
	while (!w->stop && now_ms() < until)
		wait_until(w, until);
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

/* The last words: what the store does not take now is lost, and counted. */
static void write_rest(struct writer *w)
{
	struct note *notes;
	size_t n;
	bool stop;
	int err = 0;

	do {
		n = next_batch(w, &notes, &stop);
		if (!err)
			err = write_batch(w, n, notes);
		if (err)
			drop_first(w, n, err);
	} while (n);
}

static void *writer_run(void *arg)
{
	struct writer *w = arg;
	struct note *notes;
	bool stop = false;
	size_t n;

	while (!stop) {
		n = next_batch(w, &notes, &stop);
		if (write_batch(w, n, notes))
			stop = wait_retry(w);
		else
			keep_house(w);
	}
	write_rest(w);
	store_sync(w->store);
	refresh_size(w);
	store_close(w->store);
	return NULL;
}

static void writer_free(struct writer *w)
{
	if (!w)
		return;
	free(w->ring);
	free(w->batch);
	free(w);
}

static int writer_init(struct writer *w)
{
	pthread_condattr_t attr;

	if (!w->config.queue_events)
		w->config.queue_events = QUEUE_EVENTS;
	w->ring = calloc(w->config.queue_events, sizeof(*w->ring));
	w->batch = calloc(BATCH_EVENTS, sizeof(*w->batch));
	if (!w->ring || !w->batch)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	/* Times are of clock_mono_ns(): a step of the clock delays nothing. */
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

/* Signals are for the main thread. */
static int start_thread(struct writer *w)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, writer_run, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		pthread_setname_np(w->thread, "store");
	return -err;
}

int writer_start(struct writer **out, struct store *s,
		 const struct writer_config *config)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (w) {
		w->store = s;
		w->config = *config;
		err = writer_init(w);
	}
	if (!err)
		err = start_thread(w);
	if (err) {
		writer_free(w);
		store_close(s);
		return err;
	}
	*out = w;
	return 0;
}

/* The lock is held. While the store fails, a full queue is its fault. */
static int put_locked(struct writer *w, const struct store_packed *item)
{
	size_t at;

	if (w->used == w->config.queue_events) {
		if (w->stats.last_error)
			w->stats.lost_store++;
		else
			w->stats.lost_queue++;
		return -ENOBUFS;
	}
	at = (w->first + w->used) % w->config.queue_events;
	w->ring[at] = *item;
	w->used++;
	w->stats.queued++;
	if (w->used == 1 || w->used == BATCH_EVENTS)
		pthread_cond_signal(&w->wake);
	return 0;
}

/* Takes the item's data; NULL: there was no memory for them. */
static int put_item(struct writer *w, const struct store_packed *item)
{
	int err;

	pthread_mutex_lock(&w->lock);
	if (item->data) {
		err = put_locked(w, item);
	} else {
		w->stats.lost_queue++;
		err = -ENOMEM;
	}
	pthread_mutex_unlock(&w->lock);
	if (err)
		free((void *)item->data);
	return err;
}

int writer_put(struct writer *w, const struct event *ev)
{
	uint8_t packed[EVENT_PACK_MAX];
	int size = event_pack(ev, packed, sizeof(packed));
	uint8_t *copy = size < 0 ? NULL : malloc((size_t)size);
	struct store_packed item = {.data = copy, .size = (size_t)size};

	if (copy)
		memcpy(copy, packed, (size_t)size);
	return put_item(w, &item);
}

int writer_put_stack(struct writer *w, int64_t id, char *text)
{
	struct store_packed item = {
		.data = (uint8_t *)text,
		.size = text ? strlen(text) : 0,
		.stack_of = id,
	};

	return put_item(w, &item);
}

static bool replaces(const struct note *a, const struct note *b)
{
	if (!a->key || !b->key)
		return !a->key && !b->key &&
		       a->connections.from_us == b->connections.from_us;
	return !strcmp(a->key, b->key);
}

/* Takes it over. Replaces a waiting one: only the newest matters. */
static int queue_note(struct writer *w, struct note *note)
{
	struct note *old, **at;
	size_t waiting = 0;

	pthread_mutex_lock(&w->lock);
	for (at = &w->notes; *at && !replaces(note, *at); at = &(*at)->next)
		waiting++;
	old = *at;
	if (old || waiting < NOTES_MAX) {
		note->next = old ? old->next : NULL;
		*at = note;
		note = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	note_free(old);
	if (!note)
		return 0;
	note_free(note);
	return -ENOBUFS;
}

int writer_note(struct writer *w, const char *key, const char *text)
{
	struct note *note = calloc(1, sizeof(*note));

	if (note) {
		note->key = strdup(key);
		note->text = strdup(text);
	}
	if (!note || !note->key || !note->text) {
		note_free(note);
		return -ENOMEM;
	}
	return queue_note(w, note);
}

int writer_connections(struct writer *w, const struct store_connections *c)
{
	struct note *note = calloc(1, sizeof(*note));

	if (!note)
		return -ENOMEM;
	note->connections = *c;
	return queue_note(w, note);
}

void writer_get_stats(struct writer *w, struct writer_stats *stats)
{
	pthread_mutex_lock(&w->lock);
	*stats = w->stats;
	pthread_mutex_unlock(&w->lock);
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	writer_free(w);
}
