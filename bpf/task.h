/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The current task as a struct rec_task. Call only where current acts on the
 * socket (sk_lock.owned, or a hook that runs in the caller): in a softirq it
 * is whoever was interrupted (kernel.md, finding 3).
 */
#ifndef RSTSCOPE_TASK_H
#define RSTSCOPE_TASK_H

#include "bpf/compat.h"
#include "bpf/emit.h"

static __always_inline void task_syscall(struct task_struct *task,
					 struct rec_task *out)
{
	u32 flags = TASK(task, flags);
	struct pt_regs *regs;

	if (flags & PF_KTHREAD)
		return;
	if (flags & PF_IO_WORKER) {
		out->flags |= TASK_IO_WORKER;
		return;
	}
	regs = task_regs(task);
	if (!regs || !REGS_ARE_USERS(regs))
		return;
	out->nr = REGS_NR(regs);
	if (REGS_COMPAT(regs))
		out->flags |= TASK_COMPAT;
	out->flags |= TASK_NR;
}

static __always_inline bool is_kernel_thread(void)
{
	struct task_struct *task = current_task();

	return TASK(task, flags) & PF_KTHREAD;
}

static __always_inline void task_current(struct rec_task *out, u8 how)
{
	struct task_struct *task = current_task();
	struct task_struct *leader = TASK(task, group_leader);
	u64 id = bpf_get_current_pid_tgid();

	out->tgid = id >> 32;
	out->tid = id;
	out->uid = bpf_get_current_uid_gid();
	out->start_ns = TASK(leader, start_boottime);
	out->cgroup = bpf_get_current_cgroup_id();
	out->how = how;
	/* the process's name, not that of a thread or io_uring worker */
	bpf_probe_read_kernel(out->comm, sizeof(out->comm), &leader->comm);
	if (TASK(task, flags) & PF_EXITING) {
		out->flags |= TASK_EXITING;
		out->exit_code = TASK(task, exit_code);
	}
	task_syscall(task, out);
}

#endif
