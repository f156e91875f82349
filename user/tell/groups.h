/* SPDX-License-Identifier: Apache-2.0 */
/* Events counted by what they have in common: the arithmetic of summary. */
#ifndef RSTSCOPE_GROUPS_H
#define RSTSCOPE_GROUPS_H

#include "user/tell/columns.h"

#define GROUP_KEYS_MOST 12

/*
 * What to group by; ends with name NULL. It is made of no more than the brief
 * of an event (user/store/event_pack.h).
 */
struct group_key {
	const char *name, *header, *help;
	void (*text)(const struct show *show, const struct event *ev, char *out,
		     size_t size); /* NULL: the column of that name */
	const char *column;
	/* The fields that the text is made of, where comparing them is cheaper
	 * than making it; size 0: a string; none: it is not. */
	struct {
		uint16_t offset, size;
		bool given;
	} field[2];
};
extern const struct group_key group_keys[];

const struct group_key *group_key_find(const char *name); /* or NULL */
/* What an event is grouped by; "": not known. */
void group_key_text(const struct group_key *k, const struct show *show,
		    const struct event *ev, char out[COLUMN_TEXT]);

/* Where idle times heap up: the mark of a timer. */
struct idle_cluster {
	bool found;
	double ms;    /* mean of the heap */
	double share; /* of the events with an idle time */
	int64_t events;
};

struct group {
	char *value[GROUP_KEYS_MOST]; /* "": not known */
	int64_t count;		      /* failures, folded ones too */
	int64_t events;		      /* rows of the store */
	int64_t before;		      /* failures in the earlier window */
	int64_t first_us, last_us;    /* in either */
	struct idle_cluster idle;     /* after groups_finish() */
};

struct groups;

int groups_new(struct groups **out, const struct show *show,
	       const struct group_key *const *keys, size_t n);
void groups_free(struct groups *g);
int groups_add(struct groups *g, const struct event *ev);
/* An event of the earlier window: counts in `before` only. */
int groups_add_before(struct groups *g, const struct event *ev);
/* Sorts, the largest first (hours by time), and looks for idle clusters. */
int groups_finish(struct groups *g);
size_t groups_number(const struct groups *g);
const struct group *groups_at(const struct groups *g, size_t i);
/* All failures that were added. */
int64_t groups_total(const struct groups *g);
/* The part of them that is in one group. */
double groups_share(const struct groups *g, const struct group *group);
/* The oldest of them; NOT_KNOWN: there is none. */
int64_t groups_first_us(const struct groups *g);
/*
 * The i-th one, over a window of that length (at least 1 s). `connections`:
 * what else it is a share of; becomes part of it; NULL: left out. A new
 * reference, or NULL.
 */
json_t *group_json(const struct groups *g, size_t i, double window_s,
		   json_t *connections);

#endif
