/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "user/daemon/oom.h"

void oom_note(struct oom_victims *v, int64_t pid)
{
	v->pid[v->next++ % OOM_VICTIMS] = pid;
}

static bool was_victim(const struct oom_victims *v, int64_t pid)
{
	for (size_t i = 0; i < OOM_VICTIMS; i++) {
		if (v->pid[i] == pid && pid > 0)
			return true;
	}
	return false;
}

void oom_mark(const struct oom_victims *v, struct fact_task *task)
{
	/* a pid that was given anew ends in another way */
	if (task->exit_signal == SIGKILL && was_victim(v, task->pid))
		task->oom_killed = true;
}
