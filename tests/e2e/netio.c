// SPDX-License-Identifier: Apache-2.0
/* Deeds that move bytes, one system call each. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"

/* Letters, so that no protocol is taken for what it is not. */
static char buffer[1 << 16];

static struct iovec whole(long size)
{
	memset(buffer, 'x', sizeof(buffer));
	return (struct iovec){buffer, (size_t)size};
}

long do_read(long fd, long size, long c, long d)
{
	UNUSED(c, d);
	return error_or(read(fd, buffer, size));
}

long do_recv(long fd, long size, long flags, long d)
{
	UNUSED(d);
	return error_or(recv(fd, buffer, size, flags));
}

long do_readv(long fd, long size, long c, long d)
{
	struct iovec v = {buffer, (size_t)size};

	UNUSED(c, d);
	return error_or(readv(fd, &v, 1));
}

long do_recvmsg(long fd, long size, long c, long d)
{
	struct iovec v = {buffer, (size_t)size};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	UNUSED(c, d);
	return error_or(recvmsg(fd, &m, 0));
}

long do_recvmmsg(long fd, long size, long c, long d)
{
	struct iovec v = {buffer, (size_t)size};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};

	UNUSED(c, d);
	return error_or(recvmmsg(fd, &m, 1, 0, NULL));
}

long do_splice_in(long fd, long size, long c, long d)
{
	int ends[2];
	long result;

	UNUSED(c, d);
	if (pipe(ends))
		return -errno;
	result = error_or(splice(fd, NULL, ends[1], NULL, size, 0));
	close(ends[0]);
	close(ends[1]);
	return result;
}

long do_write(long fd, long size, long c, long d)
{
	struct iovec v = whole(size);

	UNUSED(c, d);
	return error_or(write(fd, v.iov_base, v.iov_len));
}

long do_send(long fd, long size, long flags, long d)
{
	struct iovec v = whole(size);

	UNUSED(d);
	return error_or(send(fd, v.iov_base, v.iov_len, flags | MSG_NOSIGNAL));
}

long do_writev(long fd, long size, long c, long d)
{
	struct iovec v = whole(size);

	UNUSED(c, d);
	return error_or(writev(fd, &v, 1));
}

long do_sendmsg(long fd, long size, long c, long d)
{
	struct iovec v = whole(size);
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	UNUSED(c, d);
	return error_or(sendmsg(fd, &m, MSG_NOSIGNAL));
}

long do_sendmmsg(long fd, long size, long c, long d)
{
	struct iovec v = whole(size);
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};

	UNUSED(c, d);
	return error_or(sendmmsg(fd, &m, 1, MSG_NOSIGNAL));
}

long do_sendfile(long fd, long size, long c, long d)
{
	int file = memfd_create("body", MFD_CLOEXEC);
	struct iovec v = whole(size);
	long result;

	UNUSED(c, d);
	if (file < 0 || pwrite(file, v.iov_base, v.iov_len, 0) != size)
		return -EIO;
	result = error_or(sendfile(fd, file, NULL, size));
	close(file);
	return result;
}

long do_splice_out(long fd, long size, long c, long d)
{
	struct iovec v = whole(size);
	int ends[2];
	long result;

	UNUSED(c, d);
	if (pipe(ends))
		return -errno;
	result = error_or(write(ends[1], v.iov_base, v.iov_len));
	if (result > 0)
		result = error_or(splice(ends[0], NULL, fd, NULL, size, 0));
	close(ends[0]);
	close(ends[1]);
	return result;
}

long do_say(long fd, long text, long c, long d)
{
	const char *what = (const char *)text;

	UNUSED(c, d);
	return error_or(write(fd, what, strlen(what)));
}

long do_drain(long fd, long b, long c, long d)
{
	long result;

	UNUSED(b, c, d);
	do
		result = error_or(read(fd, buffer, sizeof(buffer)));
	while (result > 0);
	return result;
}

/* What is sent until the socket takes no more for now. */
static long fill_once(long fd)
{
	struct iovec v = whole(sizeof(buffer));
	long total = 0, n;

	while ((n = send(fd, v.iov_base, v.iov_len,
			 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		total += n;
	return errno == EAGAIN ? total : -errno;
}

/* A peer that is slow to answer takes more when it has. */
long do_fill(long fd, long b, long c, long d)
{
	long total = 0, n;

	UNUSED(b, c, d);
	while ((n = fill_once(fd)) > 0) {
		total += n;
		harness_sleep(100);
	}
	return n < 0 ? n : total;
}

union control {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

long do_pass(long via, long fd, long c, long d)
{
	struct iovec v = {buffer, 1};
	union control control = {.space = {0}};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control.space,
			   .msg_controllen = sizeof(control.space)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);
	int number = fd;

	UNUSED(c, d);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(number));
	memcpy(CMSG_DATA(head), &number, sizeof(number));
	return error_or(sendmsg(via, &m, 0));
}

long do_take(long via, long b, long c, long d)
{
	struct iovec v = {buffer, 1};
	union control control = {.space = {0}};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control.space,
			   .msg_controllen = sizeof(control.space)};
	int number;

	UNUSED(b, c, d);
	if (recvmsg(via, &m, 0) < 0)
		return -errno;
	if (!CMSG_FIRSTHDR(&m))
		return -EBADMSG;
	memcpy(&number, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(number));
	return number;
}
