/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The current task as a struct rec_task. Call only where current acts on the
 * socket (sk_lock.owned, or a hook that runs in the caller): in a softirq it
 * is whoever was interrupted (kernel.md, finding 3).
 */
#ifndef RSTSCOPE_TASK_H
#define RSTSCOPE_TASK_H

#include "bpf/emit.h"

static __always_inline void task_syscall(struct task_struct *task,
					 struct rec_task *out)
{
	struct pt_regs *regs;

	if (task->flags & (PF_KTHREAD))
		return;
	if (task->flags & PF_IO_WORKER) {
		out->flags |= TASK_IO_WORKER;
		return;
	}
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (!regs)
		return;
#if defined(__TARGET_ARCH_x86)
	out->nr = regs->orig_ax;
	if (regs->cs == 0x23) /* __USER32_CS: another table */
		out->flags |= TASK_COMPAT;
#else
	out->nr = regs->syscallno;
#endif
	out->flags |= TASK_NR;
}

static __always_inline void task_current(struct rec_task *out, u8 how)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 id = bpf_get_current_pid_tgid();

	out->tgid = id >> 32;
	out->tid = id;
	out->uid = bpf_get_current_uid_gid();
	out->start_ns = task->group_leader->start_boottime;
	out->cgroup = bpf_get_current_cgroup_id();
	out->how = how;
	/* the process's name, not that of a thread or io_uring worker */
	bpf_probe_read_kernel(out->comm, sizeof(out->comm),
			      &task->group_leader->comm);
	if (task->flags & PF_EXITING) {
		out->flags |= TASK_EXITING;
		out->exit_code = task->exit_code;
	}
	task_syscall(task, out);
}

#endif
