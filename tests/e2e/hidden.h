/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Some hosts run no BPF program while a process that they guard is running (a
 * sandbox's kernel: PID 1), and count none as skipped: what an interrupt brings
 * then is hidden from the probes. The trace events of tracefs are not subject
 * to it, and name who was interrupted.
 */
#ifndef E2E_HIDDEN_H
#define E2E_HIDDEN_H

#include <stdint.h>

/* Met while a thread of PID 1 was running, in any network namespace. */
struct hidden {
	int64_t attempts; /* SYN_SENT -> CLOSE */
	int64_t resets;	  /* RSTs sent */
};

/* From here on, until the test ends. Nothing where there is no tracefs. */
void hidden_watch(void);
struct hidden hidden_read(void);

#endif
