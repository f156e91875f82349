// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/attribute/process.h"
#include "user/attribute/procfs.h"
#include "user/base/base.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A /proc of files, whose processes tests make and remove. */
static char root[64];

static void put_file(int64_t pid, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%" PRId64 "/%s", root, pid, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void kill_process(int64_t pid)
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

static void put_process(const struct fake *f)
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
static struct fact_task task_of(const struct fake *f)
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

static int setup(void **state)
{
	strcpy(root, "/tmp/rstscope-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	*state = processes_new(root, 4);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	for (int64_t pid = 100; pid < 120; pid++)
		kill_process(pid);
	rmdir(root);
	processes_free(*state);
	return 0;
}

static void check_stats(struct processes *p, uint64_t cached,
			uint64_t looked_up, uint64_t evicted, uint64_t missed)
{
	struct processes_stats s;

	processes_get_stats(p, &s);
	assert_int_equal(s.cached, cached);
	assert_int_equal(s.looked_up, looked_up);
	assert_int_equal(s.evicted, evicted);
	assert_int_equal(s.missed, missed);
}

static void test_looks_up_once(void **state)
{
	struct fact_task task = task_of(&nginx);
	const struct process *info;

	put_process(&nginx);
	for (int i = 0; i < 3; i++) {
		info = processes_get(*state, &task);
		assert_int_equal(info->pid, 100);
		assert_true(info->start_ns == task.start_ns);
		assert_int_equal(info->uid, 33);
		assert_string_equal(info->comm, "nginx");
		assert_string_equal(info->exe, "/usr/sbin/nginx");
		assert_string_equal(info->unit, "nginx.service");
		assert_string_equal(info->container, "");
		assert_false(info->exited);
		assert_int_equal(info->exit_signal, NOT_KNOWN);
		kill_process(100); /* what was read stays */
	}
	check_stats(*state, 1, 1, 0, 0);
}

/* Another process of that pid: nothing of it may be told. */
static void test_reused_pid(void **state)
{
	struct fact_task task = task_of(&nginx);
	struct fake other = nginx;
	const struct process *info;

	other.start_ticks++;
	put_process(&other);
	task.uid = NOT_KNOWN;
	strcpy(task.comm, "old");
	info = processes_get(*state, &task);
	assert_string_equal(info->comm, "old");
	assert_string_equal(info->exe, "");
	assert_string_equal(info->unit, "");
	assert_int_equal(info->uid, NOT_KNOWN);
	check_stats(*state, 1, 0, 0, 1);
	/* The new one is a process of its own. */
	task = task_of(&other);
	info = processes_get(*state, &task);
	assert_string_equal(info->exe, "/usr/sbin/nginx");
	check_stats(*state, 2, 1, 0, 1);
}

static void test_unknown_start(void **state)
{
	struct fact_task task = task_of(&nginx);
	const struct process *info;

	put_process(&nginx);
	task.start_ns = 0;
	info = processes_get(*state, &task);
	assert_string_equal(info->comm, "nginx");
	assert_string_equal(info->exe, "");
	task.pid = NOT_KNOWN;
	assert_null(processes_get(*state, &task));
	processes_exit(*state, &task, 1);
	check_stats(*state, 1, 0, 0, 1);
}

/* A scan knows the start in ticks only; it is the same process. */
static void test_ticks_and_ns(void **state)
{
	struct fact_task task = task_of(&nginx);

	put_process(&nginx);
	processes_get(*state, &task);
	task.start_ns = nginx.start_ticks * procfs_tick_ns();
	assert_string_equal(processes_get(*state, &task)->exe,
			    "/usr/sbin/nginx");
	check_stats(*state, 1, 1, 0, 0);
}

static void test_uid(void **state)
{
	struct fact_task task = task_of(&nginx);

	put_process(&nginx);
	task.uid = NOT_KNOWN;
	assert_int_equal(processes_get(*state, &task)->uid, 33);
	task.uid = 0; /* it has changed its user since */
	assert_int_equal(processes_get(*state, &task)->uid, 0);
	task.uid = NOT_KNOWN;
	assert_int_equal(processes_get(*state, &task)->uid, 0);
}

/* An owner's record is old: its name then is no sign of execve since. */
static void test_old_name(void **state)
{
	struct fact_task task = task_of(&nginx), old = task;
	const struct process *info;

	put_process(&nginx);
	old.how = HOW_LISTEN;
	strcpy(old.comm, "start.sh");
	for (int i = 0; i < 3; i++) {
		info = processes_get(*state, &old);
		assert_string_equal(info->comm, "nginx");
		assert_string_equal(info->exe, "/usr/sbin/nginx");
		info = processes_get(*state, &task);
		assert_string_equal(info->comm, "nginx");
		assert_string_equal(info->exe, "/usr/sbin/nginx");
	}
	check_stats(*state, 1, 1, 0, 0);
}

/* Between the record and its look-up the process has become another. */
static void test_late_look_up(void **state)
{
	struct fact_task task = task_of(&nginx);
	const struct process *info;

	put_process(&nginx);
	strcpy(task.comm, "start.sh");
	info = processes_get(*state, &task);
	assert_string_equal(info->comm, "start.sh");
	assert_string_equal(info->exe, "");
	assert_string_equal(info->unit, "nginx.service");
	strcpy(task.comm, "nginx");
	info = processes_get(*state, &task);
	assert_string_equal(info->comm, "nginx");
	assert_string_equal(info->exe, "/usr/sbin/nginx");
}

static void test_exec(void **state)
{
	struct fake curl = nginx;
	struct fact_task task = task_of(&nginx);
	const struct process *info;

	put_process(&nginx);
	processes_get(*state, &task);
	curl.comm = "curl";
	curl.exe = "/usr/bin/curl";
	put_process(&curl);
	task = task_of(&curl);
	info = processes_get(*state, &task);
	assert_string_equal(info->comm, "curl");
	assert_string_equal(info->exe, "/usr/bin/curl");
	check_stats(*state, 1, 2, 0, 0);
	/* Gone after a second one: the executable before is not the one. */
	kill_process(100);
	strcpy(task.comm, "wget");
	info = processes_get(*state, &task);
	assert_string_equal(info->comm, "wget");
	assert_string_equal(info->exe, "");
	assert_string_equal(info->unit, "nginx.service");
	check_stats(*state, 1, 2, 0, 1);
}

/* Who renames itself without end is not read without end. */
static void test_renaming(void **state)
{
	struct fact_task task = task_of(&nginx);
	struct processes_stats s;

	put_process(&nginx);
	for (int i = 0; i < 100; i++) {
		snprintf(task.comm, sizeof(task.comm), "step-%d", i);
		assert_string_equal(processes_get(*state, &task)->comm,
				    task.comm);
	}
	processes_get_stats(*state, &s);
	assert_in_range(s.looked_up, 2, 20);
}

static void test_deleted_exe(void **state)
{
	struct fake f = nginx;
	struct fact_task task = task_of(&f);

	f.exe = "/opt/app (deleted)";
	put_process(&f);
	assert_string_equal(processes_get(*state, &task)->exe, "/opt/app");
}

/* A cut path would be another file's. */
static void test_long_exe(void **state)
{
	char path[301] = "/";
	struct fake f = nginx;
	struct fact_task task = task_of(&f);

	memset(path + 1, 'x', 299);
	f.exe = path;
	put_process(&f);
	assert_string_equal(processes_get(*state, &task)->exe, "");
	assert_string_equal(processes_get(*state, &task)->unit,
			    "nginx.service");
}

static void test_outside_text(void **state)
{
	struct fake f = nginx;
	struct fact_task task;

	f.comm = "a) \033(b";
	f.exe = "/tmp/a\nb";
	task = task_of(&f);
	put_process(&f);
	assert_string_equal(processes_get(*state, &task)->comm, "a) ?(b");
	assert_string_equal(processes_get(*state, &task)->exe, "/tmp/a?b");
}

static void test_broken_stat(void **state)
{
	static const char *const broken[] = {
		"",	     "100",	    "100 (a",	      "100 (a)",
		"100 (a) S", "100 )a( S 1", "100 (a) S 1 2 3"};
	struct fact_task task = task_of(&nginx);

	put_process(&nginx);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		put_file(100, "stat", broken[i]);
		task.start_ns += procfs_tick_ns();
		assert_string_equal(processes_get(*state, &task)->exe, "");
	}
}

static void test_exit(void **state)
{
	struct fact_task task = task_of(&nginx);
	const struct process *info;

	put_process(&nginx);
	task.oom_killed = true; /* chosen, alive */
	processes_exit(*state, &task, 5);
	info = processes_get(*state, &task);
	assert_true(info->oom_killed);
	assert_false(info->exited);
	kill_process(100);
	task.oom_killed = false;
	task.exiting = true;
	task.exit_signal = SIGKILL;
	processes_exit(*state, &task, 77);
	info = processes_get(*state, &task);
	assert_true(info->exited);
	assert_true(info->oom_killed);
	assert_int_equal(info->exit_signal, SIGKILL);
	assert_int_equal(info->exit_status, NOT_KNOWN);
	assert_int_equal(info->exit_time_us, 77);
	assert_string_equal(info->exe, "/usr/sbin/nginx");
	check_stats(*state, 1, 1, 0, 0);
}

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

/* This very process, from the real /proc. */
static void test_self(void **state)
{
	struct processes *p = processes_new("/proc", 16);
	int dir = procfs_open("/proc", getpid());
	struct fact_task task = {
		.pid = getpid(), .tid = getpid(), .uid = NOT_KNOWN};
	const struct process *info;
	struct procfs_stat st;
	char exe[256];

	(void)state;
	assert_true(dir >= 0);
	assert_int_equal(procfs_stat(dir, &st), 0);
	assert_true(procfs_link(dir, "exe", exe, sizeof(exe)) > 0);
	close(dir);
	task.start_ns = st.start_ticks * procfs_tick_ns();
	memcpy(task.comm, st.comm, sizeof(task.comm));
	info = processes_get(p, &task);
	assert_string_equal(info->exe, exe);
	assert_int_equal(info->uid, getuid());
	processes_free(p);
	processes_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest process[] = {
		TEST(looks_up_once),
		TEST(reused_pid),
		TEST(unknown_start),
		TEST(ticks_and_ns),
		TEST(uid),
		TEST(old_name),
		TEST(late_look_up),
		TEST(exec),
		TEST(renaming),
		TEST(deleted_exe),
		TEST(long_exe),
		TEST(outside_text),
		TEST(broken_stat),
		TEST(exit),
		TEST(eviction),
		TEST(eviction_at_random),
		TEST(shared_cgroup),
		TEST(hybrid_cgroup),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(process, NULL, NULL);
}
