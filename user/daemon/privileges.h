/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon may do. It needs CAP_BPF and CAP_PERFMON to load its probes,
 * CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH to see whose sockets failed; once all
 * is loaded it gives up the rest.
 */
#ifndef RSTSCOPE_PRIVILEGES_H
#define RSTSCOPE_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a process has; privileges_check() reads its own. */
struct privileges {
	uint64_t effective; /* bit CAP_x: has it */
	bool host_user_namespace;
};

/*
 * 0: all there. 1: it can run, with a warning in err about what it will not
 * see. -EPERM: it cannot, one line in err says what is missing and how to get
 * it.
 */
int privileges_check(char *err, size_t err_size);
int privileges_judge(const struct privileges *p, char *err, size_t err_size);

/*
 * Gives up, for ever, what is not needed once the probes are loaded and the
 * store and the listening socket are open: no new privileges, and of the
 * capabilities only those for reading /proc and the counters stay. Call it
 * before the first thread starts: capabilities belong to a thread.
 *
 * `dir` is where the store's files are created later (SQLite's journal): if
 * its permissions would then forbid that, CAP_DAC_OVERRIDE stays as well.
 * NULL: nothing is written. 0 or -errno with one line in err.
 */
int privileges_drop(const char *dir, char *err, size_t err_size);

#endif
