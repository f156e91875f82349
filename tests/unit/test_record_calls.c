/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/raw.h"

#define NOW RAW_START_NS

/* --- tasks and calls ------------------------------------------------------ */

static void test_task(void **state)
{
	struct rec_task raw = raw_task(12, "sixteen-bytes-xx", HOW_SCAN, NULL);
	struct fact_task t;

	(void)state;
	raw.cgroup = 5;
	record_task(&raw, &t);
	assert_int_equal(t.pid, 12);
	assert_int_equal(t.tid, 13);
	assert_int_equal(t.uid, 1000);
	assert_int_equal(t.start_ns, raw.start_ns);
	assert_int_equal(t.cgroup, 5);
	assert_int_equal(t.how, HOW_SCAN);
	assert_string_equal(t.comm, "sixteen-bytes-xx");
	assert_false(t.exiting);
	assert_int_equal(t.exit_signal, NOT_KNOWN);
	raw.uid = (uint32_t)-1;
	raw.tgid = 0;
	record_task(&raw, &t);
	assert_int_equal(t.uid, NOT_KNOWN);
	assert_int_equal(t.pid, NOT_KNOWN);
	assert_int_equal(t.tid, NOT_KNOWN);
}

static void test_task_end(void **state)
{
	struct rec_task raw = raw_task(12, "x", HOW_CURRENT, NULL);
	struct fact_task t;

	(void)state;
	raw.exit_code = SIGKILL; /* not valid before it is exiting */
	record_task(&raw, &t);
	assert_int_equal(t.exit_signal, NOT_KNOWN);
	raw_ends_by(&raw, SIGSEGV | 0x80); /* with a core dump */
	record_task(&raw, &t);
	assert_true(t.exiting);
	assert_int_equal(t.exit_signal, SIGSEGV);
	assert_int_equal(t.exit_status, NOT_KNOWN);
	raw_ends_by(&raw, 3 << 8);
	record_task(&raw, &t);
	assert_int_equal(t.exit_signal, 0);
	assert_int_equal(t.exit_status, 3);
}

static const struct {
	const char *name;
	enum call_class class;
} classes[] = {
	{"read", CALL_READ},
	{"readv", CALL_READ},
	{"recvfrom", CALL_READ},
	{"recvmsg", CALL_READ},
	{"recvmmsg", CALL_READ},
	{"preadv2", CALL_READ},
	{"write", CALL_WRITE},
	{"writev", CALL_WRITE},
	{"sendto", CALL_WRITE},
	{"sendmsg", CALL_WRITE},
	{"sendmmsg", CALL_WRITE},
	{"sendfile", CALL_WRITE},
	{"pwrite64", CALL_WRITE},
	{"splice", CALL_WRITE},
	{"connect", CALL_CONNECT},
	{"accept", CALL_ACCEPT},
	{"accept4", CALL_ACCEPT},
	{"close", CALL_CLOSE},
	{"close_range", CALL_CLOSE},
	{"dup2", CALL_CLOSE},
	{"dup3", CALL_CLOSE},
	{"shutdown", CALL_CLOSE},
	{"exit", CALL_EXIT},
	{"exit_group", CALL_EXIT},
	{"io_uring_enter", CALL_OTHER},
	{"epoll_wait", CALL_OTHER},
	{"execve", CALL_OTHER},
};

static void test_classes(void **state)
{
	struct rec_task raw;
	struct fact_call c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		raw = raw_task(1, "x", HOW_CURRENT, classes[i].name);
		record_call(&raw, &raw_context, &c);
		assert_true(c.known);
		assert_string_equal(c.name, classes[i].name);
		if (c.class != classes[i].class)
			fail_msg("%s is of class %d", c.name, c.class);
		assert_int_equal(c.errno_nr, NOT_KNOWN);
		assert_int_equal(c.delay_us, NOT_KNOWN);
	}
}

static struct fact_call call_of(const struct rec_task *raw, const char *arch)
{
	struct record_context ctx = raw_context;
	struct fact_call c;

	text_copy(ctx.arch, sizeof(ctx.arch), arch);
	memset(&c, 0x5a, sizeof(c));
	record_call(raw, &ctx, &c);
	return c;
}

static void test_call_unknown(void **state)
{
	struct rec_task raw = raw_task(1, "x", HOW_CURRENT, "read");

	(void)state;
	raw.flags = 0;
	assert_false(call_of(&raw, "x86_64").known);
	raw.flags = TASK_NR;
	raw.nr = -1; /* no call: a fault, a signal */
	assert_false(call_of(&raw, "x86_64").known);
	raw.nr = 99999; /* newer than the headers */
	assert_string_equal(call_of(&raw, "x86_64").name, "syscall_99999");
	assert_int_equal(call_of(&raw, "x86_64").class, CALL_OTHER);
	raw.nr = 0;
	assert_string_equal(call_of(&raw, "vax").name, "syscall_0");
}

