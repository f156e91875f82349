/* SPDX-License-Identifier: Apache-2.0 */
/* A /proc of files, whose processes tests make and remove. */
#ifndef RSTSCOPE_FAKE_PROC_H
#define RSTSCOPE_FAKE_PROC_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/attribute/process.h"
#include "user/attribute/procfs.h"
#include "user/base/base.h"

static char root[64];

static inline void put_file(int64_t pid, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%" PRId64 "/%s", root, pid, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static inline void kill_process(int64_t pid)
{
	static const char *const files[] = {"/stat", "/status", "/cgroup",
					    "/exe", ""};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%" PRId64 "%s", root, pid,
			 files[i]);
		remove(path);
	}
}

struct fake {
	int64_t pid;
	uint64_t start_ticks;
	const char *comm, *exe, *cgroup;
	unsigned int uid;
};

static inline void put_process(const struct fake *f)
{
	char path[128], text[512];

	kill_process(f->pid);
	snprintf(path, sizeof(path), "%s/%" PRId64, root, f->pid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(text, sizeof(text),
		 "%" PRId64 " (%s) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 "
		 "1 0 %" PRIu64 " 1000 200 18446744073709551615\n",
		 f->pid, f->comm, f->start_ticks);
	put_file(f->pid, "stat", text);
	snprintf(text, sizeof(text), "Name:\t%s\nUid:\t%u\t0\t0\t0\n", f->comm,
		 f->uid);
	put_file(f->pid, "status", text);
	put_file(f->pid, "cgroup", f->cgroup);
	strcat(path, "/exe");
	if (f->exe)
		assert_int_equal(symlink(f->exe, path), 0);
}

static const struct fake nginx = {
	.pid = 100,
	.start_ticks = 5000,
	.comm = "nginx",
	.exe = "/usr/sbin/nginx",
	.uid = 33,
	.cgroup = "0::/system.slice/nginx.service\n",
};

/* The task of a record made somewhere within the process's first tick. */
static inline struct fact_task task_of(const struct fake *f)
{
	struct fact_task t = {
		.pid = f->pid,
		.tid = f->pid,
		.uid = f->uid,
		.start_ns = f->start_ticks * procfs_tick_ns() + 1234567,
		.how = HOW_CURRENT,
		.exit_signal = NOT_KNOWN,
		.exit_status = NOT_KNOWN,
	};

	snprintf(t.comm, sizeof(t.comm), "%s", f->comm);
	return t;
}

static inline int setup(void **state)
{
	strcpy(root, "/tmp/rstscope-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	*state = processes_new(root, 4);
	return *state ? 0 : -1;
}

static inline int teardown(void **state)
{
	for (int64_t pid = 100; pid < 120; pid++)
		kill_process(pid);
	rmdir(root);
	processes_free(*state);
	return 0;
}

static inline void check_stats(struct processes *p, uint64_t cached,
			       uint64_t looked_up, uint64_t evicted,
			       uint64_t missed)
{
	struct processes_stats s;

	processes_get_stats(p, &s);
	assert_int_equal(s.cached, cached);
	assert_int_equal(s.looked_up, looked_up);
	assert_int_equal(s.evicted, evicted);
	assert_int_equal(s.missed, missed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

#endif
