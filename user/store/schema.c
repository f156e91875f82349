/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/store/backend.h"
#include "user/store/event_pack.h"
#include "user/store/schema.h"

/*
 * The event itself is in bodies, packed; events holds what filters ask for.
 * Apart, a scan of a million events reads 100 bytes each rather than 1,000.
 * Time comes last in an index whose first column is compared for equality, and
 * benign is in the time index so that `ls` skips such events without a look
 * into the table.
 */
const char *const schema_steps[] = {
	"CREATE TABLE events ("
	" id INTEGER PRIMARY KEY, time_us INTEGER NOT NULL,"
	" benign INTEGER NOT NULL, count INTEGER NOT NULL,"
	" kind TEXT NOT NULL, cause TEXT NOT NULL, class TEXT,"
	" comm TEXT, pid INTEGER, unit TEXT, container TEXT,"
	" host TEXT NOT NULL, family INTEGER NOT NULL,"
	" local_port INTEGER NOT NULL, peer_port INTEGER NOT NULL,"
	" peer_ip BLOB NOT NULL);"
	"CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
	"CREATE TABLE notes (key TEXT PRIMARY KEY, text TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX events_time ON events (time_us, benign);"
	"CREATE INDEX events_comm ON events (comm, time_us);"
	"CREATE INDEX events_cause ON events (cause, time_us);"
	"CREATE INDEX events_peer ON events (peer_ip, time_us);",
	/*
	 * What a walk through many events reads of each (event_pack.h), apart
	 * from all else for the same reason; and how many connections the host
	 * made while somebody watched, interval by interval. With count in the
	 * time index, counting does not read the table.
	 */
	"CREATE TABLE briefs (id INTEGER PRIMARY KEY, brief BLOB NOT NULL);"
	"INSERT INTO briefs SELECT id, COALESCE(event_brief(body), x'')"
	" FROM bodies;"
	"DROP INDEX events_time;"
	"CREATE INDEX events_time ON events (time_us, benign, count);"
	"CREATE TABLE connections (from_us INTEGER PRIMARY KEY,"
	" until_us INTEGER NOT NULL, client INTEGER NOT NULL,"
	" server INTEGER NOT NULL);",
	/* --stacks on: a JSON array of frames, innermost first */
	"CREATE TABLE stacks (id INTEGER PRIMARY KEY, frames TEXT NOT NULL);",
};
const int schema_version = ARRAY_SIZE(schema_steps);

int schema_errno(sqlite3 *db, int rc)
{
	int nr = db ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_NOTADB:
		return -EMEDIUMTYPE;
	case SQLITE_CORRUPT:
		return -EUCLEAN;
	case SQLITE_READONLY:
		return nr > 0 ? -nr : -EROFS;
	case SQLITE_PERM:
		return -EACCES;
	default:
		return nr > 0 ? -nr : -EIO;
	}
}

int schema_open_uri(sqlite3 **db, const char *path, const char *params,
		    int flags)
{
	/* An absolute path follows an empty authority: "file:///var/...". */
	size_t size = 3 * strlen(path) + strlen(params) + sizeof("file://?");
	char *uri = malloc(size), *at = uri;
	int rc;

	*db = NULL;
	if (!uri)
		return SQLITE_NOMEM;
	at += sprintf(at, "file:%s", path[0] == '/' ? "//" : "");
	for (; *path; path++) {
		if (strchr("%?#", *path))
			at += sprintf(at, "%%%02x", (unsigned int)*path);
		else
			*at++ = *path;
	}
	sprintf(at, "?%s", params);
	rc = sqlite3_open_v2(uri, db,
			     flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
				     SQLITE_OPEN_EXRESCODE,
			     NULL);
	free(uri);
	return rc;
}

int schema_step(sqlite3_stmt *stmt)
{
	int rc;

	for (int tries = 0;; tries++) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_READONLY_RECOVERY || tries == SCHEMA_TRIES)
			return rc;
		sqlite3_reset(stmt);
		usleep(SCHEMA_PAUSE_US);
	}
}