static void test_call_worker(void **state)
{
	struct rec_task raw = raw_task(1, "iou-wrk-1", HOW_CURRENT, NULL);

	(void)state;
	raw.flags = TASK_IO_WORKER;
	assert_string_equal(call_of(&raw, "x86_64").name, "io_uring_enter");
}

static void test_call_compat(void **state)
{
	struct rec_task raw = raw_task(1, "x", HOW_CURRENT, NULL);

	(void)state;
	raw.flags = TASK_NR | TASK_COMPAT;
	raw.nr = 3; /* read of i386, close of x86_64 */
#ifdef __x86_64__
	assert_string_equal(call_of(&raw, "x86_64").name, "read");
	raw.flags = TASK_NR;
	assert_string_equal(call_of(&raw, "x86_64").name, "close");
	raw.flags = TASK_NR | TASK_COMPAT;
#endif
	/* no name rather than that of another table */
	raw.nr = 63;
	assert_string_equal(call_of(&raw, "aarch64").name, "syscall_63");
	raw.flags = TASK_NR;
	assert_string_equal(call_of(&raw, "aarch64").name, "read");
}

/* A signal ends a process in exit_group, whatever call it interrupted. */
static void test_call_exit(void **state)
{
	struct rec_task raw = raw_task(1, "x", HOW_CURRENT, "epoll_wait");
	struct fact_call c;

	(void)state;
	raw_ends_by(&raw, SIGKILL);
	c = call_of(&raw, "x86_64");
	assert_true(c.known);
	assert_int_equal(c.class, CALL_EXIT);
	assert_string_equal(c.name, "exit_group");
	raw.flags = TASK_EXITING;
	assert_string_equal(call_of(&raw, "x86_64").name, "exit_group");
	raw = raw_task(1, "x", HOW_CURRENT, "exit");
	raw_ends_by(&raw, 0);
	assert_string_equal(call_of(&raw, "x86_64").name, "exit");
}

/* --- people --------------------------------------------------------------- */

static void test_sent_by(void **state)
{
	struct rec_failure r = raw_sent(1, NOW);
	struct facts f = raw_decode(&r);

	(void)state;
	assert_int_equal(f.task.pid, RAW_SERVER_PID);
	assert_true(f.call.known);
	assert_int_equal(f.call.class, CALL_CLOSE);
	assert_int_equal(f.call.errno_nr, NOT_KNOWN);
	assert_int_equal(f.told.pid, NOT_KNOWN);
	r.known |= KNOWN_SKB; /* then it answers a segment: nobody's call */
	f = raw_decode(&r);
	assert_int_equal(f.task.pid, RAW_SERVER_PID);
	assert_false(f.call.known);
	r.known &= ~(KNOWN_SKB | KNOWN_TASK);
	f = raw_decode(&r);
	assert_int_equal(f.task.pid, NOT_KNOWN);
	assert_false(f.call.known);
}

static void test_connect(void **state)
{
	struct rec_failure r = raw_failure(REC_RECEIVED, 1, NOW);
	struct facts f;

	(void)state;
	r.state = TCP_SYN_SENT;
	r.known |= KNOWN_OWNER;
	r.owner = raw_client(HOW_CONNECT, "connect");
	f = raw_decode(&r);
	assert_int_equal(f.kind, KIND_REFUSED);
	assert_int_equal(f.owner.pid, RAW_CLIENT_PID);
	assert_int_equal(f.call.class, CALL_CONNECT);
	assert_string_equal(f.call.name, "connect");
	assert_int_equal(f.call.errno_nr, ECONNREFUSED);
	r.head.kind = REC_ERROR;
	r.sock.err = ETIMEDOUT;
	f = raw_decode(&r);
	assert_int_equal(f.kind, KIND_TIMEOUT);
	assert_int_equal(f.call.errno_nr, ETIMEDOUT);
	r.owner = raw_client(HOW_CONNECT, "sendto"); /* MSG_FASTOPEN */
	f = raw_decode(&r);
	assert_int_equal(f.call.class, CALL_CONNECT);
	assert_string_equal(f.call.name, "sendto");
}

static void test_no_connect(void **state)
{
	struct rec_failure r = raw_received(1, NOW);

	(void)state;
	assert_false(raw_decode(&r).call.known); /* an established one */
	r.state = TCP_SYN_SENT;
	r.owner.how = HOW_SCAN;
	assert_false(raw_decode(&r).call.known);
	r.owner.how = HOW_CONNECT;
	r.known &= ~KNOWN_OWNER;
	assert_false(raw_decode(&r).call.known);
	assert_int_equal(raw_decode(&r).owner.pid, NOT_KNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_task_end),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_call_unknown),
		cmocka_unit_test(test_call_worker),
		cmocka_unit_test(test_call_compat),
		cmocka_unit_test(test_call_exit),
		cmocka_unit_test(test_sent_by),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_no_connect),
	};

	return cmocka_run_group_tests_name("record_calls", tests, NULL, NULL);
}
