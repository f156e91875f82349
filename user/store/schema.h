/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of the SQLite engine and how older ones become them. The header
 * of the file says whose it is (application_id) and its version (user_version
 * = the number of steps taken).
 */
#ifndef RSTSCOPE_STORE_SCHEMA_H
#define RSTSCOPE_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEMA_APPLICATION_ID 0x52535473 /* "RSTs" */

/* Each step is SQL; a new version appends one and changes none. */
extern const char *const schema_steps[];
extern const int schema_version;

enum schema_file { SCHEMA_EMPTY, SCHEMA_OURS };

/*
 * Whose the file is, without writing anything there or beside it: an enum
 * schema_file, or -EMEDIUMTYPE, -errno with one line in err.
 */
int schema_probe(const char *path, char *err, size_t err_size);

/*
 * Opens by URI, so that SQLite's parameters ("mode=ro&immutable=1") can be
 * given; any byte may stand in the path. An SQLite result code; *db is to be
 * closed also on failure.
 */
int schema_open_uri(sqlite3 **db, const char *path, const char *params,
		    int flags);

/*
 * sqlite3_step(). A reader that opened the WAL's index read-only and meets its
 * header half written wants to know whether the writer is alive, by its lock;
 * if that is done by then, it is told SQLITE_READONLY_RECOVERY (walIndexReadHdr
 * of SQLite's wal.c). That passes: it is tried again, for 100 ms at most.
 */
#define SCHEMA_TRIES	50
#define SCHEMA_PAUSE_US 2000
int schema_step(sqlite3_stmt *stmt);

/* The number that a PRAGMA or a SELECT without parameters gives. */
int schema_get_int(sqlite3 *db, const char *sql, int64_t *value);

/*
 * Takes the steps that are missing, all in one transaction. -EPROTO for a
 * newer file, which is left as it is.
 */
int schema_migrate(sqlite3 *db, const char *const *steps, int count, char *err,
		   size_t err_size);

/* What an SQLite result code is as -errno (0 for SQLITE_OK). */
int schema_errno(sqlite3 *db, int rc);

#endif
