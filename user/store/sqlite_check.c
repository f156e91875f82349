/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite engine: is what it holds still whole? */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event_pack.h"
#include "user/store/schema.h"
#include "user/store/sqlite_store.h"

#define NEWEST                                                                 \
	"SELECT id, time_us, body, brief FROM events"                          \
	" LEFT JOIN bodies USING (id) LEFT JOIN briefs USING (id)"             \
	" ORDER BY time_us DESC, id DESC LIMIT ?"

/* One of SQLite's checks, whose only row is "ok" where all is well. */
static int run_check(struct sqlite_store *s, const char *pragma, char *err,
		     size_t err_size)
{
	sqlite3_stmt *stmt = NULL;
	const char *text;
	int ret = 0, rc = sqlite3_prepare_v2(s->db, pragma, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = schema_step(stmt);
	if (rc == SQLITE_ROW) {
		text = (const char *)sqlite3_column_text(stmt, 0);
		if (!text || strcmp(text, "ok"))
			ret = store_fail(err, err_size, EUCLEAN,
					 "store %s: is damaged: %s", s->path,
					 text ? text : "?");
	} else {
		ret = sqlite_fail(s, rc, err, err_size);
	}
	sqlite3_finalize(stmt);
	return ret;
}

/* Of the row's event: can it be read, and is it the one? */
static bool part_is_well(sqlite3_stmt *row, int column)
{
	const void *data = sqlite3_column_blob(row, column);
	struct event ev;

	return data &&
	       !event_unpack(&ev, data,
			     (size_t)sqlite3_column_bytes(row, column)) &&
	       ev.id == sqlite3_column_int64(row, 0) &&
	       ev.time_us == sqlite3_column_int64(row, 1);
}

static int check_newest(struct sqlite_store *s, int64_t *events, char *err,
			size_t err_size)
{
	sqlite3_stmt *stmt = NULL;
	int ret = 0, rc = sqlite3_prepare_v2(s->db, NEWEST, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, STORE_CHECK_EVENTS);
	if (rc == SQLITE_OK)
		rc = SQLITE_ROW;
	for (*events = 0; !ret && rc == SQLITE_ROW; ++*events) {
		rc = schema_step(stmt);
		if (rc != SQLITE_ROW)
			break;
		if (!part_is_well(stmt, 2) || !part_is_well(stmt, 3))
			ret = store_fail(
				err, err_size, EUCLEAN,
				"store %s: event %lld is damaged", s->path,
				(long long)sqlite3_column_int64(stmt, 0));
	}
	if (!ret && rc != SQLITE_DONE)
		ret = sqlite_fail(s, rc, err, err_size);
	sqlite3_finalize(stmt);
	return ret;
}

int sqlite_check(struct store *base, bool whole, struct store_checked *checked,
		 char *err, size_t err_size)
{
	struct sqlite_store *s = sqlite_of(base);
	int ret = sqlite_refresh(s);

	*checked = (struct store_checked){.whole = whole};
	if (ret)
		return store_fail(err, err_size, -ret, "store %s: %s", s->path,
				  strerror(-ret));
	if (whole) {
		ret = run_check(s, "PRAGMA quick_check(1)", err, err_size);
		return ret ? ret
			   : schema_get_int(s->db,
					    "SELECT COUNT(*) FROM events",
					    &checked->events);
	}
	ret = run_check(s, "PRAGMA quick_check('notes')", err, err_size);
	if (!ret)
		ret = run_check(s, "PRAGMA quick_check('connections')", err,
				err_size);
	return ret ? ret : check_newest(s, &checked->events, err, err_size);
}
