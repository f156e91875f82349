/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping is tried in a child; where the test is not root, it is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/daemon/privileges.h"

#define BIT(cap) (1ull << (cap))
#define LOAD	 (BIT(CAP_BPF) | BIT(CAP_PERFMON))
#define SEE	 (BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH))

static char err[256];

static int judge(uint64_t effective, bool host)
{
	struct privileges p = {effective, host};

	err[0] = '\0';
	return privileges_judge(&p, err, sizeof(err));
}

static void test_enough(void **state)
{
	(void)state;
	assert_int_equal(judge(~0ull, true), 0);
	assert_int_equal(judge(LOAD | SEE, true), 0);
	assert_int_equal(judge(BIT(CAP_SYS_ADMIN) | SEE, true), 0);
	assert_string_equal(err, "");
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(judge(0, true), -EPERM);
	assert_non_null(strstr(err, "CAP_BPF and CAP_PERFMON"));
	assert_non_null(strstr(err, "sudo"));
	assert_null(strchr(err, '\n'));
}

static void test_one_missing(void **state)
{
	(void)state;
	assert_int_equal(judge(SEE | BIT(CAP_BPF), true), -EPERM);
	assert_non_null(strstr(err, "needs CAP_PERFMON;"));
	assert_int_equal(judge(LOAD | BIT(CAP_SYS_PTRACE), true), 1);
	assert_non_null(strstr(err, "without CAP_DAC_READ_SEARCH,"));
	assert_int_equal(judge(LOAD, true), 1);
	assert_non_null(strstr(err, "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"));
}

static void test_user_namespace(void **state)
{
	(void)state;
	assert_int_equal(judge(~0ull, false), -EPERM);
	assert_non_null(strstr(err, "user namespace"));
}

/* In a child without any capability, as an ordinary user is. */
static int run_unprivileged(void)
{
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return 1;
	return privileges_check(err, sizeof(err)) == -EPERM &&
			       strstr(err, "CAP_BPF")
		       ? 0
		       : 2;
}

static bool has(int cap)
{
	return capng_have_capability(CAPNG_EFFECTIVE, cap) ||
	       capng_have_capability(CAPNG_PERMITTED, cap);
}

static int run_dropped(const char *dir, bool override)
{
	char exe[256], path[300];
	int fd;

	if (privileges_drop(dir, err, sizeof(err)))
		return 1;
	if (capng_get_caps_process())
		return 2;
	if (!has(CAP_SYS_PTRACE) || !has(CAP_DAC_READ_SEARCH))
		return 3;
	if (has(CAP_SYS_ADMIN) || has(CAP_NET_ADMIN) || has(CAP_PERFMON) ||
	    has(CAP_SETUID) || has(CAP_SYS_MODULE))
		return 4;
	if (has(CAP_DAC_OVERRIDE) != override)
		return 5;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 6;
	/* What it is for: a process with more rights, the store's directory. */
	snprintf(path, sizeof(path), "/proc/%d/exe", getppid());
	if (readlink(path, exe, sizeof(exe)) < 0)
		return 7;
	snprintf(path, sizeof(path), "%s/made", dir ? dir : "");
	fd = dir ? open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
	if (dir && (fd < 0 || unlink(path)))
		return 8;
	/* And there is no way back. */
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
		     CAP_SYS_ADMIN);
	return capng_apply(CAPNG_SELECT_CAPS) ? 0 : 9;
}

static int in_child(int (*fn)(const char *, bool), const char *dir, bool flag)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(fn ? fn(dir, flag) : run_unprivileged());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_check_without_any(void **state)
{
	(void)state;
	assert_int_equal(in_child(NULL, NULL, false), 0);
}

static void need_root(void)
{
	if (geteuid() || privileges_check(err, sizeof(err)) ||
	    prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 1)
		skip();
}

static void test_drop(void **state)
{
	char dir[] = "/tmp/rstscope-drop.XXXXXX";

	(void)state;
	need_root();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(in_child(run_dropped, NULL, false), 0);
	assert_int_equal(in_child(run_dropped, dir, false), 0);
	rmdir(dir);
}

/* A store in a directory of somebody else, where root needs its override. */
static void test_drop_foreign_dir(void **state)
{
	char dir[] = "/tmp/rstscope-drop.XXXXXX";

	(void)state;
	need_root();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chown(dir, 65534, 65534), 0);
	assert_int_equal(in_child(run_dropped, dir, true), 0);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_one_missing),
		cmocka_unit_test(test_user_namespace),
		cmocka_unit_test(test_check_without_any),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_drop_foreign_dir),
	};

	return cmocka_run_group_tests_name("privileges", tests, NULL, NULL);
}
