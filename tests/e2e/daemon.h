/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon under test, and the command line that reads its store.
 */
#ifndef E2E_DAEMON_H
#define E2E_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon;

/* build/NAME, or RSTSCOPE_BUILD/NAME: a static buffer per call in rotation. */
const char *program_path(const char *name);

/*
 * Starts it on a store of its own and waits until it says READY to
 * NOTIFY_SOCKET. `more` are further arguments, NULL-terminated, or NULL. NULL
 * with its log printed where it ends before that or does not get ready.
 */
struct daemon *daemon_start(const char *const more[]);
/* The same on the store of another, which has ended. */
struct daemon *daemon_start_on(const char *dir, const char *const more[]);
/* SIGTERM; its exit status (128 + signal). */
int daemon_stop(struct daemon *d);
void daemon_kill(struct daemon *d);
/* Ends it where it runs, and removes its directory. */
void daemon_free(struct daemon *d);
pid_t daemon_pid(const struct daemon *d);
const char *daemon_dir(const struct daemon *d);
const char *daemon_store(const struct daemon *d); /* sqlite:PATH */
/* For scrape(), unless `more` has a --listen of its own. */
const char *daemon_listen(const struct daemon *d);
void daemon_print_log(const struct daemon *d);

/* Events with an id above `after`, an array; NULL: ls failed. */
json_t *daemon_events(const struct daemon *d, int64_t after);
int64_t daemon_last_id(const struct daemon *d);

/* Whether that hook is served, by the word of `rstscope doctor`. */
bool daemon_probe_up(const struct daemon *d, const char *hook);

/*
 * Runs a program to its end: its exit status (128 + signal, 124: stopped after
 * limit_ms); what it printed on stdout and stderr, malloc'd, where asked for.
 */
int run_program(const char *const argv[], int limit_ms, char **out, char **err);

#endif
