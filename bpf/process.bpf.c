// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Deaths that explain resets: of processes that listened, and of any that a
 * signal ended. sched_process_exit comes before the RSTs of the exit.
 */
#include "bpf/stub.h"
#include "bpf/task.h"
#include "bpf/compat.h"

#define SIGNAL_MASK 0x7f

TRACEPOINT(process_exit, sched_process_exit, struct task_struct *task)
{
	u32 tgid = RD(task->tgid);
	struct rec_exit *r;
	bool listened;

	if (!is_group_dead(task))
		return 0;
	listened = bpf_map_lookup_elem(&servers, &tgid) != NULL;
	if (!listened && !(RD(task->exit_code) & SIGNAL_MASK))
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

static __always_inline int on_victim(u64 *ctx)
{
	struct rec_exit *r;

	r = emit_reserve(REC_OOM, sizeof(*r));
	if (!r)
		return 0;
	if (victim_is_task())
		r->task.tgid = RD(((struct task_struct *)ctx[0])->tgid);
	else
		r->task.tgid = ctx[0];
	emit_submit(r);
	return 0;
}

#ifdef SOCK_PROBE_READ
SEC("?raw_tp/mark_victim")
int mark_victim_raw(u64 *ctx)
{
	return on_victim(ctx);
}
#else
SEC("?tp_btf/mark_victim")
int mark_victim(u64 *ctx)
{
	return on_victim(ctx);
}

/*
 * Who descends from the observer, also by way of a parent that is long gone. It
 * runs before the child does; a number that is given anew is another process.
 */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent,
	     struct task_struct *child)
{
	u32 from = parent->tgid, tgid = child->tgid;
	u8 one = 1;

	if (from == tgid)
		return 0; /* a thread */
	if (from != observer_pid && !bpf_map_lookup_elem(&family, &from)) {
		bpf_map_delete_elem(&family, &tgid);
		return 0;
	}
	if (bpf_map_update_elem(&family, &tgid, &one, BPF_ANY))
		tally(TALLY_FAMILY_FULL, 1);
	return 0;
}

/*
 * Never attached: the daemon runs it to see how fast jiffies advance, and which
 * number it has itself, whatever its pid namespace.
 */
SEC("?raw_tp/sched_process_exit")
int read_jiffies(void *ctx)
{
	observer_pid = bpf_get_current_pid_tgid() >> 32;
	return (u32)bpf_jiffies64() & 0x7fffffff;
}

#endif
