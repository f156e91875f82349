/* SPDX-License-Identifier: Apache-2.0 */
/* Whose file it is, who may open it, and what is left untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "sample_event.h"
#include "scratch.h"
#include "user/store/schema.h"
#include "user/store/store.h"

#define NOBODY 65534

static char err[512];

static int open_as(struct store **s, const char *url, enum store_mode mode)
{
	err[0] = '\0';
	return store_open(s, url, mode, err, sizeof(err));
}

static struct store *open_good(const struct scratch *d, enum store_mode mode)
{
	struct store *s = NULL;

	if (open_as(&s, d->path, mode))
		fail_msg("%s", err);
	return s;
}

static void put(struct store *s, int64_t id)
{
	struct event ev;
	const struct event *one = &ev;

	sample_full(&ev, id);
	if (store_put(s, &one, 1, err, sizeof(err)))
		fail_msg("%s", err);
}

static int64_t last_id(struct store *s)
{
	int64_t id = -1;

	assert_int_equal(store_last_id(s, &id), 0);
	return id;
}

/* Refused both ways, in one line that names the store and says why. */
static void demand_refused(const char *url, enum store_mode mode, int ret,
			   const char *why)
{
	struct store *s = NULL;

	assert_int_equal(open_as(&s, url, mode), ret);
	assert_null(s);
	if (!strstr(err, why) || strchr(err, '\n'))
		fail_msg("'%s' lacks '%s'", err, why);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_urls(void **state)
{
	struct scratch *d = *state;
	struct store *s = NULL;
	char url[160];

	demand_refused("clickhouse://host:8123/db", STORE_READ,
		       -EPROTONOSUPPORT, "no such engine");
	demand_refused("sqlite:", STORE_WRITE, -EINVAL, "path is missing");
	demand_refused("", STORE_WRITE, -EINVAL, "path is missing");
	snprintf(url, sizeof(url), "sqlite:%s", d->path);
	assert_int_equal(open_as(&s, url, STORE_WRITE), 0);
	store_close(s);
	snprintf(url, sizeof(url), "sqlite://%s", d->path);
	assert_int_equal(open_as(&s, url, STORE_READ), 0);
	store_close(s);
}

/* A path may hold what means something in a URI. */
static void test_odd_path(void **state)
{
	struct scratch *d = *state;
	struct store *s;

	snprintf(d->path, sizeof(d->path), "%s/a b%%20c?mode=rw#x'\"", d->dir);
	s = open_good(d, STORE_WRITE);
	put(s, 5);
	store_close(s);
	assert_true(scratch_size(d->path) > 0);
	s = open_good(d, STORE_READ);
	assert_int_equal(last_id(s), 5);
	store_close(s);
}

static void test_missing(void **state)
{
	struct scratch *d = *state;
	char deep[128];

	demand_refused(d->path, STORE_READ, -ENOENT, "there is none");
	assert_int_equal(scratch_files(d), 0);
	snprintf(deep, sizeof(deep), "%s/no/such/events.db", d->dir);
	demand_refused(deep, STORE_WRITE, -ENOENT, "No such file");
	write_file(d->path, "");
	demand_refused(d->path, STORE_READ, -ENOENT, "is empty");
	store_close(open_good(d, STORE_WRITE));
}

static void test_modes(void **state)
{
	struct scratch *d = *state;
	mode_t before = umask(022);
	struct stat st;

	store_close(open_good(d, STORE_WRITE));
	umask(before);
	assert_int_equal(stat(d->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void demand_foreign(const struct scratch *d)
{
	off_t size = scratch_size(d->path);
	int files = scratch_files(d);

	demand_refused(d->path, STORE_READ, -EMEDIUMTYPE, "no store of");
	demand_refused(d->path, STORE_WRITE, -EMEDIUMTYPE, "no store of");
	assert_int_equal(scratch_size(d->path), size);
	assert_int_equal(scratch_files(d), files);
}

static void test_foreign(void **state)
{
	struct scratch *d = *state;
	char text[8192];

	write_file(d->path, "my shopping list\n");
	demand_foreign(d);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	write_file(d->path, text);
	demand_foreign(d);
	unlink(d->path);
	run_sql(d->path, "CREATE TABLE events (id)");
	demand_foreign(d);
	run_sql(d->path, "PRAGMA journal_mode=WAL; DROP TABLE events");
	demand_foreign(d);
	unlink(d->path);
	assert_int_equal(mkfifo(d->path, 0600), 0);
	demand_foreign(d);
	snprintf(d->path, sizeof(d->path), "%s", d->dir);
	demand_foreign(d);
}

static void test_other_schema(void **state)
{
	struct scratch *d = *state;
	off_t size;

	store_close(open_good(d, STORE_WRITE));
	run_sql(d->path, "PRAGMA user_version=999");
	size = scratch_size(d->path);
	demand_refused(d->path, STORE_READ, -EPROTO, "newer");
	demand_refused(d->path, STORE_WRITE, -EPROTO, "newer");
	assert_int_equal(scratch_size(d->path), size);
	run_sql(d->path, "PRAGMA user_version=0");
	demand_refused(d->path, STORE_READ, -EPROTO, "bring it up to date");
}

/* Version 1 with data becomes version 3, and a step that fails changes none. */
static void test_migration(void **state)
{
	static const char *const steps[] = {
		"CREATE TABLE t (a); INSERT INTO t VALUES (7)",
		"ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1",
		"CREATE INDEX t_b ON t (b)",
		"UPDATE t SET a = 0; CREATE TABLE t (twice)",
	};
	struct scratch *d = *state;
	int64_t value = 0;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(d->path, &db), SQLITE_OK);
	assert_int_equal(schema_migrate(db, steps, 1, err, sizeof(err)), 0);
	sqlite3_close(db);
	assert_int_equal(schema_probe(d->path, err, sizeof(err)), SCHEMA_OURS);
	assert_int_equal(sqlite3_open(d->path, &db), SQLITE_OK);
	assert_int_equal(schema_migrate(db, steps, 3, err, sizeof(err)), 0);
	schema_get_int(db, "SELECT b FROM t", &value);
	assert_int_equal(value, 8);
	schema_get_int(db, "PRAGMA user_version", &value);
	assert_int_equal(value, 3);
	assert_true(schema_migrate(db, steps, 4, err, sizeof(err)) < 0);
	schema_get_int(db, "SELECT a FROM t", &value);
	assert_int_equal(value, 7);
	schema_get_int(db, "PRAGMA user_version", &value);
	assert_int_equal(value, 3);
	assert_int_equal(schema_migrate(db, steps, 2, err, sizeof(err)),
			 -EPROTO);
	sqlite3_close(db);
}

static void test_one_writer(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_good(d, STORE_WRITE);
	char pid[32];

	snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	demand_refused(d->path, STORE_WRITE, -EBUSY, pid);
	put(s, 1);
	store_close(s);
	store_close(open_good(d, STORE_WRITE));
}

static void test_read_while_written(void **state)
{
	struct scratch *d = *state;
	struct store *w = open_good(d, STORE_WRITE), *r;

	put(w, 1);
	r = open_good(d, STORE_READ);
	assert_int_equal(last_id(r), 1);
	put(w, 2);
	assert_int_equal(last_id(r), 2);
	assert_true(store_set_note(r, "a", "b") < 0);
	store_close(w);
	assert_int_equal(last_id(r), 2);
	w = open_good(d, STORE_WRITE);
	put(w, 3);
	assert_int_equal(last_id(r), 3);
	store_close(r);
	store_close(w);
}

/* At rest there is one file, and reading leaves it at that. */
static void test_read_at_rest(void **state)
{
	struct scratch *d = *state;
	struct store *w = open_good(d, STORE_WRITE), *r;
	int files;

	put(w, 1);
	store_close(w);
	files = scratch_files(d);
	r = open_good(d, STORE_READ);
	assert_int_equal(last_id(r), 1);
	assert_int_equal(scratch_files(d), files);
	/* A daemon that starts now is noticed. */
	w = open_good(d, STORE_WRITE);
	put(w, 2);
	assert_int_equal(last_id(r), 2);
	store_close(r);
	store_close(w);
}

/* Leaves the store as a daemon does that is killed. */
static void leave_killed(const struct scratch *d, int64_t events)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct store *s;

		if (open_as(&s, d->path, STORE_WRITE))
			_exit(1);
		for (int64_t id = 1; id <= events; id++)
			put(s, id);
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
}

static void test_read_after_kill(void **state)
{
	struct scratch *d = *state;
	struct store *r;
	off_t size;
	char wal[128];

	leave_killed(d, 20);
	snprintf(wal, sizeof(wal), "%s-wal", d->path);
	size = scratch_size(wal);
	assert_true(size > 0);
	r = open_good(d, STORE_READ);
	assert_int_equal(last_id(r), 20);
	store_close(r);
	assert_int_equal(scratch_size(wal), size);
}

/* A process that holds the store open for writing, until it is killed. */
static pid_t live_writer(const struct scratch *d)
{
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		struct store *s;

		alarm(20); /* outlives no test that fails */
		if (open_as(&s, d->path, STORE_WRITE))
			_exit(1);
		put(s, 1);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void flip_index(const struct scratch *d)
{
	char name[128], byte;
	int fd;

	snprintf(name, sizeof(name), "%s-shm", d->path);
	fd = open(name, O_RDWR);
	if (fd < 0 || pread(fd, &byte, 1, 8) != 1)
		_exit(1);
	byte = (char)~byte; /* of iChange, in the first of two copies */
	if (pwrite(fd, &byte, 1, 8) != 1)
		_exit(1);
	close(fd);
}

/*
 * The header of the WAL's index is half written from the return on, and whole
 * again after that time. In a process of its own: close() drops the locks that
 * SQLite holds on the file.
 */
static pid_t tear_index(const struct scratch *d, useconds_t us)
{
	int torn[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(torn), 0);
	child = fork();
	if (!child) {
		flip_index(d);
		if (write(torn[1], "", 1) != 1)
			_exit(1);
		usleep(us);
		flip_index(d);
		_exit(0);
	}
	close(torn[1]);
	assert_int_equal(read(torn[0], &byte, 1), 1);
	close(torn[0]);
	return child;
}

/* A reader looks while the writer is at it, and the writer is done then. */
static void test_read_half_written(void **state)
{
	struct scratch *d = *state;
	pid_t writer = live_writer(d), tearer;
	struct store *r = open_good(d, STORE_READ);
	int64_t id = 0;

	assert_int_equal(last_id(r), 1);
	tearer = tear_index(d, 600000); /* longer than anybody takes for it */
	assert_int_equal(store_last_id(r, &id), -EROFS);
	waitpid(tearer, NULL, 0);
	tearer = tear_index(d, 6000);
	assert_int_equal(last_id(r), 1);
	waitpid(tearer, NULL, 0);
	store_close(r);
	tearer = tear_index(d, 6000);
	r = open_good(d, STORE_READ);
	assert_int_equal(last_id(r), 1);
	waitpid(tearer, NULL, 0);
	store_close(r);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
}

/* What a reader that may only read sees: the last id, or an error (negated). */
static int64_t read_as_nobody(const struct scratch *d)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct store *s;
		int64_t id = 0;
		int ret;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		ret = open_as(&s, d->path, STORE_READ);
		if (!ret)
			ret = store_last_id(s, &id);
		_exit(ret ? 200 : (int)id);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 200 ? -1 : WEXITSTATUS(status);
}

static void open_to_all(const struct scratch *d)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[128];

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", d->path, ends[i]);
		chmod(name, 0644);
	}
}

