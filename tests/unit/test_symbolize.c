/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of a stack: of this very process, and of hostile ones. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/attribute/procfs.h"
#include "user/attribute/stack.h"
#include "user/base/base.h"

#define CODE_BYTES 4096

__attribute__((noinline)) static int known_function(int n)
{
	return n * 3 + (int)getpid();
}

static uint64_t address_in(int (*fn)(int))
{
	return (uint64_t)fn + 4;
}

static struct rec_stack record_of(int64_t pid)
{
	int dir = procfs_open("/proc", pid);
	struct procfs_stat st = {0};

	assert_true(dir >= 0);
	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	return (struct rec_stack){
		.tgid = (uint32_t)pid,
		.start_ns = st.start_ticks * procfs_tick_ns(),
	};
}

static struct stack named(const struct rec_stack *rec)
{
	struct symbolizer *s = symbolizer_new("/proc");
	static struct stack st;

	assert_non_null(s);
	symbolizer_read(s, rec, &st);
	symbolizer_free(s);
	return st;
}

static void test_own_function(void **state)
{
	struct rec_stack rec = record_of(getpid());
	struct stack st;

	(void)state;
	rec.depth = 2;
	rec.frame[0] = address_in(known_function);
	rec.frame[1] = address_in(known_function);
	st = named(&rec);
	assert_int_equal(st.frames, 2);
	assert_false(st.gone);
	assert_string_equal(st.frame[0].symbol, "known_function");
	assert_string_equal(st.frame[1].symbol, "known_function");
	assert_non_null(strstr(st.frame[0].module, "/test_symbolize"));
	assert_true(st.frame[0].offset > 0);
}

/*
 * At its first instruction a function has no frame, as the system call wrappers
 * of libc: the word on top of the stack is where it returns to.
 */
static void test_caller_without_frame(void **state)
{
	struct rec_stack rec = record_of(getpid());
	struct stack st;

	(void)state;
#if !defined(__x86_64__)
	skip();
#endif
	rec.depth = 1;
	rec.frame[0] = (uint64_t)dlsym(RTLD_DEFAULT, "getpid");
	rec.top[0] = address_in(known_function);
	st = named(&rec);
	assert_int_equal(st.frames, 2);
	assert_non_null(strstr(st.frame[0].symbol, "getpid"));
	assert_non_null(strstr(st.frame[0].module, "libc"));
	assert_string_equal(st.frame[1].symbol, "known_function");
	/* a word that is no address of code is none */
	rec.top[0] = (uint64_t)&rec;
	assert_int_equal(named(&rec).frames, 1);
	/* frame pointers tell the same caller: it is there once */
	rec.top[0] = rec.frame[1] = address_in(known_function);
	rec.depth = 2;
	assert_int_equal(named(&rec).frames, 2);
}

/* A register that holds something else than a frame pointer ends the stack. */
static void test_garbage_ends_it(void **state)
{
	struct rec_stack rec = record_of(getpid());

	(void)state;
	rec.depth = 4;
	rec.frame[0] = rec.frame[1] = address_in(known_function);
	rec.frame[2] = 0x1234;
	rec.frame[3] = rec.frame[0];
	assert_int_equal(named(&rec).frames, 2);
	rec.depth = 100000; /* a recording says so */
	assert_int_equal(named(&rec).frames, 2);
	rec.depth = 0;
	assert_int_equal(named(&rec).frames, 0);
}

static void assert_bare(const struct stack *st, uint64_t address)
{
	assert_true(st->gone);
	assert_int_equal(st->frames, 1);
	assert_int_equal(st->frame[0].address, address);
	assert_int_equal(st->frame[0].offset, NOT_KNOWN);
	assert_string_equal(st->frame[0].symbol, "");
	assert_string_equal(st->frame[0].module, "");
}

static void test_process_is_gone(void **state)
{
	pid_t pid = fork();
	struct rec_stack rec;
	struct stack st;

	(void)state;
	if (!pid)
		for (;;)
			pause();
	rec = record_of(pid);
	rec.depth = 1;
	rec.frame[0] = address_in(known_function);
	assert_false(named(&rec).gone);
	kill(pid, SIGKILL);
	/* a zombie has no memory any more */
	while (waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT))
		assert_int_equal(errno, EINTR);
	st = named(&rec);
	assert_bare(&st, rec.frame[0]);
	waitpid(pid, NULL, 0);
	st = named(&rec);
	assert_bare(&st, rec.frame[0]);
	/* another process has its pid now */
	rec = record_of(getpid());
	rec.start_ns -= NSEC_PER_SEC;
	rec.depth = 1;
	rec.frame[0] = address_in(known_function);
	st = named(&rec);
	assert_bare(&st, rec.frame[0]);
}

/* --- what a JIT wrote ----------------------------------------------------- */

