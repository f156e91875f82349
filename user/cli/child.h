/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command of `rstscope run`, as a good wrapper runs it: in our own process
 * group and with our streams, signals and ignored signals as they were given to
 * us; what is sent to us alone is passed on.
 */
#ifndef RSTSCOPE_CHILD_H
#define RSTSCOPE_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int signals; /* readable when child_attend() has to look */
	bool ended;
	int status; /* as a shell's: 128 + N where signal N ended it */
	sigset_t mask;
	struct sigaction sigchld;
};

/* From here on signals wait for child_attend(). 0 or -errno. */
int child_prepare(struct child *c);
/* 0, or the -errno of exec: c->status is then 127 or 126. */
int child_start(struct child *c, char **argv);
/* Passes signals on; notices the end. */
void child_attend(struct child *c);
void child_release(struct child *c);

#endif
