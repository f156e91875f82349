/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a scratch directory, put into and asked. */
#ifndef RSTSCOPE_STORE_CASE_H
#define RSTSCOPE_STORE_CASE_H

#include "sample_event.h"
#include "scratch.h"
#include "user/store/store.h"

static char err[512];

static inline struct store *open_store(const struct scratch *d,
				       enum store_mode mode)
{
	struct store *s = NULL;

	err[0] = '\0';
	if (store_open(&s, d->path, mode, err, sizeof(err)))
		fail_msg("%s", err);
	return s;
}

static inline void put(struct store *s, const struct event *ev)
{
	if (store_put(s, &ev, 1, err, sizeof(err)))
		fail_msg("%s", err);
}

/* `n` bare events with ids from `first` on, `step_us` apart. */
static inline void put_many(struct store *s, int64_t first, int n,
			    int64_t step_us)
{
	struct event *all = calloc((size_t)n, sizeof(*all));
	const struct event **at = calloc((size_t)n, sizeof(*at));

	for (int i = 0; i < n; i++) {
		sample_full(&all[i], first + i);
		all[i].time_us = SAMPLE_TIME + (first + i) * step_us;
		at[i] = &all[i];
	}
	if (store_put(s, at, (size_t)n, err, sizeof(err)))
		fail_msg("%s", err);
	free(at);
	free(all);
}

struct seen {
	int64_t id[512];
	int n, stop_at;
};

static inline int see(const struct event *ev, void *ctx)
{
	struct seen *seen = ctx;

	assert_true(seen->n < (int)ARRAY_SIZE(seen->id));
	seen->id[seen->n++] = ev->id;
	return seen->n == seen->stop_at ? 42 : 0;
}

static inline struct seen ask(struct store *s, const struct filter *f)
{
	struct seen seen = {};

	if (store_query(s, f, see, &seen, err, sizeof(err)))
		fail_msg("%s", err);
	return seen;
}

#define STORE_TEST(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

#endif
