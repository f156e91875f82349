/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deeds on sockets for actors: one system call each, the one that the name
 * says. They return what it returned, or -errno.
 */
#ifndef E2E_NET_H
#define E2E_NET_H

#include <errno.h>

#include "tests/e2e/actor.h"

#define UNUSED(...) ((void)sizeof((long[]){__VA_ARGS__}))

static inline long error_or(long result)
{
	return result < 0 ? -errno : result;
}

/* Addresses of a test; each has one of both families. */
enum host {
	HOST_LOOPBACK, /* 127.0.0.1, ::1 */
	HOST_A,	       /* 10.77.1.1, fd77:1::1 */
	HOST_B,	       /* 10.77.1.2, fd77:1::2: the other end of A's link */
	HOST_C,	       /* 10.77.2.1, fd77:2::1 */
	HOST_D,	       /* 10.77.2.2, fd77:2::2 */
	HOSTS,
};
const char *host_address(int family, enum host host);

/* A wildcard listener on a free port; its descriptor. */
long do_listen(long family, long backlog, long c, long d);
long do_port(long fd, long b, long c, long d); /* the local one */
/* socket() and connect(); the descriptor. */
long do_connect(long family, long host, long port, long d);
/* As above after TCP_USER_TIMEOUT `ms`. */
long do_connect_timeout(long family, long host, long port, long ms);
/* The same, but it does not wait for the answer. */
long do_connect_start(long family, long host, long port, long ms);
/* O_NONBLOCK, poll() and SO_ERROR: the descriptor, or what SO_ERROR said. */
long do_connect_later(long family, long host, long port, long d);
long do_accept(long fd, long b, long c, long d);
long do_disconnect(long fd, long b, long c, long d); /* connect(AF_UNSPEC) */
long do_close(long fd, long b, long c, long d);
long do_shutdown(long fd, long how, long c, long d);
long do_linger(long fd, long b, long c, long d); /* SO_LINGER {1, 0} */
long do_setsockopt(long fd, long level, long name, long value);
long do_so_error(long fd, long b, long c, long d); /* -SO_ERROR */

/* The ways to receive at most `size` bytes. */
long do_read(long fd, long size, long c, long d);
long do_recv(long fd, long size, long flags, long d);
long do_readv(long fd, long size, long c, long d);
long do_recvmsg(long fd, long size, long c, long d);
long do_recvmmsg(long fd, long size, long c, long d);
long do_splice_in(long fd, long size, long c, long d);
/* The ways to send `size` bytes. */
long do_write(long fd, long size, long c, long d);
long do_send(long fd, long size, long flags, long d);
long do_writev(long fd, long size, long c, long d);
long do_sendmsg(long fd, long size, long c, long d);
long do_sendmmsg(long fd, long size, long c, long d);
long do_sendfile(long fd, long size, long c, long d);
long do_splice_out(long fd, long size, long c, long d);
/* A text; it must be a literal. */
long do_say(long fd, long text, long c, long d);
/* Reads until EOF or error: the last result. */
long do_drain(long fd, long b, long c, long d);
/* Writes without blocking until the socket is full; bytes. */
long do_fill(long fd, long b, long c, long d);
/* Passes a descriptor over the socket pair end `via`, and takes one. */
long do_pass(long via, long fd, long c, long d);
long do_take(long via, long b, long c, long d);

/* io_uring, one operation each: -ENOSYS, -EPERM where the kernel refuses. */
long do_uring_recv(long fd, long size, long c, long d);
long do_uring_send(long fd, long size, long c, long d);

/* A client and a server, connected over loopback. */
struct pair {
	struct actor *client, *server;
	long listener, c, s; /* descriptors in the server, client, server */
	long port;
};
struct pair pair_new(int family);
/* One more connection of the same two. */
void pair_connect(int family, struct pair *p);

#endif
