/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every end-to-end test stands on: time, clean-up, network namespaces,
 * the daemon and its events, and the assertions about them.
 *
 * A test lives in a network namespace of its own (setup_ipv4, setup_ipv6), so
 * that "nothing else was reported" means this test alone, whatever else runs
 * on the machine. The daemon runs outside, once per test program.
 */
#ifndef E2E_HARNESS_H
#define E2E_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/e2e/actor.h"
#include "tests/e2e/daemon.h"

/* --- time and ends ---------------------------------------------------------
 */
/* Milliseconds of a fast machine: RSTSCOPE_TIME_SCALE stretches them. */
int harness_ms(int ms);
void harness_sleep(int ms);
int64_t harness_now_ms(void);

/* What the test itself could not do (a fork, a connect): it fails. */
void harness_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)))
__attribute__((noreturn));
/* What this machine cannot do: the test is skipped, with this reason. */
void harness_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whether the first MiB of a file holds that text; none if it is not there. */
bool file_has(const char *path, const char *text);
/* Until it does; the test fails after limit_ms of a fast machine. */
void file_wait_for(const char *path, const char *text, int limit_ms);

/* Undone last first at the end of the test, also of one that failed. */
void harness_defer(void (*fn)(void *), void *arg);

/* --- one test --------------------------------------------------------------
 */
struct world {
	int family;	       /* AF_INET or AF_INET6 */
	struct daemon *daemon; /* the program's; a test may set its own */
	bool all_netns;	       /* judge the events of every namespace */
	int64_t first_id;      /* events up to it are of earlier tests */
};

int setup_program(void **state); /* the daemon of the test program */
int setup_program_with(void **state, const char *const options[]);
int teardown_program(void **state);
int setup_ipv4(void **state);
int setup_ipv6(void **state);
int teardown(void **state);

/* Rows of a cmocka table: the same test for both families, or for IPv4. */
#define IPV4(f)                                                                \
	{                                                                      \
#f, f, setup_ipv4, teardown, NULL                              \
	}
#define IPV6(f)                                                                \
	{                                                                      \
#f " (IPv6)", f, setup_ipv6, teardown, NULL                    \
	}
#define BOTH(f) IPV4(f), IPV6(f)

/* Runs a table of them; E2E_ONLY: only those whose name fits this pattern. */
#define run_table(table)                                                       \
	(cmocka_set_test_filter(getenv("E2E_ONLY")),                           \
	 cmocka_run_group_tests(table, setup_program, teardown_program))

/* --- namespaces ------------------------------------------------------------
 */
/* Further hosts of the test, linked by veth: addresses in net.h. */
int netns_new(void); /* its descriptor, loopback up */
void netns_link(int a, const char *a_name, const char *a_address, int b,
		const char *b_name, const char *b_address);
/* The test's first namespace. */
int netns_home(void);
/* Its further ones. */
unsigned int netns_count(void);
int netns_at(unsigned int i);
/* Runs a program and waits; `sh` text, in that namespace (-1: current one). */
int shell_in(int netns, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same where failure of the command fails the test. */
void must_in(int netns, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool have_program(const char *name);

/* --- programs --------------------------------------------------------------
 */
/* Starts a program in the test's namespace; killed at the test's end. */
pid_t spawn(const char *output, char *const argv[]);
/* Its exit status (128 + signal), or fails the test after ms. */
int spawn_wait(pid_t pid, int ms);
/* Waits until something listens on that port, without connecting to it. */
void wait_listening(int port);
/* A scratch directory of this test, removed at its end. */
const char *scratch(void);

/* --- events ----------------------------------------------------------------
 */
/* For a text field: do not look at it. NULL stands for JSON's null. */
#define ANY ((const char *)-1)
/* For numbers: 0 is "do not look". */
struct want {
	const char *kind;
	const struct actor *by; /* process; null where pid and comm are too */
	pid_t pid;		/* instead of `by` */
	const char *comm;	/* instead of the actor's name */
	const char *via;	/* NULL: not looked at */
	/* class NULL: syscall is null; ANY and no call: not looked at */
	const char *class, *call, *error;
	const char *cause;		   /* NULL: not looked at */
	const char *role, *state, *reason; /* NULL: not looked at */
	const struct actor *other;	   /* other_end: NULL is null */
	pid_t other_pid;		   /* instead of `other` */
	bool any_other;			   /* other_end is not looked at */
	bool any_process;		   /* process is not looked at */
	int64_t unread, count;
};

/*
 * Waits for such an event and takes it, so that expect_nothing_else() does not
 * find it again. Returns its id. Fails the test, with all that was reported,
 * where it does not come in time.
 */
#define expect(w, ...)                                                         \
	expect_at(w, &(const struct want){__VA_ARGS__}, __FILE__, __LINE__)
int64_t expect_at(struct world *w, const struct want *want, const char *file,
		  int line);
/* One event, however it was come by, is as event.schema.json says. */
#define expect_schema(event) expect_schema_at(event, __FILE__, __LINE__)
void expect_schema_at(const json_t *event, const char *file, int line);
/* A test begins: what is there now is not its own. */
void expect_start(struct world *w);
/* A daemon for this test alone, which is stopped at its end. */
struct daemon *own_daemon(struct world *w, const char *const more[]);
/* The client of a connection that its peer aborted, both ends expected; the id
 * of its event in *id, which may be NULL. */
struct actor *one_reset(struct world *w, int64_t *id);
/* Forgets that an event was taken: it is about to be amended. */
void expect_again(int64_t id);
#define expect_nothing_else(w) expect_nothing_else_at(w, __FILE__, __LINE__)
void expect_nothing_else_at(struct world *w, const char *file, int line);
/*
 * The same where the server closes first: a FIN that a slow machine sends again
 * meets a socket that is gone. The RST that answers it is real (agree.c holds
 * it against OutRsts), and no failure of a connection.
 */
void expect_late_segments_at_most(struct world *w);
/* All events of this test so far, an array; json_decref() it. */
json_t *events_of(struct world *w);
/* The event of that id as it stands now; json_decref() it. */
json_t *event_now(struct world *w, int64_t id);

#endif
