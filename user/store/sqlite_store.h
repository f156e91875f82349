/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the SQLite engine: what the files sqlite*.c share. */
#ifndef RSTSCOPE_SQLITE_STORE_H
#define RSTSCOPE_SQLITE_STORE_H

#include <sqlite3.h>

#include "user/store/backend.h"

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	bool immutable; /* read without a look at the WAL: there was none */
	bool dirty;	/* put since the last sync */
	int lock_fd;	/* of a writer, -1 */
	/* prepared on first use */
	sqlite3_stmt *put_event, *put_brief, *put_body, *put_stack, *get_body;
};

extern const struct store_ops sqlite_ops;

static inline struct sqlite_store *sqlite_of(struct store *s)
{
	return (struct sqlite_store *)s;
}

/* One line "store PATH: what SQLite says", and -errno. */
int sqlite_fail(struct sqlite_store *s, int rc, char *err, size_t err_size);
/* Before each read: sees to it that a daemon started since is not missed. */
int sqlite_refresh(struct sqlite_store *s);
/* Result codes of SQLite. */
int sqlite_prepare(struct sqlite_store *s, sqlite3_stmt **stmt,
		   const char *sql); /* once: does nothing where *stmt is set */
int sqlite_exec(struct sqlite_store *s, const char *sql);

/* The operations that stand in files of their own. */
void sqlite_close(struct store *base);
int sqlite_query(struct store *base, const struct filter *f, store_event_fn fn,
		 void *ctx, char *err, size_t err_size);
int sqlite_scan(struct store *base, const struct filter *f, store_event_fn fn,
		void *ctx, char *err, size_t err_size);
int sqlite_get(struct store *base, int64_t id, struct event *ev);
/* The text of a bound statement's only row, to be freed, and ends the
 * statement; -ENOENT: it has none. */
int sqlite_take_text(struct sqlite_store *s, sqlite3_stmt *stmt, char **text);
int sqlite_get_stack(struct store *base, int64_t id, char **text);
int sqlite_count(struct store *base, const struct filter *f, int64_t *rows,
		 int64_t *events);
int sqlite_put_connections(struct store *base,
			   const struct store_connections *c);
int sqlite_count_connections(struct store *base, int64_t since_us,
			     int64_t until_us, struct store_share *out);
int sqlite_check(struct store *base, bool whole, struct store_checked *checked,
		 char *err, size_t err_size);
int sqlite_prune(struct store *base, int64_t now_us, int64_t max_age_s,
		 int64_t max_bytes, int64_t *deleted);

/* The note under which pruning keeps the highest id ever given. */
#define SQLITE_LAST_ID ".last_id"

#endif
