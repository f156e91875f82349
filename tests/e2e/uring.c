// SPDX-License-Identifier: Apache-2.0
/*
 * io_uring by its raw system calls: a ring for one operation, so that the
 * tests need no library for it.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/e2e/net.h"

struct ring {
	int fd;
	struct io_uring_params params;
	size_t size;
	char *rings; /* both, IORING_FEAT_SINGLE_MMAP (5.4) */
	struct io_uring_sqe *entries;
	size_t entries_size;
};

static unsigned int *in_ring(const struct ring *r, unsigned int offset)
{
	return (unsigned int *)(void *)(r->rings + offset);
}

static void ring_close(struct ring *r)
{
	if (r->rings != MAP_FAILED)
		munmap(r->rings, r->size);
	if (r->entries != MAP_FAILED)
		munmap(r->entries, r->entries_size);
	close(r->fd);
}

static void *ring_map(const struct ring *r, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, r->fd, what);
}

static int ring_open(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = syscall(SYS_io_uring_setup, 1, &r->params);
	if (r->fd < 0)
		return -errno;
	r->size = r->params.cq_off.cqes +
		  r->params.cq_entries * sizeof(struct io_uring_cqe);
	if (r->size < r->params.sq_off.array +
			      r->params.sq_entries * sizeof(unsigned int))
		r->size = r->params.sq_off.array +
			  r->params.sq_entries * sizeof(unsigned int);
	r->entries_size = r->params.sq_entries * sizeof(struct io_uring_sqe);
	r->rings = ring_map(r, r->size, IORING_OFF_SQ_RING);
	r->entries = ring_map(r, r->entries_size, IORING_OFF_SQES);
	if (r->rings == MAP_FAILED || r->entries == MAP_FAILED ||
	    !(r->params.features & IORING_FEAT_SINGLE_MMAP)) {
		ring_close(r);
		return -ENOSYS;
	}
	return 0;
}

static long ring_run(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int *tail = in_ring(r, r->params.sq_off.tail);
	unsigned int *head = in_ring(r, r->params.cq_off.head);
	struct io_uring_cqe *done =
		(struct io_uring_cqe *)(void *)(r->rings +
						r->params.cq_off.cqes);

	r->entries[0] = *sqe;
	in_ring(r, r->params.sq_off.array)[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		return -errno;
	if (*head == __atomic_load_n(in_ring(r, r->params.cq_off.tail),
				     __ATOMIC_ACQUIRE))
		return -EAGAIN;
	return done->res;
}

static long uring_transfer(int operation, long fd, long size)
{
	static char buffer[4096];
	struct io_uring_sqe sqe = {.opcode = operation,
				   .fd = fd,
				   .addr = (unsigned long)buffer,
				   .len = size};
	struct ring ring;
	long result = ring_open(&ring);

	if (result)
		return result;
	memset(buffer, 'x', sizeof(buffer));
	result = ring_run(&ring, &sqe);
	ring_close(&ring);
	return result;
}

long do_uring_recv(long fd, long size, long c, long d)
{
	UNUSED(c, d);
	return uring_transfer(IORING_OP_RECV, fd, size);
}

long do_uring_send(long fd, long size, long c, long d)
{
	UNUSED(c, d);
	return uring_transfer(IORING_OP_SEND, fd, size);
}
