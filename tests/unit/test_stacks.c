/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks between ring and store; the process that names them may fail. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/raw_pipeline.h"
#include "user/attribute/procfs.h"
#include "user/daemon/stacks.h"

static struct got {
	int n;
	int64_t event[600];
	struct stack last;
} got;

static void on_stack(int64_t event, const struct stack *st, void *ctx)
{
	assert_ptr_equal(ctx, &got);
	assert_true(got.n < (int)ARRAY_SIZE(got.event));
	got.event[got.n++] = event;
	got.last = *st;
}

static struct stacks *start(const char *proc_root)
{
	struct stacks *s;

	memset(&got, 0, sizeof(got));
	s = stacks_new(proc_root, on_stack, &got);
	assert_non_null(s);
	return s;
}

static struct stacks_stats stats_of(const struct stacks *s)
{
	struct stacks_stats stats;

	stacks_get_stats(s, &stats);
	return stats;
}

__attribute__((noinline)) static int known_function(int n)
{
	return n * 3 + (int)getpid();
}

static struct rec_stack own_stack(uint64_t failure)
{
	int dir = procfs_open("/proc", getpid());
	struct procfs_stat st = {0};

	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	return (struct rec_stack){
		.head = raw_head(REC_STACK, sizeof(struct rec_stack), failure,
				 RAW_START_NS),
		.tgid = (uint32_t)getpid(),
		.start_ns = st.start_ticks * procfs_tick_ns(),
		.depth = 1,
		.frame = {(uint64_t)known_function + 4},
	};
}

/* Until so many came, or the time is over. */
static void wait_for(struct stacks *s, int n)
{
	for (int i = 0; i < 400 && got.n < n; i++) {
		struct pollfd fd = {.fd = stacks_fd(s), .events = POLLIN};

		poll(&fd, 1, 50);
		stacks_advance(s);
	}
	assert_int_equal(got.n, n);
}

static void test_event_first_and_last(void **state)
{
	struct stacks *s = start("/proc");
	struct rec_stack one = own_stack(1), two = own_stack(2),
			 three = own_stack(3);

	(void)state;
	stacks_take(s, &one);
	stacks_settle(s, 1, 41); /* before the names are there */
	wait_for(s, 1);
	assert_int_equal(got.event[0], 41);
	assert_string_equal(got.last.frame[0].symbol, "known_function");
	stacks_take(s, &two);
	for (int i = 0; i < 200 && stats_of(s).named < 2; i++) {
		usleep(10000);
		stacks_advance(s);
	}
	assert_int_equal(got.n, 1); /* its event is not known yet */
	stacks_settle(s, 2, 42);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.event[1], 42);
	stacks_take(s, &three); /* folded: no event of its own */
	stacks_settle(s, 3, 0);
	stacks_settle(s, 99, 43); /* of no stack */
	stacks_finish(s);
	assert_int_equal(got.n, 2);
	assert_int_equal(stats_of(s).taken, 3);
	assert_int_equal(stats_of(s).bare, 0);
	stacks_free(s);
}

/* A process that hangs with a file of its own making costs its own names. */
static void test_hostile_process(void **state)
{
	char root[] = "/tmp/rstscope-test.XXXXXX", path[128];
	struct rec_stack rec = own_stack(1), own = own_stack(2);
	struct stacks *s;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/%u", root, rec.tgid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%u/maps", root, rec.tgid);
	assert_int_equal(mkfifo(path, 0600), 0); /* opening it never ends */
	snprintf(path, sizeof(path), "%s/%u/stat", root, rec.tgid);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%u (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %llu\n",
		rec.tgid,
		(unsigned long long)(rec.start_ns / procfs_tick_ns()));
	fclose(f);
	s = start(root);
	stacks_take(s, &rec);
	stacks_settle(s, 1, 41);
	wait_for(s, 1); /* the alarm */
	assert_int_equal(got.event[0], 41);
	assert_true(got.last.gone);
	assert_int_equal(got.last.frame[0].address, rec.frame[0]);
	for (int i = 0; i < 40 && !stats_of(s).restarts; i++) {
		usleep(50000);
		stacks_advance(s);
	}
	assert_int_equal(stats_of(s).restarts, 1);
	own.tgid = 1; /* which is not there: it answers again */
	stacks_take(s, &own);
	stacks_settle(s, 2, 42);
	wait_for(s, 2);
	stacks_free(s);
	remove(path);
	snprintf(path, sizeof(path), "%s/%u/maps", root, rec.tgid);
	remove(path);
	snprintf(path, sizeof(path), "%s/%u", root, rec.tgid);
	remove(path);
	remove(root);
}

/* More at once than are kept: the oldest go, nothing waits, all is counted. */
static void test_too_many(void **state)
{
	struct stacks *s = start("/nonexistent");
	struct stacks_stats stats;

	(void)state;
	for (uint64_t i = 1; i <= 600; i++) {
		struct rec_stack rec = own_stack(i);

		stacks_take(s, &rec);
	}
	for (uint64_t i = 1; i <= 600; i++)
		stacks_settle(s, i, (int64_t)i);
	stacks_finish(s);
	stats = stats_of(s);
	assert_int_equal(stats.taken, 600);
	assert_int_equal(stats.lost, 600 - got.n);
	assert_true(got.n > 100);
	stacks_free(s);
}

/* --- in the pipeline ------------------------------------------------------ */

static struct line *line_with(struct stacks *s)
{
	struct line *l = line_new();

	pipeline_free(l->p);
	l->config.stacks = s;
	l->config.engine = NULL;
	l->p = pipeline_new(&l->config);
	assert_non_null(l->p);
	return l;
}

static void feed_stack(struct line *l, uint64_t failure)
{
	struct rec_stack rec = own_stack(failure);

	line_feed(l, rec);
}

static void test_in_the_pipeline(void **state)
{
	struct stacks *s = start("/proc");
	struct line *l = line_with(s);

	(void)state;
	line_received(l, 1, RAW_START_NS);
	line_told(l, 1, RAW_START_NS + RAW_MS, -ECONNRESET);
	feed_stack(l, 1);
	feed_stack(l, 1);  /* the first one counts */
	feed_stack(l, 77); /* of nothing that is known */
	line_settle(l);
	stacks_finish(s);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.event[0], 1);
	/* told hours later: its event is there already */
	line_received(l, 2, RAW_START_NS + 20 * NSEC_PER_SEC);
	line_settle(l);
	line_told(l, 2, RAW_START_NS + 7200 * NSEC_PER_SEC, -ECONNRESET);
	feed_stack(l, 2);
	stacks_finish(s);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.event[1], 2);
	line_free(l);
	stacks_free(s);
}

/* Those that are folded into another event have no stack of their own. */
static void test_folded(void **state)
{
	struct stacks *s = start("/proc");
	struct line *l = line_with(s);

	(void)state;
	for (uint64_t i = 1; i <= 40; i++) {
		line_received(l, i, RAW_START_NS + i * RAW_MS);
		feed_stack(l, i);
	}
	line_settle(l);
	stacks_finish(s);
	assert_int_equal(got.n, l->n);
	assert_true(l->n < 40);
	line_free(l);
	stacks_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_first_and_last),
		cmocka_unit_test(test_hostile_process),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_in_the_pipeline),
		cmocka_unit_test(test_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
