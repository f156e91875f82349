/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of processes keeps, and what of a process outlives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake_proc.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_eviction(void **state)
{
	struct fact_task task = task_of(&nginx);

	put_process(&nginx);
	for (int64_t pid = 100; pid < 110; pid++) {
		struct fact_task other = task;

		other.pid = other.tid = pid;
		processes_get(*state, &other);
		/* The one in use stays, whatever comes and goes. */
		assert_string_equal(processes_get(*state, &task)->exe,
				    "/usr/sbin/nginx");
	}
	check_stats(*state, 4, 1, 6, 9);
}

/* Table, chains and list of use agree with a plain model of them. */
static void test_eviction_at_random(void **state)
{
	struct fact_task task = task_of(&nginx);
	int64_t used[4] = {0}; /* the last used first */
	uint32_t random = 1;
	uint64_t misses = 0;

	for (int i = 0; i < 20000; i++) {
		size_t at = 0;

		random = random * 1664525u + 1013904223u;
		task.pid = task.tid = 200 + (random >> 16) % 7;
		assert_int_equal(processes_get(*state, &task)->pid, task.pid);
		while (at < 3 && used[at] != task.pid)
			at++;
		misses += used[at] != task.pid;
		memmove(used + 1, used, at * sizeof(used[0]));
		used[0] = task.pid;
	}
	check_stats(*state, 4, 0, misses - 4, misses);
}

/* One that died unread is known by the cgroup that it shared. */
static void test_shared_cgroup(void **state)
{
	struct fake f = nginx;
	struct fact_task task, dead;
	const struct process *info;

	f.cgroup = "0::/system.slice/docker-" HEX ".scope\n";
	task = task_of(&f);
	task.cgroup = 4711;
	put_process(&f);
	processes_get(*state, &task);
	dead = task;
	dead.pid = dead.tid = 107;
	info = processes_get(*state, &dead);
	assert_string_equal(info->container, HEX);
	assert_string_equal(info->exe, "");
	dead.pid = dead.tid = 108;
	dead.cgroup = 4712;
	assert_string_equal(processes_get(*state, &dead)->container, "");
}

/* The id of a version 2 cgroup says nothing of version 1 paths. */
static void test_hybrid_cgroup(void **state)
{
	struct fake f = nginx;
	struct fact_task task;

	f.cgroup = "1:name=systemd:/system.slice/nginx.service\n0::/\n";
	task = task_of(&f);
	task.cgroup = 1;
	put_process(&f);
	assert_string_equal(processes_get(*state, &task)->unit,
			    "nginx.service");
	task.pid = task.tid = 107;
	assert_string_equal(processes_get(*state, &task)->unit, "");
}

int main(void)
{
	const struct CMUnitTest cache[] = {
		TEST(eviction),
		TEST(eviction_at_random),
		TEST(shared_cgroup),
		TEST(hybrid_cgroup),
	};

	return cmocka_run_group_tests(cache, NULL, NULL);
}
