// SPDX-License-Identifier: Apache-2.0
/* Deeds that open, close and change sockets. */
#include "tests/e2e/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

const char *host_address(int family, enum host host)
{
	static const char *const addresses[HOSTS][2] = {
		[HOST_LOOPBACK] = {"127.0.0.1", "::1"},
		[HOST_A] = {"10.77.1.1", "fd77:1::1"},
		[HOST_B] = {"10.77.1.2", "fd77:1::2"},
		[HOST_C] = {"10.77.2.1", "fd77:2::1"},
		[HOST_D] = {"10.77.2.2", "fd77:2::2"},
	};

	return addresses[host][family == AF_INET6];
}

static socklen_t address(long family, enum host host, long port,
			 struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = family;
	if (family == AF_INET) {
		v4->sin_port = htons(port);
		inet_pton(AF_INET, host_address(family, host), &v4->sin_addr);
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	inet_pton(AF_INET6, host_address(family, host), &v6->sin6_addr);
	return sizeof(*v6);
}

/* Closes and keeps the error of what went before. */
static long failed(int fd)
{
	int saved = errno;

	close(fd);
	return -saved;
}

long do_listen(long family, long backlog, long c, long d)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	UNUSED(c, d);
	if (fd < 0)
		return -errno;
	return listen(fd, backlog) ? failed(fd) : fd;
}

long do_port(long fd, long b, long c, long d)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof(a);

	UNUSED(b, c, d);
	if (getsockname(fd, (struct sockaddr *)&a, &size))
		return -errno;
	return ntohs(a.ss_family == AF_INET
			     ? ((struct sockaddr_in *)&a)->sin_port
			     : ((struct sockaddr_in6 *)&a)->sin6_port);
}

static long connect_with(long family, long host, long port, int flags,
			 unsigned int user_timeout_ms)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_storage to;
	socklen_t size = address(family, host, port, &to);

	if (fd < 0)
		return -errno;
	if (user_timeout_ms &&
	    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms,
		       sizeof(user_timeout_ms)))
		return failed(fd);
	if (connect(fd, (struct sockaddr *)&to, size) && errno != EINPROGRESS)
		return failed(fd);
	return fd;
}

long do_connect(long family, long host, long port, long d)
{
	UNUSED(d);
	return connect_with(family, host, port, 0, 0);
}

long do_connect_timeout(long family, long host, long port, long ms)
{
	return connect_with(family, host, port, 0, ms);
}

long do_connect_start(long family, long host, long port, long ms)
{
	return connect_with(family, host, port, SOCK_NONBLOCK, ms);
}

long do_connect_later(long family, long host, long port, long d)
{
	long fd = connect_with(family, host, port, SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	long error;

	UNUSED(d);
	if (fd < 0)
		return fd;
	poll(&p, 1, 10000);
	error = do_so_error(fd, 0, 0, 0);
	if (!error)
		return fd;
	close(fd);
	return error;
}

long do_accept(long fd, long b, long c, long d)
{
	UNUSED(b, c, d);
	return error_or(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

long do_disconnect(long fd, long b, long c, long d)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	UNUSED(b, c, d);
	return error_or(connect(fd, &none, sizeof(none)));
}

long do_close(long fd, long b, long c, long d)
{
	UNUSED(b, c, d);
	return error_or(close(fd));
}

long do_shutdown(long fd, long how, long c, long d)
{
	UNUSED(c, d);
	return error_or(shutdown(fd, how));
}

long do_linger(long fd, long b, long c, long d)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	UNUSED(b, c, d);
	return error_or(
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

long do_setsockopt(long fd, long level, long name, long value)
{
	int number = value;

	return error_or(setsockopt(fd, level, name, &number, sizeof(number)));
}

long do_so_error(long fd, long b, long c, long d)
{
	int error = 0;
	socklen_t size = sizeof(error);

	UNUSED(b, c, d);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		return -errno;
	return -error;
}

struct pair pair_new(int family)
{
	struct pair p = {.client = actor_new("e2e-client", 0),
			 .server = actor_new("e2e-server", 0)};

	p.listener = act(p.server, do_listen, family, 128);
	p.port = act(p.server, do_port, p.listener);
	assert_true(p.port > 0);
	pair_connect(family, &p);
	return p;
}

void pair_connect(int family, struct pair *p)
{
	p->c = act(p->client, do_connect, family, HOST_LOOPBACK, p->port);
	p->s = act(p->server, do_accept, p->listener);
	assert_true(p->c >= 0);
	assert_true(p->s >= 0);
}