static bool lacks_root(void)
{
	if (geteuid() == 0)
		return false;
	print_message("skipped: needs root, to become another user\n");
	return true;
}

static void test_read_unprivileged(void **state)
{
	struct scratch *d = *state;
	struct store *w;

	if (lacks_root())
		skip();
	/* killed, running, ended in order */
	leave_killed(d, 3);
	assert_int_equal(read_as_nobody(d), -1);
	open_to_all(d);
	assert_int_equal(read_as_nobody(d), 3);
	w = open_good(d, STORE_WRITE);
	put(w, 4);
	open_to_all(d);
	assert_int_equal(read_as_nobody(d), 4);
	store_close(w);
	assert_int_equal(read_as_nobody(d), 4);
}

static int write_as_nobody(const struct scratch *d, const char *why)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct store *s;
		int ret;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		ret = open_as(&s, d->path, STORE_WRITE);
		if (!ret || !strstr(err, why) || strchr(err, '\n'))
			_exit(254);
		_exit(-ret);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_write_unprivileged(void **state)
{
	struct scratch *d = *state;
	char lock[128];

	if (lacks_root())
		skip();
	assert_int_equal(write_as_nobody(d, "Permission denied"), -EACCES);
	assert_int_equal(scratch_files(d), 0);
	store_close(open_good(d, STORE_WRITE));
	assert_int_equal(write_as_nobody(d, "Permission denied"), -EACCES);
	chmod(d->path, 0644);
	assert_int_equal(write_as_nobody(d, "Permission denied"), -EACCES);
	snprintf(lock, sizeof(lock), "%s.lock", d->path);
	chmod(lock, 0666);
	assert_int_equal(write_as_nobody(d, "not writable"), -EACCES);
}

#define STORE_TEST(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest store[] = {
		STORE_TEST(test_urls),
		STORE_TEST(test_odd_path),
		STORE_TEST(test_missing),
		STORE_TEST(test_modes),
		STORE_TEST(test_foreign),
		STORE_TEST(test_other_schema),
		STORE_TEST(test_migration),
		STORE_TEST(test_one_writer),
		STORE_TEST(test_read_while_written),
		STORE_TEST(test_read_at_rest),
		STORE_TEST(test_read_after_kill),
		STORE_TEST(test_read_half_written),
		STORE_TEST(test_read_unprivileged),
		STORE_TEST(test_write_unprivileged),
	};

	return cmocka_run_group_tests(store, NULL, NULL);
}
