// SPDX-License-Identifier: Apache-2.0
/* Real sockets of this process, found again through the real /proc. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "user/attribute/process.h"
#include "user/attribute/procfs.h"
#include "user/base/base.h"

struct pair {
	int client, server;
	struct facts facts; /* of the client's end */
};

static void fill_end(int fd, bool peer, struct facts *f)
{
	struct sockaddr_storage addr;
	struct endpoint *end = peer ? &f->peer : &f->local;
	socklen_t size = sizeof(addr);
	char text[INET6_ADDRSTRLEN];
	int err = peer ? getpeername(fd, (struct sockaddr *)&addr, &size)
		       : getsockname(fd, (struct sockaddr *)&addr, &size);

	assert_int_equal(err, 0);
	if (addr.ss_family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)&addr;

		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		end->port = ntohs(in->sin_port);
	} else {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)&addr;

		inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
		end->port = ntohs(in->sin6_port);
	}
	assert_int_equal(parse_ip(text, &f->family, end->ip), 0);
}

/* A connection over loopback; *p stays as it was where it cannot be made. */
static bool connect_pair(int af, const char *to, struct pair *p)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr *addr = (struct sockaddr *)&in6;
	socklen_t size = sizeof(in6);
	int listener = socket(af, SOCK_STREAM, 0);
	struct stat st;
	bool made;

	if (af == AF_INET) {
		addr = (struct sockaddr *)&in;
		size = sizeof(in);
		inet_pton(af, to, &in.sin_addr);
	} else {
		inet_pton(af, to, &in6.sin6_addr);
	}
	p->client = socket(af, SOCK_STREAM, 0);
	made = listener >= 0 && p->client >= 0 && !bind(listener, addr, size) &&
	       !listen(listener, 1) && !getsockname(listener, addr, &size) &&
	       !connect(p->client, addr, size);
	p->server = made ? accept(listener, NULL, NULL) : -1;
	close(listener);
	if (!made)
		return false;
	memset(&p->facts, 0, sizeof(p->facts));
	fill_end(p->client, false, &p->facts);
	fill_end(p->client, true, &p->facts);
	p->facts.tuple_known = true;
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	p->facts.netns = (int64_t)st.st_ino;
	return true;
}

static void check_found(struct pair *p)
{
	struct fact_task task;
	struct procfs_stat st;
	int dir;

	assert_int_equal(scan_socket_owner("/proc", &p->facts, &task), 0);
	assert_int_equal(task.pid, getpid());
	assert_int_equal(task.tid, getpid());
	assert_int_equal(task.uid, getuid());
	assert_int_equal(task.how, HOW_SCAN);
	assert_int_equal(task.exit_signal, NOT_KNOWN);
	dir = procfs_open("/proc", getpid());
	assert_int_equal(procfs_stat(dir, &st), 0);
	close(dir);
	assert_string_equal(task.comm, st.comm);
	assert_true(task.start_ns == st.start_ticks * procfs_tick_ns());
}

static void check_absent(const struct facts *f)
{
	struct fact_task task = {.pid = 4242};

	assert_int_equal(scan_socket_owner("/proc", f, &task), -ENOENT);
	assert_int_equal(task.pid, 4242);
}

static void check_pair(int af, const char *to)
{
	struct pair p;

	if (!connect_pair(af, to, &p)) {
		print_message("no TCP over %s here: %s\n", to, strerror(errno));
		skip();
	}
	check_found(&p);
	close(p.client);
	check_absent(&p.facts); /* no file refers to it any more */
	close(p.server);
}

static void test_ipv4(void **state)
{
	(void)state;
	check_pair(AF_INET, "127.0.0.1");
}

static void test_ipv6(void **state)
{
	(void)state;
	check_pair(AF_INET6, "::1");
}

static void test_mapped(void **state)
{
	(void)state;
	check_pair(AF_INET6, "::ffff:127.0.0.1");
}

static void test_not_another(void **state)
{
	struct facts f;
	struct pair p;

	(void)state;
	assert_true(connect_pair(AF_INET, "127.0.0.1", &p));
	f = p.facts;
	f.peer.port ^= 1;
	check_absent(&f);
	f = p.facts;
	f.local.ip[3] ^= 2;
	check_absent(&f);
	f = p.facts;
	f.family = 6;
	check_absent(&f);
	f = p.facts;
	f.netns++;
	check_absent(&f);
	f.netns = NOT_KNOWN;
	check_absent(&f);
	f = p.facts;
	f.tuple_known = false;
	check_absent(&f);
	close(p.client);
	close(p.server);
}

static void test_no_proc(void **state)
{
	struct fact_task task;
	struct pair p;

	(void)state;
	assert_true(connect_pair(AF_INET, "127.0.0.1", &p));
	assert_int_equal(scan_socket_owner("/nonexistent", &p.facts, &task),
			 -ENOENT);
	close(p.client);
	close(p.server);
}

int main(void)
{
	const struct CMUnitTest scan[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_not_another),
		cmocka_unit_test(test_no_proc),
	};

	return cmocka_run_group_tests(scan, NULL, NULL);
}
