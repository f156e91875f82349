/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where in its program the current task is (--stacks on): only for hooks in
 * which current itself acts on the socket. A call that is told or aborts takes
 * its stack then; connect() is told in a softirq, so that its stack is kept
 * from its start.
 */
#ifndef RSTSCOPE_STACK_H
#define RSTSCOPE_STACK_H

#include "bpf/compat.h"
#include "bpf/emit.h"

/* A storm shall not fill the ring with stacks: the most in a second and CPU. */
#define STACK_WINDOW_NS 1000000000ull
#define STACK_PER_CPU	100

/* Libraries lie below mmap_base, and no further away than this. */
#define STACK_MAPPED_BYTES (1ull << 40)

/*
 * The words on top of the stack that may be addresses of code, and no other
 * ones: what lies on a stack is the program's business.
 */
static __always_inline void stack_top(struct rec_stack *r,
				      struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	struct pt_regs *regs = task_regs(task);
	struct mm_struct *mm = task->mm;
	u64 code, code_end, mapped, word;

	if (!regs || !mm || REGS_COMPAT(regs))
		return;
	code = mm->start_code;
	code_end = mm->end_code;
	mapped = mm->mmap_base;
	bpf_probe_read_user(r->top, sizeof(r->top), (void *)REGS(regs, sp));
#pragma unroll
	for (int i = 0; i < REC_TOP; i++) {
		word = r->top[i];
		if (word - code < code_end - code ||
		    mapped - word < STACK_MAPPED_BYTES)
			continue;
		r->top[i] = 0;
	}
#endif
}

static __always_inline void stack_fill(struct rec_stack *r)
{
	struct task_struct *task = current_task();
	long bytes;

	r->tgid = bpf_get_current_pid_tgid() >> 32;
	r->start_ns = task->group_leader->start_boottime;
	bytes = bpf_get_task_stack(task, r->frame, sizeof(r->frame),
				   BPF_F_USER_STACK);
	r->depth = bytes > 0 ? bytes / sizeof(r->frame[0]) : 0;
	stack_top(r, task);
}

/*
 * A task that exits has no memory left, a kernel thread never had any. The
 * helper that reads stacks takes a typed task: from 5.11.
 */
static __always_inline bool stack_exists(void)
{
	if (!set_stacks || !HAS_TASK_BTF)
		return false;
	return !(TASK(current_task(), flags) &
		 (PF_KTHREAD | PF_EXITING | PF_IO_WORKER));
}

static __always_inline struct rec_stack *stack_reserve(u64 failure)
{
	struct percpu *cpu = this_cpu();
	u64 now = bpf_ktime_get_ns();
	struct rec_stack *r;

	if (!cpu)
		return NULL;
	if (now - cpu->stack_window_ns > STACK_WINDOW_NS) {
		cpu->stack_window_ns = now;
		cpu->stacks = 0;
	}
	if (cpu->stacks >= STACK_PER_CPU) {
		emit_folded(REC_STACK);
		return NULL;
	}
	r = emit_reserve(REC_STACK, sizeof(*r));
	if (!r)
		return NULL;
	cpu->stacks++;
	r->head.failure = failure;
	return r;
}

/* The stack of current, which was told of `failure` or made it. */
static __always_inline void stack_take(u64 failure)
{
	struct rec_stack *r;

	if (!stack_exists())
		return;
	r = stack_reserve(failure);
	if (!r)
		return;
	stack_fill(r);
	emit_submit(r);
}

static __always_inline struct connect_stack *stack_slot(const void *sk)
{
	struct percpu *cpu = this_cpu();
	u32 slot;

	if (!cpu)
		return NULL;
	/* the verifier allows no arithmetic on a pointer it knows */
	cpu->stack_sk = (u64)sk;
	slot = (u32)(*(volatile u64 *)&cpu->stack_sk >> 6) * 0x9e3779b1u;
	slot >>= 32 - CONNECT_STACK_BITS;
	return bpf_map_lookup_elem(&connect_stacks, &slot);
}

/* connect() begins, in its caller. */
static __always_inline void stack_keep_connect(const void *sk)
{
	struct connect_stack *slot;

	if (!stack_exists())
		return;
	slot = stack_slot(sk);
	if (!slot)
		return;
	slot->sk = (u64)sk;
	__builtin_memset(slot->stack.frame, 0, sizeof(slot->stack.frame));
	stack_fill(&slot->stack);
}

/* The connection attempt failed: the stack of its connect(). */
static __always_inline void stack_take_connect(const void *sk, u64 failure)
{
	struct connect_stack *slot;
	struct rec_stack *r;

	if (!set_stacks)
		return;
	slot = stack_slot(sk);
	if (!slot || slot->sk != (u64)sk)
		return;
	r = stack_reserve(failure);
	if (!r)
		return;
	r->tgid = slot->stack.tgid;
	r->depth = slot->stack.depth;
	r->start_ns = slot->stack.start_ns;
	__builtin_memcpy(r->frame, slot->stack.frame, sizeof(r->frame));
	__builtin_memcpy(r->top, slot->stack.top, sizeof(r->top));
	emit_submit(r);
}

#endif
