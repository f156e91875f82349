/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that the OOM killer chose last. */
#ifndef RSTSCOPE_OOM_H
#define RSTSCOPE_OOM_H

#include <stddef.h>

#include "user/observe/facts.h"

#define OOM_VICTIMS 16

struct oom_victims {
	int64_t pid[OOM_VICTIMS]; /* a ring */
	size_t next;
};

void oom_note(struct oom_victims *v, int64_t pid);
/* Says so of a task that was killed. */
void oom_mark(const struct oom_victims *v, struct fact_task *task);

#endif