static struct stack from_map(const char *text, uint64_t first, uint64_t second)
{
	FILE *in = fmemopen((void *)text, strlen(text), "r");
	struct stack st = {.frames = 2};

	assert_non_null(in);
	st.frame[0].address = first;
	st.frame[1].address = second;
	perf_map_read(in, &st);
	fclose(in);
	return st;
}

static void assert_names(const char *text, const char *first,
			 const char *second)
{
	struct stack st = from_map(text, 0x1000, 0x2010);

	assert_string_equal(st.frame[0].symbol, first);
	assert_string_equal(st.frame[1].symbol, second);
}

static void test_perf_map(void **state)
{
	static char overlong[3000];

	(void)state;
	assert_names("1000 10 JS:*send /srv/app.js:3:1\n2000 20 other\n",
		     "JS:*send /srv/app.js:3:1", "other");
	assert_names("0x1000 0x10 Foo::bar()", "Foo::bar()", "");
	assert_names("1000 10 old\n1000 10 new\n", "new", "");
	/* the end is not in it, but a call may be the last instruction */
	assert_names("0ff0 10 before\n2000 10 call\n", "", "call");
	assert_names("1000 10 \x1b[31mred\xff\n", "?[31mred?", "");
	assert_names("1000 10\n1000 10 \n10 name\nname\n\n -1 2 x\n", "", "");
	assert_names("1000 -10 minus\n1000 zz z\n 1000 10 blank\n", "", "");
	assert_names("11111111111111111 10 wide\n", "", "");
	/* the sum of both numbers is beyond all addresses */
	assert_names("ffffffffffffff00 2000 wraps\n", "wraps", "");
	memset(overlong, 'x', sizeof(overlong) - 1);
	memcpy(overlong, "9000 10 ", 8);
	memcpy(overlong + 1500, "1000 10 inner ", 14);
	assert_names(overlong, "", "");
}

static char map_path[64];

static int remove_map(void **state)
{
	(void)state;
	remove(map_path);
	return 0;
}

static void write_map(uint64_t code)
{
	FILE *f = fopen(map_path, "we");

	assert_non_null(f);
	fprintf(f, "%llx %x JS:*sendOrder\n", (unsigned long long)code,
		CODE_BYTES);
	fclose(f);
}

/* Code that no file holds, and the map in /tmp that names it. */
static void test_jit(void **state)
{
	struct rec_stack rec = record_of(getpid());
	char other[80];
	void *code;

	(void)state;
	snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", getpid());
	snprintf(other, sizeof(other), "%s.other", map_path);
	code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	rec.depth = 1;
	rec.frame[0] = (uint64_t)code + 16;
	assert_int_equal(named(&rec).frames, 1);
	assert_string_equal(named(&rec).frame[0].symbol, "");
	write_map((uint64_t)code);
	assert_string_equal(named(&rec).frame[0].symbol, "JS:*sendOrder");
	/* a link, a pipe, a directory in its place are not followed */
	assert_int_equal(rename(map_path, other), 0);
	assert_int_equal(symlink(other, map_path), 0);
	assert_string_equal(named(&rec).frame[0].symbol, "");
	assert_int_equal(remove(map_path), 0);
	assert_int_equal(mkfifo(map_path, 0600), 0);
	assert_string_equal(named(&rec).frame[0].symbol, "");
	assert_int_equal(remove(map_path), 0);
	assert_int_equal(mkdir(map_path, 0700), 0);
	assert_string_equal(named(&rec).frame[0].symbol, "");
	assert_int_equal(remove(map_path), 0);
	assert_int_equal(rename(other, map_path), 0);
	assert_string_equal(named(&rec).frame[0].symbol, "JS:*sendOrder");
	/* of another user */
	if (geteuid() == 0) {
		assert_int_equal(chown(map_path, 4242, 4242), 0);
		assert_string_equal(named(&rec).frame[0].symbol, "");
		assert_int_equal(chown(map_path, 0, 0), 0);
	}
	/* huge */
	assert_int_equal(truncate(map_path, 1ll << 36), 0);
	assert_string_equal(named(&rec).frame[0].symbol, "");
	/* of an earlier process with this pid */
	write_map((uint64_t)code);
	assert_int_equal(utimensat(AT_FDCWD, map_path,
				   (struct timespec[]){{1000, 0}, {1000, 0}},
				   0),
			 0);
	assert_string_equal(named(&rec).frame[0].symbol, "");
	munmap(code, CODE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_function),
		cmocka_unit_test(test_caller_without_frame),
		cmocka_unit_test(test_garbage_ends_it),
		cmocka_unit_test(test_process_is_gone),
		cmocka_unit_test(test_perf_map),
		cmocka_unit_test_teardown(test_jit, remove_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
