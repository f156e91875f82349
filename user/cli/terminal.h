/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole terminal for one command, by ncurses, and given back as it was
 * however the program ends: a signal asks the command to stop, a second one or
 * a crash restores the terminal and kills.
 */
#ifndef RSTSCOPE_TERMINAL_H
#define RSTSCOPE_TERMINAL_H

#include <signal.h>
#include <stdbool.h>

/* -ENOTTY: no terminal, or none that ncurses can drive. */
int terminal_open(bool colored);
void terminal_close(void);
/* Set by SIGINT, SIGTERM, SIGHUP and SIGQUIT. */
const volatile sig_atomic_t *terminal_stop(void);

#endif
