/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that does what a test tells it, one deed at a time, so that a
 * scenario reads as a story in one place: the client connects, the server
 * closes, the client reads. A deed is a function of the test program; the
 * actor is a fork of it, so the function's address means the same in both.
 * Orders travel through pipes, never through sockets: an actor makes no
 * network system call but those of its deeds.
 */
#ifndef E2E_ACTOR_H
#define E2E_ACTOR_H

#include <stdbool.h>
#include <sys/types.h>

/* Returns what the system call returned, or -errno. */
typedef long (*deed_fn)(long a, long b, long c, long d);

struct actor;

enum actor_flags {
	ACTOR_PID_NAMESPACE = 1 << 0, /* a process in a namespace of its own */
};

/* In the caller's network namespace; `comm` at most 15 characters. */
struct actor *actor_new(const char *comm, int flags);
/* The same, with this descriptor of the caller at ACTOR_KEPT_FD. */
#define ACTOR_KEPT_FD 5
struct actor *actor_new_keep(const char *comm, int fd);
/* The same in another network namespace. */
struct actor *actor_new_in(int netns_fd, const char *comm, int flags);
/* Ends it with SIGKILL if it still runs, and waits for its end. */
void actor_free(struct actor *a);

/* In the initial pid namespace. */
pid_t actor_pid(const struct actor *a);
const char *actor_comm(const struct actor *a);

/* Orders a deed; fails the test where its end is not told in time. */
#define act(a, fn, ...) actor_do(a, fn, (const long[4]){__VA_ARGS__})
long actor_do(struct actor *a, deed_fn fn, const long args[4]);
/* The two halves of it, for deeds that block. */
#define act_start(a, fn, ...) actor_start(a, fn, (const long[4]){__VA_ARGS__})
void actor_start(struct actor *a, deed_fn fn, const long args[4]);
long actor_finish(struct actor *a);
/* Waits until the actor sleeps in the kernel, as in a blocking read. */
void actor_wait_blocked(struct actor *a);

/* Sends a signal and, where it is to die of it, waits for the end. */
void actor_kill(struct actor *a, int sig);
/* Ends by exit_group(status), all descriptors still open. */
void actor_exit(struct actor *a, int status);

#endif
