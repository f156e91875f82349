/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/base/progress.h"

#define FIRST_MS 500
#define EVERY_MS 200

/* The lock is held; true: it is time to show something. */
static bool wait_ms(struct progress *p, int ms)
{
	uint64_t until = clock_mono_ns() + ms * 1000000ull;
	struct timespec at = {.tv_sec = until / NSEC_PER_SEC,
			      .tv_nsec = until % NSEC_PER_SEC};

	while (!p->ended && clock_mono_ns() < until)
		pthread_cond_timedwait(&p->wake, &p->lock, &at);
	return !p->ended;
}

static void *show(void *arg)
{
	struct progress *p = arg;
	int ms = FIRST_MS;

	pthread_mutex_lock(&p->lock);
	for (; wait_ms(p, ms); ms = EVERY_MS) {
		int64_t done = atomic_load(&p->done);

		fputs("\r\033[K", p->out);
		if (done)
			fprintf(p->out, "%lld ", (long long)done);
		fprintf(p->out, "%s ...", p->what);
		fflush(p->out);
		p->shown = true;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are for the thread that does the work. */
static int start_thread(struct progress *p)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&p->thread, NULL, show, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void progress_start(struct progress *p, FILE *out, const char *what)
{
	pthread_condattr_t attr;

	*p = (struct progress){.what = what};
	if (!isatty(fileno(out)))
		return;
	p->out = out;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (start_thread(p)) /* a nicety: the work goes on without */
		p->out = NULL;
}

void progress_end(struct progress *p)
{
	if (!p->out)
		return;
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	if (p->shown) {
		fputs("\r\033[K", p->out);
		fflush(p->out);
	}
	p->out = NULL;
}
