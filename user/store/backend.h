/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine of the store provides; store.c chooses by URL. */
#ifndef RSTSCOPE_STORE_BACKEND_H
#define RSTSCOPE_STORE_BACKEND_H

#include "user/store/store.h"

struct store_ops {
	void (*close)(struct store *s);
	int (*last_id)(struct store *s, int64_t *id);
	int (*put)(struct store *s, const struct store_packed *events, size_t n,
		   char *err, size_t err_size);
	int (*sync)(struct store *s);
	int (*query)(struct store *s, const struct filter *f, store_event_fn fn,
		     void *ctx, char *err, size_t err_size);
	int (*scan)(struct store *s, const struct filter *f, store_event_fn fn,
		    void *ctx, char *err, size_t err_size);
	int (*get)(struct store *s, int64_t id, struct event *ev);
	int (*get_stack)(struct store *s, int64_t id, char **text);
	int (*count)(struct store *s, const struct filter *f, int64_t *rows,
		     int64_t *events);
	int (*prune)(struct store *s, int64_t now_us, int64_t max_age_s,
		     int64_t max_bytes, int64_t *deleted);
	int (*size)(struct store *s, int64_t *bytes, int64_t *events);
	int (*set_note)(struct store *s, const char *key, const char *text);
	int (*get_note)(struct store *s, const char *key, char **text);
	int (*put_connections)(struct store *s,
			       const struct store_connections *c);
	int (*count_connections)(struct store *s, int64_t since_us,
				 int64_t until_us, struct store_share *out);
	int (*check)(struct store *s, bool whole, struct store_checked *checked,
		     char *err, size_t err_size);
};

/* First member of each engine's own struct. */
struct store {
	const struct store_ops *ops;
};

/* One line into err, -nr back. */
int store_fail(char *err, size_t err_size, int nr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

int sqlite_store_open(struct store **out, const char *path,
		      enum store_mode mode, char *err, size_t err_size);

#endif
