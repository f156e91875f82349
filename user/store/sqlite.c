/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite engine: putting, notes, size. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/base.h"
#include "user/store/event_pack.h"
#include "user/store/query.h"
#include "user/store/schema.h"
#include "user/store/sqlite_store.h"

#define PUT_EVENT                                                              \
	"INSERT OR REPLACE INTO events (id, time_us, benign, count, kind,"     \
	" cause, class, comm, pid, unit, container, host, family, local_port," \
	" peer_port, peer_ip) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
#define PUT_BRIEF "INSERT OR REPLACE INTO briefs (id, brief) VALUES (?,?)"
#define PUT_BODY  "INSERT OR REPLACE INTO bodies (id, body) VALUES (?,?)"
/* Of an event that is not there, nothing is kept. */
#define PUT_STACK                                                              \
	"INSERT OR REPLACE INTO stacks (id, frames) SELECT id, ?2 FROM events" \
	" WHERE id = ?1"

int sqlite_prepare(struct sqlite_store *s, sqlite3_stmt **stmt, const char *sql)
{
	if (*stmt)
		return SQLITE_OK;
	return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				  stmt, NULL);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	if (text && text[0])
		sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, at);
}

static void bind_process(sqlite3_stmt *stmt, const struct event_process *p)
{
	bind_text(stmt, 8, p->known ? p->comm : NULL);
	if (p->known)
		sqlite3_bind_int64(stmt, 9, p->pid);
	else
		sqlite3_bind_null(stmt, 9);
	bind_text(stmt, 10, p->known ? p->unit : NULL);
	bind_text(stmt, 11, p->known ? p->container : NULL);
}

static void bind_event(sqlite3_stmt *stmt, const struct event *ev)
{
	uint8_t address[16];

	sqlite3_bind_int64(stmt, 1, ev->id);
	sqlite3_bind_int64(stmt, 2, ev->time_us);
	sqlite3_bind_int(stmt, 3, ev->verdict.benign);
	sqlite3_bind_int64(stmt, 4, ev->count);
	bind_text(stmt, 5, kind_name(ev->kind));
	bind_text(stmt, 6, cause_name(ev->verdict.cause));
	bind_text(stmt, 7,
		  ev->syscall.known ? call_class_name(ev->syscall.class)
				    : NULL);
	bind_process(stmt, &ev->process);
	sqlite3_bind_text(stmt, 12, ev->host, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 13, ev->family);
	sqlite3_bind_int(stmt, 14, ev->local.port);
	sqlite3_bind_int(stmt, 15, ev->peer.port);
	query_address(ev->family, ev->peer.ip, address);
	sqlite3_bind_blob(stmt, 16, address, sizeof(address), SQLITE_TRANSIENT);
}

static int step_once(sqlite3_stmt *stmt)
{
	int rc = schema_step(stmt);

	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int put_bytes(sqlite3_stmt *stmt, int64_t id, const uint8_t *data,
		     size_t size)
{
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_blob(stmt, 2, data, (int)size, SQLITE_STATIC);
	return step_once(stmt);
}

static int put_stack(struct sqlite_store *s, const struct store_packed *packed)
{
	int rc = sqlite_prepare(s, &s->put_stack, PUT_STACK);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s->put_stack, 1, packed->stack_of);
	sqlite3_bind_text(s->put_stack, 2, (const char *)packed->data,
			  (int)packed->size, SQLITE_STATIC);
	return step_once(s->put_stack);
}

static int put_one(struct sqlite_store *s, const struct store_packed *packed,
		   struct event *ev)
{
	uint8_t brief[EVENT_BRIEF_MAX];
	int rc, size;

	if (packed->stack_of)
		return put_stack(s, packed);
	/* Written by us: if it cannot be read, that is our own damage. */
	if (event_unpack(ev, packed->data, packed->size))
		return SQLITE_MISMATCH;
	size = event_pack_brief(ev, brief, sizeof(brief));
	if (size < 0)
		return SQLITE_MISMATCH;
	bind_event(s->put_event, ev);
	rc = step_once(s->put_event);
	if (rc == SQLITE_OK)
		rc = put_bytes(s->put_brief, ev->id, brief, (size_t)size);
	if (rc == SQLITE_OK)
		rc = put_bytes(s->put_body, ev->id, packed->data, packed->size);
	return rc;
}

