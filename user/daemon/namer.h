/* SPDX-License-Identifier: Apache-2.0 */
/* The process that names the functions of stacks; see stacks.h. */
#ifndef RSTSCOPE_NAMER_H
#define RSTSCOPE_NAMER_H

#include <sys/types.h>

#include "user/attribute/stack.h"

/* One datagram each way: a struct rec_stack, then this. */
struct namer_answer {
	uint64_t failure;
	struct stack stack;
};

/* Starts it: its pid, the socket in *fd; or -errno. */
pid_t namer_start(const char *proc_root, int *fd);

#endif
