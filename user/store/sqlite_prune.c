/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retention. Events go oldest first, a bounded number per call, and the pages
 * they leave go back to the file system (auto_vacuum=INCREMENTAL), a bounded
 * number per call too: the thread that does this also has events to write.
 */
#include <errno.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/schema.h"
#include "user/store/sqlite_store.h"

#define VACUUM_PAGES 1024

#define DELETE_FROM(table)                                                     \
	"DELETE FROM " table " WHERE id IN (SELECT id FROM events"             \
	" WHERE time_us < ?1 ORDER BY time_us LIMIT ?2)"
/*
 * What has no failures left has no denominator either: where the size, not the
 * age, is the bound, the oldest failure says how far back the store goes.
 */
#define DELETE_CONNECTIONS                                                     \
	"DELETE FROM connections WHERE until_us < MIN(?1, COALESCE("           \
	"(SELECT MIN(time_us) FROM events), ?1))"
/* The highest id may be among those that go. */
#define KEEP_LAST_ID                                                           \
	"INSERT OR REPLACE INTO notes (key, text) SELECT '" SQLITE_LAST_ID     \
	"', MAX((SELECT COALESCE(MAX(id), 0) FROM events), COALESCE((SELECT"   \
	" CAST(text AS INTEGER) FROM notes WHERE key = '" SQLITE_LAST_ID       \
	"'), 0))"

static int run(struct sqlite_store *s, const char *sql, int64_t before_us,
	       int64_t most)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, before_us);
		sqlite3_bind_int64(stmt, 2, most);
		rc = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The tables stay in step: the others go by what events still says. */
static int delete_before(struct sqlite_store *s, int64_t before_us,
			 int64_t most, int64_t *deleted)
{
	int ret, rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE;" KEEP_LAST_ID, NULL,
				   NULL, NULL);

	if (rc == SQLITE_OK)
		rc = run(s, DELETE_FROM("bodies"), before_us, most);
	if (rc == SQLITE_OK)
		rc = run(s, DELETE_FROM("briefs"), before_us, most);
	if (rc == SQLITE_OK)
		rc = run(s, DELETE_FROM("stacks"), before_us, most);
	if (rc == SQLITE_OK)
		rc = run(s, DELETE_FROM("events"), before_us, most);
	if (rc == SQLITE_OK) {
		*deleted = sqlite3_changes64(s->db);
		rc = run(s, DELETE_CONNECTIONS, before_us, most);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	ret = schema_errno(s->db, rc);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return ret;
}

/*
 * How many of the oldest exceed the bound, by the average size of an event.
 * Five parts in a hundred more, so that this is not done at each call.
 */
static int count_excess(struct sqlite_store *s, int64_t max_bytes,
			int64_t *excess)
{
	int64_t pages = 0, unused = 0, page = 0, rows = 0, used;
	int ret = schema_get_int(s->db, "PRAGMA page_count", &pages);

	if (!ret)
		ret = schema_get_int(s->db, "PRAGMA freelist_count", &unused);
	if (!ret)
		ret = schema_get_int(s->db, "PRAGMA page_size", &page);
	used = (pages - unused) * page;
	if (ret || used <= max_bytes)
		return ret;
	ret = schema_get_int(s->db, "SELECT COUNT(*) FROM events", &rows);
	if (!ret && rows)
		*excess = 1 + (int64_t)((double)rows *
					(1 - 0.95 * (double)max_bytes /
						     (double)used));
	return ret;
}

static int vacuum(struct sqlite_store *s)
{
	char sql[64];
	int64_t unused = 0;
	int rc, ret = schema_get_int(s->db, "PRAGMA freelist_count", &unused);

	if (ret || !unused)
		return ret;
	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)",
		 VACUUM_PAGES);
	rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return schema_errno(s->db, rc);
	/* Only a checkpoint cuts the file; a reader may put it off. */
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
				       NULL, NULL);
	return rc == SQLITE_BUSY ? 0 : schema_errno(s->db, rc);
}

int sqlite_prune(struct store *base, int64_t now_us, int64_t max_age_s,
		 int64_t max_bytes, int64_t *deleted)
{
	struct sqlite_store *s = sqlite_of(base);
	int64_t gone = 0, excess = 0;
	int ret = 0;

	if (max_age_s > 0 && max_age_s < now_us / USEC_PER_SEC)
		ret = delete_before(s, now_us - max_age_s * USEC_PER_SEC,
				    STORE_PRUNE_EVENTS, &gone);
	if (!ret && !gone && max_bytes > 0)
		ret = count_excess(s, max_bytes, &excess);
	if (!ret && excess)
		ret = delete_before(s, INT64_MAX,
				    excess < STORE_PRUNE_EVENTS
					    ? excess
					    : STORE_PRUNE_EVENTS,
				    &gone);
	if (!ret)
		ret = vacuum(s);
	if (!ret)
		*deleted = gone;
	return ret;
}
