/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged events and pages, a full disk, a writer that is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store_case.h"

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* One bad event does not hide the good ones, and is not hidden itself. */
static void test_damaged_event(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	struct seen seen = {};
	struct filter f;
	struct event ev;

	put_many(s, 1, 5, 1000);
	store_close(s);
	run_sql(d->path, "UPDATE bodies SET body = x'01ff' WHERE id = 3;"
			 "UPDATE bodies SET body = '' WHERE id = 4");
	s = open_store(d, STORE_READ);
	filter_init(&f);
	assert_int_equal(store_query(s, &f, see, &seen, err, sizeof(err)),
			 -EBADMSG);
	assert_non_null(strstr(err, "2 events are damaged"));
	assert_int_equal(seen.n, 3);
	assert_int_equal(store_get(s, 3, &ev), -EBADMSG);
	store_close(s);
}

static void test_check_finds_damage(void **state)
{
	struct store_checked checked;
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	char junk[4096];
	int fd;

	put_many(s, 1, 500, 1000);
	assert_int_equal(store_check(s, true, &checked, err, sizeof(err)), 0);
	store_close(s);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(d->path, O_WRONLY);
	for (int page = 20; page < 40; page++)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), page * 4096),
				 sizeof(junk));
	close(fd);
	s = open_store(d, STORE_READ);
	assert_true(store_check(s, true, &checked, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, d->path));
	store_close(s);
}

/* Wherever the damage is: a query fails or does without, and does not crash. */
static void test_query_meets_damage(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	char kept[4096], junk[4096];
	struct seen seen;
	struct filter f;
	int fd, failed = 0;

	put_many(s, 1, 100, 1000);
	store_close(s);
	filter_init(&f);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(d->path, O_RDWR);
	for (off_t at = 4096; pread(fd, kept, 4096, at) == 4096; at += 4096) {
		assert_int_equal(pwrite(fd, junk, 4096, at), 4096);
		if (!store_open(&s, d->path, STORE_READ, err, sizeof(err))) {
			seen.n = 0;
			failed += store_query(s, &f, see, &seen, err,
					      sizeof(err)) < 0;
			store_close(s);
		}
		assert_int_equal(pwrite(fd, kept, 4096, at), 4096);
	}
	close(fd);
	assert_true(failed > 1);
}

/* A full disk refuses the batch whole, and takes it once there is room. */
static void test_disk_full(void **state)
{
	struct store_checked checked;
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	struct rlimit before, small;
	struct seen seen;
	struct filter f;
	struct event ev;
	const struct event *one = &ev;
	int ret = 0, id = 1;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 512 << 10;
	setrlimit(RLIMIT_FSIZE, &small);
	for (; !ret && id < 500; id++) {
		sample_full(&ev, id);
		ret = store_put(s, &one, 1, err, sizeof(err));
	}
	setrlimit(RLIMIT_FSIZE, &before);
	assert_true(ret < 0);
	assert_non_null(strstr(err, d->path));
	put(s, &ev);
	filter_init(&f);
	seen = ask(s, &f);
	assert_int_equal(seen.n, ev.id);
	assert_int_equal(store_check(s, true, &checked, err, sizeof(err)), 0);
	store_close(s);
}

/* Puts as fast as it can and tells each id once it is committed. */
static void put_until_killed(const struct scratch *d, int out)
{
	struct event ev;
	const struct event *one = &ev;
	struct store *s;

	if (store_open(&s, d->path, STORE_WRITE, err, sizeof(err)))
		_exit(1);
	for (int64_t id = 1;; id++) {
		sample_full(&ev, id);
		if (store_put(s, &one, 1, err, sizeof(err)) ||
		    write(out, &id, sizeof(id)) != sizeof(id))
			_exit(2);
	}
}

static void test_killed(void **state)
{
	struct store_checked checked;
	struct scratch *d = *state;
	int64_t told = 0, id, last = 0;
	int pipes[2], status;
	struct store *s;
	struct event ev;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child)
		put_until_killed(d, pipes[1]);
	close(pipes[1]);
	while (told < 200 && read(pipes[0], &id, sizeof(id)) == sizeof(id))
		told = id;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	while (read(pipes[0], &id, sizeof(id)) == sizeof(id))
		told = id;
	close(pipes[0]);
	/* Before anybody has written again, and after. */
	for (int i = 0; i < 2; i++) {
		s = open_store(d, i ? STORE_WRITE : STORE_READ);
		assert_int_equal(
			store_check(s, true, &checked, err, sizeof(err)), 0);
		assert_int_equal(store_last_id(s, &last), 0);
		assert_in_range(last, told, told + 1);
		assert_int_equal(store_get(s, told, &ev), 0);
		store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest damage[] = {
		STORE_TEST(test_damaged_event),
		STORE_TEST(test_check_finds_damage),
		STORE_TEST(test_query_meets_damage),
		STORE_TEST(test_disk_full),
		STORE_TEST(test_killed),
	};

	return cmocka_run_group_tests(damage, NULL, NULL);
}