int sqlite_exec(struct sqlite_store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

static int sqlite_put(struct store *base, const struct store_packed *events,
		      size_t n, char *err, size_t err_size)
{
	struct sqlite_store *s = sqlite_of(base);
	struct event ev;
	int rc = sqlite_prepare(s, &s->put_event, PUT_EVENT);

	if (rc == SQLITE_OK)
		rc = sqlite_prepare(s, &s->put_brief, PUT_BRIEF);
	if (rc == SQLITE_OK)
		rc = sqlite_prepare(s, &s->put_body, PUT_BODY);
	if (rc == SQLITE_OK)
		rc = sqlite_exec(s, "BEGIN IMMEDIATE");
	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = put_one(s, &events[i], &ev);
	if (rc == SQLITE_OK)
		rc = sqlite_exec(s, "COMMIT");
	if (rc == SQLITE_OK) {
		s->dirty = true;
		return 0;
	}
	rc = sqlite_fail(s, rc, err, err_size);
	/* Fails where SQLite has rolled back by itself. */
	if (!sqlite3_get_autocommit(s->db))
		sqlite_exec(s, "ROLLBACK");
	return rc;
}

/* Syncs the WAL; once it is moved into the file SQLite syncs that itself. */
static int sqlite_sync(struct store *base)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_file *wal = NULL;
	int rc;

	if (!s->dirty)
		return 0;
	rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
				  &wal);
	if (rc == SQLITE_OK && wal && wal->pMethods)
		rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
	if (rc == SQLITE_OK)
		s->dirty = false;
	return schema_errno(s->db, rc);
}

static int sqlite_get_note(struct store *base, const char *key, char **text)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	int ret = sqlite_refresh(s), rc;

	if (ret)
		return ret;
	rc = sqlite3_prepare_v2(s->db, "SELECT text FROM notes WHERE key = ?",
				-1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return schema_errno(s->db, rc);
	bind_text(stmt, 1, key);
	return sqlite_take_text(s, stmt, text);
}

static int sqlite_set_note(struct store *base, const char *key,
			   const char *text)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	int ret, rc;

	rc = sqlite3_prepare_v2(s->db,
				"INSERT OR REPLACE INTO notes (key, text)"
				" VALUES (?,?)",
				-1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, text, -1, SQLITE_STATIC);
		rc = schema_step(stmt);
	}
	ret = schema_errno(s->db, rc);
	sqlite3_finalize(stmt);
	if (!ret)
		s->dirty = true;
	return ret;
}

static int sqlite_last_id(struct store *base, int64_t *id)
{
	struct sqlite_store *s = sqlite_of(base);
	int64_t highest = 0, noted = 0;
	char *text = NULL;
	int ret = sqlite_refresh(s);

	if (!ret)
		ret = schema_get_int(s->db,
				     "SELECT COALESCE(MAX(id), 0) FROM events",
				     &highest);
	if (ret)
		return ret;
	/* What was given may have been pruned since. */
	ret = sqlite_get_note(base, SQLITE_LAST_ID, &text);
	if (!ret && parse_int(text, 0, INT64_MAX, &noted))
		ret = -EUCLEAN;
	free(text);
	if (ret && ret != -ENOENT)
		return ret;
	*id = noted > highest ? noted : highest;
	return 0;
}

static int sqlite_size(struct store *base, int64_t *bytes, int64_t *events)
{
	struct sqlite_store *s = sqlite_of(base);
	int64_t pages = 0, page = 0, rows = 0;
	struct stat wal;
	char *name;
	int ret = sqlite_refresh(s);

	if (!ret)
		ret = schema_get_int(s->db, "PRAGMA page_count", &pages);
	if (!ret)
		ret = schema_get_int(s->db, "PRAGMA page_size", &page);
	if (!ret)
		ret = schema_get_int(s->db, "SELECT COUNT(*) FROM events",
				     &rows);
	if (ret)
		return ret;
	if (asprintf(&name, "%s-wal", s->path) < 0)
		return -ENOMEM;
	*bytes = pages * page + (stat(name, &wal) ? 0 : wal.st_size);
	*events = rows;
	free(name);
	return 0;
}

const struct store_ops sqlite_ops = {
	.close = sqlite_close,
	.last_id = sqlite_last_id,
	.put = sqlite_put,
	.sync = sqlite_sync,
	.query = sqlite_query,
	.scan = sqlite_scan,
	.get = sqlite_get,
	.get_stack = sqlite_get_stack,
	.count = sqlite_count,
	.prune = sqlite_prune,
	.size = sqlite_size,
	.set_note = sqlite_set_note,
	.get_note = sqlite_get_note,
	.put_connections = sqlite_put_connections,
	.count_connections = sqlite_count_connections,
	.check = sqlite_check,
};
