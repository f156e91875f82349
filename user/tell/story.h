/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One failure in words: what `rstscope why` prints and the page shows beside
 * the timeline (timeline.h) and the event's own verdict.
 */
#ifndef RSTSCOPE_STORY_H
#define RSTSCOPE_STORY_H

#include "user/store/store.h"

/* In the words that the application's own log has; fit to print. */
void story_headline(const struct event *ev, char *out, size_t size);
/* What a person may do with the request; a constant. */
const char *story_retry(enum retry retry);
/*
 * How many alike ones there were in the hour before. 0, or the errno of a
 * store that did not answer.
 */
int story_often(struct store *store, const struct event *ev, char *out,
		size_t size);
/* The event of the other end, where it is in the store: true, and in *other. */
bool story_other(struct store *store, const struct event *ev,
		 struct event *other);

#endif
