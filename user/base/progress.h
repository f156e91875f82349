/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line on a terminal while something takes longer than people like to wait
 * unknowing: from half a second on, gone at the end. Into a pipe or a file goes
 * nothing.
 */
#ifndef RSTSCOPE_PROGRESS_H
#define RSTSCOPE_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *out; /* NULL: nothing is shown */
	const char *what;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ended, shown;
	_Atomic int64_t done;
};

/*
 * `what` is being done, or with progress_set() "events read" of them. While it
 * lasts nothing else is to be written to `out`.
 */
void progress_start(struct progress *p, FILE *out, const char *what);
void progress_end(struct progress *p);

/* So many by now; cheap enough for each of a million. */
static inline void progress_set(struct progress *p, int64_t done)
{
	atomic_store_explicit(&p->done, done, memory_order_relaxed);
}

#endif
