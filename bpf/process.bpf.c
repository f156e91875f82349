// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Deaths that explain resets: of processes that listened, and of any that a
 * signal ended. sched_process_exit comes before the RSTs of the exit.
 */
#include "bpf/task.h"
#include "bpf/compat.h"

#define SIGNAL_MASK 0x7f

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	u32 tgid = task->tgid;
	struct rec_exit *r;
	bool listened;

	if (!is_group_dead(task))
		return 0;
	listened = bpf_map_lookup_elem(&servers, &tgid) != NULL;
	if (!listened && !(task->exit_code & SIGNAL_MASK))
		return 0;
	if (listened)
		bpf_map_delete_elem(&servers, &tgid);
	r = emit_reserve(REC_EXIT, sizeof(*r));
	if (!r)
		return 0;
	r->listened = listened;
	task_current(&r->task, HOW_CURRENT);
	emit_submit(r);
	return 0;
}

static __always_inline void oom_victim(u32 tgid)
{
	struct rec_exit *r;

	r = emit_reserve(REC_OOM, sizeof(*r));
	if (!r)
		return;
	r->task.tgid = tgid;
	emit_submit(r);
}

/* The first argument is the task on newer kernels, a pid on older ones, where
 * the verifier refuses this program and the classic record serves. */
SEC("?tp_btf/mark_victim")
int BPF_PROG(mark_victim_task, struct task_struct *task)
{
	oom_victim(task->tgid);
	return 0;
}

struct mark_victim_args {
	u64 common;
	int pid;
};

SEC("?tp/oom/mark_victim")
int mark_victim(struct mark_victim_args *ctx)
{
	oom_victim(ctx->pid);
	return 0;
}

/* Never attached: the daemon runs it to see how fast jiffies advance. */
SEC("?raw_tp/sched_process_exit")
int read_jiffies(void *ctx)
{
	return (u32)bpf_jiffies64() & 0x7fffffff;
}
