/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite engine: how many connections there were, by interval. */
#include "user/base/base.h"
#include "user/store/schema.h"
#include "user/store/sqlite_store.h"

#define PUT                                                                    \
	"INSERT OR REPLACE INTO connections (from_us, until_us, client,"       \
	" server) VALUES (?,?,?,?)"
/* ?1 to ?2; an interval has its start and not its end. */
#define COUNT                                                                  \
	"WITH part AS (SELECT client + server AS number, until_us - from_us"   \
	" AS whole, MIN(until_us, ?2) - MAX(from_us, ?1) AS inside"            \
	" FROM connections WHERE until_us > ?1 AND from_us < ?2)"              \
	"SELECT TOTAL(1.0 * number * inside / whole),"                         \
	" TOTAL(CASE WHEN inside < whole THEN 1.0 * number * inside / whole"   \
	" END), COALESCE((SELECT MIN(from_us) FROM connections), 0) FROM part"

int sqlite_put_connections(struct store *base,
			   const struct store_connections *c)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	int ret, rc = sqlite3_prepare_v2(s->db, PUT, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, c->from_us);
		sqlite3_bind_int64(stmt, 2, c->until_us);
		sqlite3_bind_int64(stmt, 3, c->client);
		sqlite3_bind_int64(stmt, 4, c->server);
		rc = schema_step(stmt);
	}
	ret = schema_errno(s->db, rc);
	sqlite3_finalize(stmt);
	if (!ret)
		s->dirty = true;
	return ret;
}

int sqlite_count_connections(struct store *base, int64_t since_us,
			     int64_t until_us, struct store_share *out)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *stmt = NULL;
	int rc, ret = sqlite_refresh(s);

	if (ret)
		return ret;
	rc = sqlite3_prepare_v2(s->db, COUNT, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, since_us);
		sqlite3_bind_int64(stmt, 2, until_us);
		rc = schema_step(stmt);
	}
	if (rc == SQLITE_ROW)
		*out = (struct store_share){
			.number = sqlite3_column_double(stmt, 0),
			.parts = sqlite3_column_double(stmt, 1),
			.oldest_us = sqlite3_column_int64(stmt, 2),
		};
	ret = schema_errno(s->db, rc);
	sqlite3_finalize(stmt);
	return ret;
}
