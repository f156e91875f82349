/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite engine: what is asked of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event_pack.h"
#include "user/store/query.h"
#include "user/store/schema.h"
#include "user/store/sqlite_store.h"

/* Events read in one transaction; their callbacks run outside of it. */
#define CHUNK 128

#define GET_BODY "SELECT body FROM bodies WHERE id = ?"

static int prepare_query(struct sqlite_store *s, const struct query *q,
			 sqlite3_stmt **stmt)
{
	int rc = sqlite3_prepare_v2(s->db, q->text, (int)q->used, stmt, NULL);

	for (unsigned int i = 0; rc == SQLITE_OK && i < q->params; i++) {
		const struct query_param *p = &q->param[i];
		int at = (int)i + 1;

		if (p->type == QUERY_INT)
			rc = sqlite3_bind_int64(*stmt, at, p->number);
		else if (p->type == QUERY_STRING)
			rc = sqlite3_bind_text(*stmt, at, p->text, -1,
					       SQLITE_STATIC);
		else
			rc = sqlite3_bind_blob(*stmt, at, p->bytes,
					       sizeof(p->bytes), SQLITE_STATIC);
	}
	return rc;
}

struct ids {
	int64_t *id;
	size_t n, capacity;
};

static int ids_add(struct ids *ids, int64_t id)
{
	if (ids->n == ids->capacity) {
		size_t capacity = ids->capacity ? 2 * ids->capacity : 256;
		int64_t *more = realloc(ids->id, capacity * sizeof(*more));

		if (!more)
			return SQLITE_NOMEM;
		ids->id = more;
		ids->capacity = capacity;
	}
	ids->id[ids->n++] = id;
	return SQLITE_ROW;
}

/* The ids that match, newest first; a result code of SQLite. */
static int find_ids(struct sqlite_store *s, const struct filter *f,
		    struct ids *ids)
{
	sqlite3_stmt *stmt = NULL;
	struct query q;
	int rc;

	query_ids(&q, f);
	rc = prepare_query(s, &q, &stmt);
	if (rc == SQLITE_OK)
		rc = SQLITE_ROW;
	while (rc == SQLITE_ROW) {
		rc = schema_step(stmt);
		if (rc == SQLITE_ROW)
			rc = ids_add(ids, sqlite3_column_int64(stmt, 0));
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

struct body {
	uint8_t *data; /* NULL: deleted since its id was found */
	size_t size;
};

static int read_body(struct sqlite_store *s, int64_t id, struct body *body)
{
	int rc = sqlite_prepare(s, &s->get_body, GET_BODY);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s->get_body, 1, id);
	rc = schema_step(s->get_body);
	if (rc == SQLITE_ROW) {
		const void *data = sqlite3_column_blob(s->get_body, 0);
		int size = sqlite3_column_bytes(s->get_body, 0);

		body->size = (size_t)size;
		body->data = malloc(body->size + 1);
		if (body->data && size)
			memcpy(body->data, data, body->size);
		rc = body->data ? SQLITE_OK : SQLITE_NOMEM;
	} else if (rc == SQLITE_DONE) {
		rc = SQLITE_OK;
	}
	sqlite3_reset(s->get_body);
	return rc;
}

static int read_chunk(struct sqlite_store *s, const struct ids *ids,
		      size_t left, struct body *bodies, size_t n)
{
	int rc = sqlite_exec(s, "BEGIN");

	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = read_body(s, ids->id[left - 1 - i], &bodies[i]);
	if (!sqlite3_get_autocommit(s->db))
		sqlite_exec(s, "ROLLBACK");
	return rc;
}

static void free_chunk(struct body *bodies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(bodies[i].data);
		bodies[i].data = NULL;
	}
}

/* What fn returned. */
static int give_chunk(const struct body *bodies, size_t n, store_event_fn fn,
		      void *ctx, size_t *damaged)
{
	struct event ev;
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		if (!bodies[i].data)
			continue;
		if (event_unpack(&ev, bodies[i].data, bodies[i].size))
			++*damaged;
		else
			ret = fn(&ev, ctx);
	}
	return ret;
}

static int tell_damaged(const struct sqlite_store *s, size_t damaged, char *err,
			size_t err_size)
{
	if (!damaged)
		return 0;
	return store_fail(err, err_size, EBADMSG,
			  "store %s: %zu events are damaged", s->path, damaged);
}

