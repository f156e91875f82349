/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

#include "sample_event.h"
#include "scratch.h"
#include "user/store/writer.h"

static char err[512];

static struct writer *start(const struct scratch *d,
			    const struct writer_config *config)
{
	struct store *s = NULL;
	struct writer *w = NULL;

	if (store_open(&s, d->path, STORE_WRITE, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(writer_start(&w, s, config), 0);
	return w;
}

static int put(struct writer *w, int64_t id)
{
	struct event ev;

	sample_full(&ev, id);
	return writer_put(w, &ev);
}

static int64_t count_stored(const struct scratch *d)
{
	int64_t rows = -1, events;
	struct filter f;
	struct store *s;

	filter_init(&f);
	if (store_open(&s, d->path, STORE_READ, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(store_count(s, &f, &rows, &events), 0);
	store_close(s);
	return rows;
}

static void nap(void)
{
	const struct timespec ms10 = {.tv_nsec = 10 * 1000 * 1000};

	nanosleep(&ms10, NULL);
}

/* Until `at least` events are written; false after five seconds. */
static bool wait_written(struct writer *w, uint64_t at_least)
{
	struct writer_stats stats;

	for (int i = 0; i < 500; i++) {
		writer_get_stats(w, &stats);
		if (stats.written >= at_least)
			return true;
		nap();
	}
	return false;
}

/* A lone event is there for readers well within a second. */
static void test_soon(void **state)
{
	const struct writer_config config = {};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);
	uint64_t start_ns = clock_mono_ns();

	assert_int_equal(put(w, 1), 0);
	assert_true(wait_written(w, 1));
	assert_true(clock_mono_ns() - start_ns < 900000000);
	assert_int_equal(count_stored(d), 1);
	writer_stop(w);
}

/* What is queued when the daemon ends is written. */
static void test_stop_writes(void **state)
{
	const struct writer_config config = {};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);

	for (int i = 1; i <= 5000; i++)
		assert_int_equal(put(w, i), 0);
	writer_stop(w);
	assert_int_equal(count_stored(d), 5000);
	writer_stop(NULL);
}

/* Whatever is refused is counted: put = queued + lost, queued = written. */
static void test_queue_full(void **state)
{
	const struct writer_config config = {.queue_events = 64};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);
	struct writer_stats stats;
	uint64_t refused = 0;

	for (int i = 1; i <= 3000; i++) {
		int ret = put(w, i);

		assert_true(ret == 0 || ret == -ENOBUFS);
		refused += ret != 0;
	}
	assert_true(refused > 0);
	writer_get_stats(w, &stats);
	assert_int_equal(stats.lost_queue, refused);
	assert_int_equal(stats.lost_store, 0);
	assert_int_equal(stats.queued, 3000 - refused);
	assert_true(wait_written(w, stats.queued));
	writer_stop(w);
	assert_int_equal(count_stored(d), 3000 - refused);
}

static void test_notes(void **state)
{
	const struct writer_config config = {};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);
	struct store *s;
	char *text;

	assert_int_equal(writer_note(w, "state", "old"), 0);
	assert_int_equal(writer_note(w, "state", "new"), 0);
	assert_int_equal(writer_note(w, "other", "x"), 0);
	writer_stop(w);
	assert_int_equal(store_open(&s, d->path, STORE_READ, err, sizeof(err)),
			 0);
	assert_int_equal(store_get_note(s, "state", &text), 0);
	assert_string_equal(text, "new");
	free(text);
	assert_int_equal(store_get_note(s, "other", &text), 0);
	free(text);
	store_close(s);
}

static void test_connections(void **state)
{
	struct store_connections c = {.from_us = 1000, .until_us = 2000};
	const struct writer_config config = {};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);
	struct store_share share;
	struct store *s;

	for (c.client = 1; c.client <= 3; c.client++)
		assert_int_equal(writer_connections(w, &c), 0);
	c = (struct store_connections){2000, 3000, .server = 7};
	assert_int_equal(writer_connections(w, &c), 0);
	writer_stop(w);
	assert_int_equal(store_open(&s, d->path, STORE_READ, err, sizeof(err)),
			 0);
	assert_int_equal(store_count_connections(s, 0, 9000, &share), 0);
	assert_true(share.number == 10);
	store_close(s);
}

