// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "user/base/base.h"
#include "user/base/syscalls.h"

struct call {
	const char *arch, *name;
	int nr;
};

/* Numbers are the kernel's promise; a few by heart, of each table. */
static const struct call calls[] = {
#ifdef __x86_64__
	{"x86_64", "read", 0},	      {"x86_64", "connect", 42},
	{"x86_64", "recvfrom", 45},   {"x86_64", "exit_group", 231},
	{"x86_64", "accept4", 288},   {"x86_64", "io_uring_enter", 426},
	{"i386", "read", 3},	      {"i386", "socketcall", 102},
	{"i386", "recvfrom", 371},    {"i386", "exit_group", 252},
#endif
	{"aarch64", "read", 63},      {"aarch64", "fcntl", 25},
	{"aarch64", "recvfrom", 207}, {"aarch64", "sendfile", 71},
	{"aarch64", "accept4", 242},  {"aarch64", "io_uring_enter", 426},
	{"aarch64", "renameat", 38},  {"aarch64", "clone3", 435},
};

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const struct call *c = &calls[i];
		const char *name = syscall_name(c->arch, c->nr);

		assert_non_null(name);
		assert_string_equal(name, c->name);
		assert_int_equal(syscall_by_name(c->arch, c->name), c->nr);
	}
}

static void test_unknown(void **state)
{
	(void)state;
	assert_null(syscall_name("aarch64", -1));
	assert_null(syscall_name("aarch64", 244)); /* a gap in the table */
	assert_null(syscall_name("aarch64", 100000));
	assert_null(syscall_name("vax", 0));
	assert_null(syscall_name("", 0));
	assert_int_equal(syscall_by_name("aarch64", "syscalls"), -ENOENT);
	assert_int_equal(syscall_by_name("aarch64", ""), -ENOENT);
	assert_int_equal(syscall_by_name("vax", "read"), -ENOENT);
}

/* This machine's own numbers, as its C library was told them. */
static void test_native(void **state)
{
#if defined(__x86_64__)
	const char *arch = "x86_64";
#elif defined(__aarch64__)
	const char *arch = "aarch64";
#else
	const char *arch = NULL;
#endif

	(void)state;
	if (!arch)
		skip();
	assert_int_equal(syscall_by_name(arch, "write"), SYS_write);
	assert_int_equal(syscall_by_name(arch, "recvmmsg"), SYS_recvmmsg);
	assert_int_equal(syscall_by_name(arch, "splice"), SYS_splice);
	assert_int_equal(syscall_by_name(arch, "close"), SYS_close);
}

int main(void)
{
	const struct CMUnitTest syscalls[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_native),
	};

	return cmocka_run_group_tests(syscalls, NULL, NULL);
}
