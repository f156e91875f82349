/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline without a daemon: what it hands on is kept by id. */
#ifndef RSTSCOPE_RAW_PIPELINE_H
#define RSTSCOPE_RAW_PIPELINE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/raw.h"
#include "user/daemon/pipeline.h"

#define LINE_EVENTS 128

struct line {
	struct pipeline *p;
	struct pipeline_config config;
	struct event *events; /* the last state of each id, in order */
	size_t n;	      /* how many ids */
	size_t calls;	      /* of on_event */
	int64_t counted, folded;
};

static inline struct event *line_event(struct line *l, int64_t id)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->events[i].id == id)
			return &l->events[i];
	}
	return NULL;
}

static inline void line_on_event(const struct event *ev, int64_t counted,
				 void *ctx)
{
	struct line *l = ctx;
	struct event *is = line_event(l, ev->id);

	l->calls++;
	l->counted += counted;
	/* new: counted once; known already: an amendment */
	assert_int_equal(counted != 0, is == NULL);
	if (!is) {
		assert_in_range(l->n, 0, LINE_EVENTS - 1);
		is = &l->events[l->n++];
	}
	*is = *ev;
}

static inline void line_on_folded(const struct event *ev, int64_t counted,
				  void *ctx)
{
	struct line *l = ctx;

	assert_non_null(line_event(l, ev->id));
	assert_true(counted > 0);
	l->folded += counted;
}

static inline struct line *line_new_from(const struct record_context *context,
					 bool separate_netns, int64_t first_id)
{
	struct line *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->events = calloc(LINE_EVENTS, sizeof(*l->events));
	assert_non_null(l->events);
	l->config = (struct pipeline_config){
		.host = "host",
		.context = context,
		.proc_root = "/nonexistent",
		.first_id = first_id,
		.separate_netns = separate_netns,
		.on_event = line_on_event,
		.on_folded = line_on_folded,
		.ctx = l,
	};
	l->p = pipeline_new(&l->config);
	assert_non_null(l->p);
	return l;
}

static inline struct line *line_new(void)
{
	return line_new_from(&raw_context, false, 1);
}

static inline void line_free(struct line *l)
{
	pipeline_free(l->p);
	free(l->events);
	free(l);
}

#define line_feed(l, rec) pipeline_feed((l)->p, &(rec), sizeof(rec))

static inline void line_settle(struct line *l)
{
	pipeline_advance(l->p, UINT64_MAX);
}

static inline struct pipeline_stats line_stats(struct line *l)
{
	struct pipeline_stats stats;

	pipeline_get_stats(l->p, &stats);
	return stats;
}

static inline void line_received(struct line *l, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_received(id, ns);

	line_feed(l, r);
}

static inline void line_sent(struct line *l, uint64_t id, uint64_t ns)
{
	struct rec_failure r = raw_sent(id, ns);

	line_feed(l, r);
}

static inline void line_told(struct line *l, uint64_t id, uint64_t ns, int ret)
{
	struct rec_told t = raw_told(id, ns, RAW_START_NS, ret);

	line_feed(l, t);
}

static inline void line_closed(struct line *l, uint64_t id, uint64_t ns)
{
	struct rec_told t = raw_closed(id, ns);

	line_feed(l, t);
}

#endif