int schema_get_int(sqlite3 *db, const char *sql, int64_t *value)
{
	sqlite3_stmt *stmt = NULL;
	int ret, rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = schema_step(stmt);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(stmt, 0);
	/* Before finalize: it forgets the system's errno. */
	ret = rc == SQLITE_DONE ? -ENODATA : schema_errno(db, rc);
	sqlite3_finalize(stmt);
	return ret;
}

/*
 * immutable=1: SQLite takes no lock and leaves no file. Reading the header with
 * a descriptor of our own would be shorter and wrong: its close() would drop
 * the POSIX locks that other threads hold on the same file.
 */
static int probe_header(const char *path)
{
	int64_t id = 0;
	sqlite3 *db;
	int ret, rc = schema_open_uri(&db, path, "mode=ro&immutable=1",
				      SQLITE_OPEN_READONLY);

	ret = rc == SQLITE_OK ? schema_get_int(db, "PRAGMA application_id", &id)
			      : schema_errno(db, rc);
	sqlite3_close(db);
	if (!ret && id != SCHEMA_APPLICATION_ID)
		ret = -EMEDIUMTYPE;
	return ret ? ret : SCHEMA_OURS;
}

int schema_probe(const char *path, char *err, size_t err_size)
{
	struct stat st;
	int ret;

	if (stat(path, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode))
		ret = -EMEDIUMTYPE;
	else if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS))
		ret = -errno;
	else
		ret = st.st_size ? probe_header(path) : SCHEMA_EMPTY;
	if (ret == -EMEDIUMTYPE)
		store_fail(err, err_size, -ret,
			   "store %s: is no store of rstscope; left as it is",
			   path);
	else if (ret == -ENOENT)
		store_fail(err, err_size, -ret,
			   "store %s: there is none (has rstscoped run?)",
			   path);
	else if (ret < 0)
		store_fail(err, err_size, -ret, "store %s: %s", path,
			   strerror(-ret));
	return ret;
}

/* event_brief(body): the brief of a packed event; NULL: it is damaged. */
static void sql_event_brief(sqlite3_context *context, int n,
			    sqlite3_value **values)
{
	uint8_t brief[EVENT_BRIEF_MAX];
	struct event ev;
	int size;

	(void)n;
	if (event_unpack(&ev, sqlite3_value_blob(values[0]),
			 (size_t)sqlite3_value_bytes(values[0])))
		return;
	size = event_pack_brief(&ev, brief, sizeof(brief));
	if (size > 0)
		sqlite3_result_blob(context, brief, size, SQLITE_TRANSIENT);
}

static int migrate_steps(sqlite3 *db, const char *const *steps, int from,
			 int count)
{
	char pragmas[96];
	int rc = sqlite3_create_function(db, "event_brief", 1,
					 SQLITE_UTF8 | SQLITE_DETERMINISTIC,
					 NULL, sql_event_brief, NULL, NULL);

	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 SCHEMA_APPLICATION_ID, count);
	for (int i = from; rc == SQLITE_OK && i < count; i++)
		rc = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
	return rc;
}

int schema_migrate(sqlite3 *db, const char *const *steps, int count, char *err,
		   size_t err_size)
{
	int64_t version = 0;
	int rc, ret = schema_get_int(db, "PRAGMA user_version", &version);

	if (ret)
		return store_fail(err, err_size, -ret, "%s",
				  sqlite3_errmsg(db));
	if (version > count)
		return store_fail(err, err_size, EPROTO,
				  "has schema %lld, this rstscope knows up to "
				  "%d: a newer one has written it",
				  (long long)version, count);
	if (version < 0)
		return store_fail(err, err_size, EUCLEAN, "has no version");
	if (version == count)
		return 0;
	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = migrate_steps(db, steps, (int)version, count);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	ret = schema_errno(db, rc);
	store_fail(err, err_size, -ret, "%s", sqlite3_errmsg(db));
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return ret;
}
