/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a store.
 *
 * To write: the file must be new or ours, the lock free; then WAL, so that
 * readers and the writer never wait for each other. synchronous=NORMAL: a
 * commit is safe from the death of the process at once, from a power cut after
 * the next sync (store_sync).
 *
 * To read: nothing may be written, neither by us nor by SQLite, and the
 * reader may have no right to. With a WAL beside the store, its index (-shm)
 * is opened read-only too (readonly_shm); where no daemon lives SQLite then
 * rebuilds that index in memory. Without a WAL (the daemon ended in order)
 * there is nothing but the file: immutable=1, since SQLite would otherwise
 * create -wal and -shm. A daemon that starts later is noticed by its WAL
 * before each read (sqlite_refresh).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/store/lock.h"
#include "user/store/schema.h"
#include "user/store/sqlite_store.h"

#define DEFAULT_DIRECTORY "/var/lib/rstscope"

#define READ_PRAGMAS                                                           \
	"PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"                \
	"PRAGMA temp_store=MEMORY;"
/*
 * auto_vacuum counts only while the file is empty. Checkpoints at 16 MB rather
 * than 4: the pages that every batch touches are copied a quarter as often.
 */
#define WRITE_PRAGMAS                                                          \
	READ_PRAGMAS "PRAGMA auto_vacuum=INCREMENTAL;"                         \
		     "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192;"     \
		     "PRAGMA wal_autocheckpoint=4000;"                         \
		     "PRAGMA journal_size_limit=16777216;"

int sqlite_fail(struct sqlite_store *s, int rc, char *err, size_t err_size)
{
	int ret = schema_errno(s->db, rc);
	const char *what = sqlite3_errstr(rc);

	/* it may have succeeded with something else since: a ROLLBACK */
	if (s->db && sqlite3_extended_errcode(s->db) == rc)
		what = sqlite3_errmsg(s->db);
	/* SQLite's "disk I/O error" hides what the system said. */
	if ((rc & 0xff) == SQLITE_IOERR && ret != -EIO)
		what = strerror(-ret);
	return store_fail(err, err_size, ret ? -ret : EIO, "store %s: %s",
			  s->path, what);
}

static int beside(const struct sqlite_store *s, const char *suffix,
		  struct stat *st)
{
	char *name;
	int ret;

	if (asprintf(&name, "%s%s", s->path, suffix) < 0)
		return -1;
	ret = stat(name, st);
	free(name);
	return ret;
}

/* Nothing but the file itself tells the story: no WAL, or an unused one. */
static bool is_at_rest(const struct sqlite_store *s)
{
	struct stat wal, shm;

	if (beside(s, "-wal", &wal))
		return true;
	return wal.st_size == 0 && beside(s, "-shm", &shm);
}

static int reader_try(struct sqlite_store *s, const char *params)
{
	int64_t version;
	int rc = schema_open_uri(&s->db, s->path, params, SQLITE_OPEN_READONLY);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(s->db, 2000);
		rc = sqlite3_exec(s->db, READ_PRAGMAS, NULL, NULL, NULL);
	}
	/* The first read opens the WAL and finds out whether it can. */
	if (rc == SQLITE_OK)
		schema_get_int(s->db, "SELECT COUNT(*) FROM sqlite_schema",
			       &version);
	return s->db ? sqlite3_errcode(s->db) : rc;
}

static int reader_open(struct sqlite_store *s)
{
	int rc;

	s->immutable = is_at_rest(s);
	if (s->immutable)
		return reader_try(s, "mode=ro&immutable=1");
	for (int tries = 0; tries <= SCHEMA_TRIES; tries++) {
		rc = reader_try(s, "mode=ro&readonly_shm=1");
		if (rc == SQLITE_OK || rc == SQLITE_ROW)
			return SQLITE_OK;
		if (rc != SQLITE_READONLY_RECOVERY)
			break;
		sqlite3_close(s->db);
		s->db = NULL;
		usleep(SCHEMA_PAUSE_US);
	}
	/* A WAL whose index got lost (a copy): whoever may, rebuilds it. */
	sqlite3_close(s->db);
	return reader_try(s, "mode=ro");
}

static void drop_statements(struct sqlite_store *s)
{
	sqlite3_finalize(s->put_event);
	sqlite3_finalize(s->put_brief);
	sqlite3_finalize(s->put_body);
	sqlite3_finalize(s->put_stack);
	sqlite3_finalize(s->get_body);
	s->put_event = s->put_brief = s->put_body = s->get_body = NULL;
}

int sqlite_refresh(struct sqlite_store *s)
{
	int rc;

	if (s->mode != STORE_READ || !s->immutable || is_at_rest(s))
		return 0;
	drop_statements(s);
	sqlite3_close(s->db);
	rc = reader_open(s);
	return schema_errno(s->db, rc);
}

