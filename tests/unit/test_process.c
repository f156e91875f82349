// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_proc.h"

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
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(process, NULL, NULL);
}