/* The first turn prunes already; samples are of 2026 or, here, of 1970. */
static void test_prunes(void **state)
{
	const struct writer_config forever = {};
	const struct writer_config a_day = {.retain_age_s = 86400};
	struct scratch *d = *state;
	struct writer *w = start(d, &forever);
	struct writer_stats stats;
	struct event ev;

	sample_full(&ev, 1);
	ev.time_us = 1000;
	assert_int_equal(writer_put(w, &ev), 0);
	ev.id = 2;
	ev.time_us = clock_unix_us();
	assert_int_equal(writer_put(w, &ev), 0);
	writer_stop(w);
	assert_int_equal(count_stored(d), 2);
	w = start(d, &a_day);
	for (int i = 0; i < 500; i++) {
		writer_get_stats(w, &stats);
		if (stats.events == 1)
			break;
		nap();
	}
	assert_int_equal(stats.events, 1);
	assert_true(stats.bytes > 0);
	writer_stop(w);
	assert_int_equal(count_stored(d), 1);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static int wait_error(struct writer *w)
{
	struct writer_stats stats = {};

	for (int i = 0; i < 500 && !stats.last_error; i++) {
		nap();
		writer_get_stats(w, &stats);
	}
	return stats.last_error;
}

/* No room: kept in the queue, tried again, and written once there is some. */
static void test_disk_full_then_room(void **state)
{
	const struct writer_config config = {.queue_events = 4000};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);
	struct writer_stats stats;

	log_set_level(LOG_LEVEL_ERROR);
	limit_files(256 << 10);
	for (int i = 1; i <= 3000; i++)
		assert_int_equal(put(w, i), 0);
	assert_int_not_equal(wait_error(w), 0);
	limit_files(RLIM_INFINITY);
	assert_true(wait_written(w, 3000));
	writer_get_stats(w, &stats);
	assert_int_equal(stats.lost_store + stats.lost_queue, 0);
	writer_stop(w);
	assert_int_equal(count_stored(d), 3000);
}

/* No room for long: the surplus is lost to the store, and counted so. */
static void test_disk_full_for_good(void **state)
{
	const struct writer_config config = {.queue_events = 1000};
	struct scratch *d = *state;
	struct writer *w = start(d, &config);
	struct writer_stats stats;
	uint64_t refused = 0;

	limit_files(128 << 10);
	for (int i = 1; i <= 1000; i++)
		assert_int_equal(put(w, i), 0);
	assert_int_not_equal(wait_error(w), 0);
	for (int i = 1001; i <= 1500; i++)
		refused += put(w, i) == -ENOBUFS;
	writer_get_stats(w, &stats);
	writer_stop(w);
	limit_files(RLIM_INFINITY);
	assert_int_equal(refused, 500);
	assert_int_equal(stats.lost_store, 500);
	assert_int_equal(stats.lost_queue, 0);
	assert_int_equal(count_stored(d), 0);
}

/* A file system of 256 KiB over the scratch directory; false: not allowed. */
static bool mount_tiny(const struct scratch *d)
{
	if (geteuid() == 0 && !unshare(CLONE_NEWNS) &&
	    !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("tiny", d->dir, "tmpfs", 0, "size=256k,mode=755"))
		return true;
	print_message("skipped: cannot mount a small tmpfs (needs root)\n");
	return false;
}

/* The real thing: ENOSPC, said as such, and the store stays whole. */
static void test_disk_really_full(void **state)
{
	struct store_checked checked;
	const struct writer_config config = {};
	struct scratch *d = *state;
	struct writer *w;
	struct store *s;
	int error;

	if (!mount_tiny(d))
		skip();
	w = start(d, &config);
	for (int i = 1; i <= 1500; i++)
		assert_int_equal(put(w, i), 0);
	error = wait_error(w);
	writer_stop(w);
	assert_int_equal(error, ENOSPC);
	assert_int_equal(store_open(&s, d->path, STORE_READ, err, sizeof(err)),
			 0);
	assert_int_equal(store_check(s, true, &checked, err, sizeof(err)), 0);
	store_close(s);
	umount2(d->dir, MNT_DETACH);
}

#define WRITER_TEST(f)                                                         \
	cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest writer[] = {
		WRITER_TEST(test_soon),
		WRITER_TEST(test_stop_writes),
		WRITER_TEST(test_queue_full),
		WRITER_TEST(test_notes),
		WRITER_TEST(test_connections),
		WRITER_TEST(test_prunes),
		WRITER_TEST(test_disk_full_then_room),
		WRITER_TEST(test_disk_full_for_good),
		WRITER_TEST(test_disk_really_full),
	};

	return cmocka_run_group_tests(writer, NULL, NULL);
}
