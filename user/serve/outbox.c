/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/outbox.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"
#include "user/store/event_pack.h"

struct item {
	uint8_t *data;
	size_t size;
	int64_t put_us; /* CLOCK_MONOTONIC */
};

struct outbox {
	struct outbox_config config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct item *ring;
	size_t first, used;
	int64_t taken_us; /* when the oldest unsettled one came; 0: none is */
	uint64_t seen, lost;
	bool stopping;
};

static int64_t now_us(void)
{
	return (int64_t)(clock_mono_ns() / 1000);
}

static struct timespec time_at(int64_t us)
{
	return (struct timespec){us / USEC_PER_SEC, us % USEC_PER_SEC * 1000};
}

static void outbox_free(struct outbox *o)
{
	for (size_t i = 0; i < o->used; i++)
		free(o->ring[(o->first + i) % o->config.events].data);
	free(o->ring);
	pthread_cond_destroy(&o->wake);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static void *run(void *arg)
{
	struct outbox *o = arg;

	o->config.run(o, o->config.ctx);
	return NULL;
}

/* Signals are for the main thread. */
static int start_thread(struct outbox *o)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&o->thread, NULL, run, o);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		pthread_setname_np(o->thread, o->config.name);
	return -err;
}

int outbox_start(struct outbox **out, const struct outbox_config *config)
{
	struct outbox *o = calloc(1, sizeof(*o));
	pthread_condattr_t attr;
	int rc;

	if (!o)
		return -ENOMEM;
	o->config = *config;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->wake, &attr);
	pthread_condattr_destroy(&attr);
	o->ring = calloc(config->events, sizeof(*o->ring));
	rc = o->ring ? start_thread(o) : -ENOMEM;
	if (rc)
		outbox_free(o);
	else
		*out = o;
	return rc;
}

/* The lock is held. */
static bool append(struct outbox *o, uint8_t *data, size_t size)
{
	size_t at = (o->first + o->used) % o->config.events;

	o->seen++;
	if (!data || o->used == o->config.events) {
		o->lost++;
		return false;
	}
	o->ring[at] = (struct item){data, size, now_us()};
	o->used++;
	pthread_cond_signal(&o->wake);
	return true;
}

void outbox_put(struct outbox *o, const struct event *ev)
{
	uint8_t packed[EVENT_PACK_MAX];
	int size = event_pack(ev, packed, sizeof(packed));
	uint8_t *data = size > 0 ? malloc(size) : NULL;
	bool taken;

	if (data)
		memcpy(data, packed, size);
	pthread_mutex_lock(&o->lock);
	taken = append(o, data, data ? size : 0);
	pthread_mutex_unlock(&o->lock);
	if (!taken)
		free(data);
}

void outbox_get_stats(struct outbox *o, struct outbox_stats *stats)
{
	int64_t oldest_us;

	pthread_mutex_lock(&o->lock);
	oldest_us = o->taken_us ? o->taken_us
		    : o->used	? o->ring[o->first].put_us
				: now_us();
	*stats = (struct outbox_stats){o->seen, o->lost, now_us() - oldest_us};
	pthread_mutex_unlock(&o->lock);
}

bool outbox_stop(struct outbox *o, int limit_ms)
{
	struct timespec until;
	int64_t end_us;

	if (!o)
		return true;
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
	end_us = now_us() + limit_ms * 1000ll;
	until = time_at(end_us);
	if (pthread_clockjoin_np(o->thread, NULL, CLOCK_MONOTONIC, &until)) {
		pthread_detach(o->thread);
		return false;
	}
	outbox_free(o);
	return true;
}

/* --- for the thread ------------------------------------------------------- */

/* The lock is held. */
static void wait_event(struct outbox *o, int64_t wait_ms)
{
	struct timespec until = time_at(now_us() + wait_ms * 1000);

	while (!o->used && !o->stopping)
		if (pthread_cond_timedwait(&o->wake, &o->lock, &until))
			return;
}

bool outbox_take(struct outbox *o, struct event *ev, int64_t wait_ms)
{
	struct item item = {NULL, 0, 0};
	bool good;

	pthread_mutex_lock(&o->lock);
	wait_event(o, wait_ms);
	if (o->used) {
		item = o->ring[o->first];
		o->first = (o->first + 1) % o->config.events;
		o->used--;
		if (!o->taken_us)
			o->taken_us = item.put_us;
	}
	pthread_mutex_unlock(&o->lock);
	good = item.data && !event_unpack(ev, item.data, item.size);
	free(item.data);
	return good;
}

void outbox_settle(struct outbox *o, uint64_t lost)
{
	pthread_mutex_lock(&o->lock);
	o->taken_us = 0;
	o->lost += lost;
	pthread_mutex_unlock(&o->lock);
}

bool outbox_stopping(struct outbox *o)
{
	bool stopping;

	pthread_mutex_lock(&o->lock);
	stopping = o->stopping;
	pthread_mutex_unlock(&o->lock);
	return stopping;
}

void outbox_sleep(struct outbox *o, int64_t ms)
{
	struct timespec until = time_at(now_us() + ms * 1000);

	pthread_mutex_lock(&o->lock);
	while (!o->stopping)
		if (pthread_cond_timedwait(&o->wake, &o->lock, &until) ==
		    ETIMEDOUT)
			break;
	pthread_mutex_unlock(&o->lock);
}