static int give_all(struct sqlite_store *s, const struct ids *ids,
		    store_event_fn fn, void *ctx, char *err, size_t err_size)
{
	struct body bodies[CHUNK] = {};
	size_t left = ids->n, n, damaged = 0;
	int rc, ret = 0;

	for (; !ret && left; left -= n) {
		n = left < CHUNK ? left : CHUNK;
		rc = read_chunk(s, ids, left, bodies, n);
		if (rc == SQLITE_OK)
			ret = give_chunk(bodies, n, fn, ctx, &damaged);
		free_chunk(bodies, n);
		if (rc != SQLITE_OK)
			return sqlite_fail(s, rc, err, err_size);
	}
	return ret ? ret : tell_damaged(s, damaged, err, err_size);
}

int sqlite_query(struct store *base, const struct filter *f, store_event_fn fn,
		 void *ctx, char *err, size_t err_size)
{
	struct sqlite_store *s = sqlite_of(base);
	struct ids ids = {};
	int rc, ret = sqlite_refresh(s);

	if (ret)
		return store_fail(err, err_size, -ret, "store %s: %s", s->path,
				  strerror(-ret));
	rc = find_ids(s, f, &ids);
	ret = rc == SQLITE_OK ? give_all(s, &ids, fn, ctx, err, err_size)
			      : sqlite_fail(s, rc, err, err_size);
	free(ids.id);
	return ret;
}

static int give_brief(sqlite3_stmt *stmt, store_event_fn fn, void *ctx,
		      size_t *damaged)
{
	const void *data = sqlite3_column_blob(stmt, 0);
	struct event ev;

	if (!event_unpack(&ev, data, (size_t)sqlite3_column_bytes(stmt, 0)))
		return fn(&ev, ctx);
	++*damaged;
	return 0;
}

int sqlite_scan(struct store *base, const struct filter *f, store_event_fn fn,
		void *ctx, char *err, size_t err_size)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	size_t damaged = 0;
	struct query q;
	int rc, ret = sqlite_refresh(s);

	if (ret)
		return store_fail(err, err_size, -ret, "store %s: %s", s->path,
				  strerror(-ret));
	query_briefs(&q, f);
	rc = prepare_query(s, &q, &stmt);
	while (!ret && rc == SQLITE_OK) {
		rc = schema_step(stmt);
		if (rc != SQLITE_ROW)
			break;
		ret = give_brief(stmt, fn, ctx, &damaged);
		rc = SQLITE_OK;
	}
	if (!ret && rc != SQLITE_DONE)
		ret = sqlite_fail(s, rc, err, err_size);
	else if (!ret)
		ret = tell_damaged(s, damaged, err, err_size);
	sqlite3_finalize(stmt);
	return ret;
}

int sqlite_get(struct store *base, int64_t id, struct event *ev)
{
	struct sqlite_store *s = sqlite_of(base);
	struct body body = {};
	struct event found;
	int ret = sqlite_refresh(s);

	if (ret)
		return ret;
	ret = schema_errno(s->db, read_body(s, id, &body));
	if (ret)
		return ret;
	if (!body.data)
		return -ENOENT;
	ret = event_unpack(&found, body.data, body.size);
	free(body.data);
	if (!ret)
		*ev = found;
	return ret;
}

int sqlite_take_text(struct sqlite_store *s, sqlite3_stmt *stmt, char **text)
{
	int rc = schema_step(stmt);
	int ret = rc == SQLITE_DONE ? -ENOENT : schema_errno(s->db, rc);

	if (rc == SQLITE_ROW) {
		const unsigned char *found = sqlite3_column_text(stmt, 0);
		char *copy = found ? strdup((const char *)found) : NULL;

		ret = copy ? 0 : -ENOMEM;
		if (copy)
			*text = copy;
	}
	sqlite3_finalize(stmt);
	return ret;
}

int sqlite_get_stack(struct store *base, int64_t id, char **text)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	int ret = sqlite_refresh(s), rc;

	if (ret)
		return ret;
	rc = sqlite3_prepare_v2(s->db, "SELECT frames FROM stacks WHERE id = ?",
				-1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return schema_errno(s->db, rc);
	sqlite3_bind_int64(stmt, 1, id);
	return sqlite_take_text(s, stmt, text);
}

int sqlite_count(struct store *base, const struct filter *f, int64_t *rows,
		 int64_t *events)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	struct query q;
	int rc, ret = sqlite_refresh(s);

	if (ret)
		return ret;
	query_count(&q, f);
	rc = prepare_query(s, &q, &stmt);
	if (rc == SQLITE_OK)
		rc = schema_step(stmt);
	if (rc == SQLITE_ROW) {
		*rows = sqlite3_column_int64(stmt, 0);
		*events = sqlite3_column_int64(stmt, 1);
	}
	ret = schema_errno(s->db, rc);
	sqlite3_finalize(stmt);
	return ret;
}