static int open_read(struct sqlite_store *s, char *err, size_t err_size)
{
	int64_t version = 0;
	int rc, ret = schema_probe(s->path, err, err_size);

	if (ret < 0)
		return ret;
	if (ret == SCHEMA_EMPTY)
		return store_fail(err, err_size, ENOENT,
				  "store %s: is empty (has rstscoped run?)",
				  s->path);
	rc = reader_open(s);
	if (schema_errno(s->db, rc))
		return sqlite_fail(s, rc, err, err_size);
	ret = schema_get_int(s->db, "PRAGMA user_version", &version);
	if (ret)
		return sqlite_fail(s, sqlite3_errcode(s->db), err, err_size);
	if (version != schema_version)
		return store_fail(err, err_size, EPROTO,
				  "store %s: has schema %lld, this rstscope "
				  "reads %d: %s",
				  s->path, (long long)version, schema_version,
				  version > schema_version
					  ? "a newer one has written it"
					  : "start rstscoped of this version "
					    "once to bring it up to date");
	return 0;
}

/* Only the default's own directory: a mistyped path is not made true. */
static int make_directory(const struct sqlite_store *s, char *err,
			  size_t err_size)
{
	int nr;

	if (strcmp(s->path, STORE_DEFAULT_URL + strlen("sqlite:")))
		return 0;
	if (!mkdir(DEFAULT_DIRECTORY, 0755) || errno == EEXIST)
		return 0;
	nr = errno;
	return store_fail(err, err_size, nr, "store: cannot create %s: %s",
			  DEFAULT_DIRECTORY, strerror(nr));
}

/* SQLite gives -wal and -shm the mode and owner that the file has. */
static int create_file(struct sqlite_store *s, char *err, size_t err_size)
{
	int nr, fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	nr = errno;
	return store_fail(err, err_size, nr, "store %s: cannot create it: %s",
			  s->path, strerror(nr));
}

static int use_wal(struct sqlite_store *s, char *err, size_t err_size)
{
	sqlite3_stmt *stmt = NULL;
	bool wal = false;
	int rc;

	rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode=WAL", -1, &stmt,
				NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		wal = !strcmp((const char *)sqlite3_column_text(stmt, 0),
			      "wal");
	if (rc != SQLITE_ROW)
		sqlite_fail(s, rc, err, err_size);
	rc = rc == SQLITE_ROW ? 0 : schema_errno(s->db, rc);
	sqlite3_finalize(stmt);
	if (!rc && !wal)
		return store_fail(err, err_size, ENOTSUP,
				  "store %s: its file system cannot do WAL",
				  s->path);
	return rc;
}

static int prepare_write(struct sqlite_store *s, char *err, size_t err_size)
{
	char what[256];
	int ret, rc = schema_open_uri(&s->db, s->path, "mode=rw",
				      SQLITE_OPEN_READWRITE);

	if (rc != SQLITE_OK)
		return sqlite_fail(s, rc, err, err_size);
	if (sqlite3_db_readonly(s->db, "main"))
		return store_fail(err, err_size, EACCES,
				  "store %s: is not writable", s->path);
	sqlite3_busy_timeout(s->db, 5000);
	rc = sqlite3_exec(s->db, WRITE_PRAGMAS, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return sqlite_fail(s, rc, err, err_size);
	ret = schema_migrate(s->db, schema_steps, schema_version, what,
			     sizeof(what));
	if (ret)
		return store_fail(err, err_size, -ret, "store %s: %s", s->path,
				  what);
	return use_wal(s, err, err_size);
}

static int open_write(struct sqlite_store *s, char *err, size_t err_size)
{
	int found, ret = make_directory(s, err, err_size);

	if (ret)
		return ret;
	found = schema_probe(s->path, err, err_size);
	if (found < 0 && found != -ENOENT)
		return found;
	ret = lock_take(s->path, &s->lock_fd, err, err_size);
	if (!ret && found == -ENOENT)
		ret = create_file(s, err, err_size);
	if (ret)
		return ret;
	ret = prepare_write(s, err, err_size);
	/* No empty file is left where no store could be made. */
	if (ret && found == -ENOENT && unlink(s->path))
		log_debug("%s: %s", s->path, strerror(errno));
	return ret;
}

void sqlite_close(struct store *base)
{
	struct sqlite_store *s = sqlite_of(base);

	drop_statements(s);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

int sqlite_store_open(struct store **out, const char *path,
		      enum store_mode mode, char *err, size_t err_size)
{
	struct sqlite_store *s = calloc(1, sizeof(*s));
	int ret;

	if (s)
		s->path = strdup(path);
	if (!s || !s->path) {
		free(s);
		return store_fail(err, err_size, ENOMEM,
				  "store: out of memory");
	}
	s->base.ops = &sqlite_ops;
	s->mode = mode;
	s->lock_fd = -1;
	ret = mode == STORE_READ ? open_read(s, err, err_size)
				 : open_write(s, err, err_size);
	if (ret)
		sqlite_close(&s->base);
	else
		*out = &s->base;
	return ret;
}
