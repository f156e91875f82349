// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/actor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

#define DEED_LIMIT_MS 15000
#define ORDERS_FD     3
#define ANSWERS_FD    4

struct order {
	deed_fn fn;
	long args[4];
};

struct actor {
	pid_t pid;
	int orders, answers; /* our ends of the two pipes */
	bool gone;
	char comm[16];
};

static bool read_whole(int fd, void *data, size_t size)
{
	ssize_t n;

	do
		n = read(fd, data, size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

static void actor_live(int orders, int answers)
{
	struct order order;
	long result;

	while (read_whole(orders, &order, sizeof(order))) {
		result = order.fn(order.args[0], order.args[1], order.args[2],
				  order.args[3]);
		if (write(answers, &result, sizeof(result)) < 0)
			break;
	}
	_exit(0);
}

/* High numbers, so that the child can put its ends at 3 and 4. */
static int high(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	close(fd);
	return copy;
}

/* What the child is to be. */
struct birth {
	const char *comm;
	int netns, keep; /* descriptors, -1: none */
	int flags;
	int orders, answers;
};

/* In the child: only its two pipe ends, stdio and `keep` stay open. */
static void actor_become(const struct birth *b)
{
	int last = ANSWERS_FD;

	if (b->netns >= 0 && setns(b->netns, CLONE_NEWNET))
		_exit(70);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, b->comm);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_DFL);
	if (b->keep >= 0)
		last = dup2(high(b->keep), ACTOR_KEPT_FD);
	if (dup2(b->orders, ORDERS_FD) < 0 || dup2(b->answers, ANSWERS_FD) < 0)
		_exit(71);
	if (close_range(last + 1, ~0u, 0))
		_exit(72);
	actor_live(ORDERS_FD, ANSWERS_FD);
}

static pid_t fork_in_pid_namespace(void)
{
	int self = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (self < 0 || unshare(CLONE_NEWPID))
		return -1;
	pid = fork();
	if (pid && setns(self, CLONE_NEWPID))
		pid = -1;
	close(self);
	return pid;
}

static struct actor *actor_born(struct birth *b)
{
	struct actor *a = calloc(1, sizeof(*a));
	int orders[2], answers[2];

	if (!a || pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		harness_die("actor");
	b->orders = high(orders[0]);
	b->answers = high(answers[1]);
	a->orders = high(orders[1]);
	a->answers = high(answers[0]);
	snprintf(a->comm, sizeof(a->comm), "%s", b->comm);
	fflush(NULL);
	a->pid = b->flags & ACTOR_PID_NAMESPACE ? fork_in_pid_namespace()
						: fork();
	if (a->pid < 0)
		harness_die("fork");
	if (!a->pid)
		actor_become(b);
	close(b->orders);
	close(b->answers);
	harness_defer((void (*)(void *))actor_free, a);
	return a;
}

struct actor *actor_new_in(int netns_fd, const char *comm, int flags)
{
	struct birth b = {comm, netns_fd, -1, flags, -1, -1};

	return actor_born(&b);
}

struct actor *actor_new_keep(const char *comm, int fd)
{
	struct birth b = {comm, -1, fd, 0, -1, -1};

	return actor_born(&b);
}

struct actor *actor_new(const char *comm, int flags)
{
	return actor_new_in(-1, comm, flags);
}

void actor_free(struct actor *a)
{
	actor_kill(a, SIGKILL);
	close(a->orders);
	close(a->answers);
	free(a);
}

pid_t actor_pid(const struct actor *a)
{
	return a->pid;
}

const char *actor_comm(const struct actor *a)
{
	return a->comm;
}

void actor_start(struct actor *a, deed_fn fn, const long args[4])
{
	struct order order = {.fn = fn};

	memcpy(order.args, args, sizeof(order.args));
	if (write(a->orders, &order, sizeof(order)) != sizeof(order))
		harness_die("an order to %s", a->comm);
}

long actor_finish(struct actor *a)
{
	struct pollfd answer = {.fd = a->answers, .events = POLLIN};
	long result;

	if (poll(&answer, 1, harness_ms(DEED_LIMIT_MS)) != 1)
		harness_die("%s did not finish its deed", a->comm);
	if (!read_whole(a->answers, &result, sizeof(result)))
		harness_die("%s ended in the middle of a deed", a->comm);
	return result;
}

long actor_do(struct actor *a, deed_fn fn, const long args[4])
{
	actor_start(a, fn, args);
	return actor_finish(a);
}

/* In a system call that is not the wait for the next order. */
static bool actor_blocks(const struct actor *a)
{
	char path[64], text[256] = "";
	long nr = -1;
	unsigned long fd = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", a->pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	if (sscanf(text, "%ld 0x%lx", &nr, &fd) != 2)
		return false;
	return !(nr == SYS_read && fd == ORDERS_FD);
}

void actor_wait_blocked(struct actor *a)
{
	int blocked = 0;

	for (int i = 0; i < 400 && blocked < 3; i++) {
		harness_sleep(5);
		blocked = actor_blocks(a) ? blocked + 1 : 0;
	}
	if (blocked < 3)
		harness_die("%s does not block", a->comm);
}

void actor_kill(struct actor *a, int sig)
{
	if (a->gone)
		return;
	kill(a->pid, sig);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	a->gone = true;
}

static long deed_exit(long status, long b, long c, long d)
{
	(void)b, (void)c, (void)d;
	_exit(status);
}

void actor_exit(struct actor *a, int status)
{
	act_start(a, deed_exit, status);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	a->gone = true;
}
