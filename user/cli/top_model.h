/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `rstscope top` shows, without a screen: the failures of a window, kept
 * in a few bytes each, and the rows that they make by one key or another.
 */
#ifndef RSTSCOPE_TOP_MODEL_H
#define RSTSCOPE_TOP_MODEL_H

#include "user/cli/cli.h"
#include "user/cli/connections.h"

#define TOP_SPARKS   10
#define TOP_SPARK_US (60 * USEC_PER_SEC)
#define TOP_KEYS     5
#define TOP_NAME     320 /* longest, with its '\0' */

enum top_sort {
	TOP_BY_RATE,
	TOP_BY_COUNT,
	TOP_BY_LAST,
	TOP_BY_NAME,
	TOP_SORTS
};

struct top_view {
	unsigned int key; /* in top_keys[] */
	enum top_sort sort;
	char find[64]; /* only groups whose name has this in it */
};

struct top_row {
	const char *name; /* of the model */
	int64_t count;
	double per_second; /* over the last minute */
	int64_t first_us, last_us;
	int64_t newest_id, newest_us;
	double spark[TOP_SPARKS]; /* the last is that of now */
	bool fresh;		  /* none in the window before those minutes */
};

struct top_rows {
	struct top_row *row;
	size_t n;
	int64_t total; /* of all groups, also those not found */
	double per_second;
};

/* Names of the keys: cause, process, peer, port, syscall. */
extern const char *const top_keys[TOP_KEYS];
const char *top_sort_name(enum top_sort sort);

struct top_model;

/* `filter` has its window; without an end it moves on with now_us. */
int top_new(struct top_model **out, const struct cli *cli,
	    const struct filter *filter);
void top_free(struct top_model *m);
/*
 * Reads what came since. 0; > 0: stopped by the user; -errno with a line in
 * err, -EBADMSG after all but damaged events were read.
 */
int top_refresh(struct top_model *m, struct store *store, int64_t now_us,
		char *err, size_t err_size);
/* Of all failures in the window; see connections.h. */
const struct connections *top_connections(const struct top_model *m);
/* Start and end of what was read last. */
void top_window(const struct top_model *m, int64_t *since_us, int64_t *end_us);

/* rows->row is to be freed; its names live until the next refresh. */
int top_make_rows(const struct top_model *m, const struct top_view *view,
		  struct top_rows *rows);
/* Bars of eight heights, or of characters where there is no UTF-8. */
#define TOP_SPARK_TEXT (3 * TOP_SPARKS + 1)
void top_spark_text(const struct top_row *row, char out[TOP_SPARK_TEXT]);

#endif
