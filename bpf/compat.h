/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every difference between kernels that the programs must know, and nothing
 * else: flavours (struct x___old), accessors, and why.
 */
#ifndef RSTSCOPE_COMPAT_H
#define RSTSCOPE_COMPAT_H

#include "bpf/kernel.h"

/* The kernel reads BTF of the running kernel for these; absent ones are 0. */
enum sk_rst_reason {
	SK_RST_REASON_NOT_SPECIFIED_LOCAL,
};

enum sk_rst_reason___new {
	SK_RST_REASON_TCP_ABORT_ON_DATA___new = 8,
	SK_RST_REASON_NO_SOCKET___new = 1,
};

/*
 * tcp_send_reset has a third argument, the reason, from 6.10 (b533fb9cf4f7);
 * reading it before fails at load or attach. The existence of the enum tells.
 */
static __always_inline bool has_reset_reason(void)
{
	return bpf_core_type_exists(enum sk_rst_reason);
}

/* The reply to data after our close, by this kernel's own number. */
static __always_inline bool is_abort_on_data(bool reason_known, u32 reason,
					     bool has_skb)
{
	if (reason_known)
		return reason == bpf_core_enum_value(
					 enum sk_rst_reason___new,
					 SK_RST_REASON_TCP_ABORT_ON_DATA___new);
	return has_skb;
}

/*
 * The flags byte of a segment on its way through tcp_rcv_established(): one in
 * 6.12, the low one of two in 6.18 (both architectures are little endian).
 */
#define SKB_TCP_FLAGS(skb)                                                     \
	RD(*((u8 *)(skb) + bpf_core_field_offset((skb)->cb) +                  \
	     bpf_core_field_offset(struct tcp_skb_cb, tcp_flags)))

/*
 * Its sequence number, in host order: filled in (tcp_v4_fill_cb) where a
 * segment of no socket has passed the IPsec policy and will be answered. The
 * drop reason is the same for those that the policy stops.
 */
#define SKB_TCP_SEQ(skb)                                                       \
	RD(*(u32 *)((u8 *)(skb) + bpf_core_field_offset((skb)->cb) +           \
		    bpf_core_field_offset(struct tcp_skb_cb, seq)))

/*
 * inet_csk_accept(sk, flags, err, kern) until 6.9; (sk, struct proto_accept_arg
 * *) from 6.10 (92ef0fd55ac8). What it returns comes after them.
 */
struct proto_accept_arg {
	int flags;
} __attribute__((preserve_access_index));

/*
 * Each branch loads by itself: from an address that was chosen the verifier
 * lets nothing be read of a context ("dereference of modified ctx ptr").
 */
static __always_inline struct sock *accepted_sock(u64 *ctx)
{
	struct sock *sk;

	if (bpf_core_type_exists(struct proto_accept_arg))
		asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(sk) : "r"(ctx));
	else
		asm volatile("%0 = *(u64 *)(%1 + 32)" : "=r"(sk) : "r"(ctx));
	return sk;
}

/*
 * mark_victim passes the task from 6.9 (72ba14deb40a) and its pid before. The
 * record that it writes, which grew with it, tells.
 */
struct trace_event_raw_mark_victim {
	unsigned int uid;
} __attribute__((preserve_access_index));

static __always_inline bool victim_is_task(void)
{
	return bpf_core_field_exists(struct trace_event_raw_mark_victim, uid);
}

/*
 * sched_process_exit passes group_dead from 6.18; the live count of the thread
 * group says the same everywhere: do_exit() has decremented it before.
 */
static __always_inline bool is_group_dead(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, live.counter) == 0;
}

/* MPTCP: 5.6, where it is configured. */
#define IS_MPTCP(tp)                                                           \
	(bpf_core_field_exists((tp)->is_mptcp) && RD((tp)->is_mptcp))

/*
 * The current task: a typed pointer from 5.11 (bpf_get_current_task_btf), and
 * an address before. TASK reads either.
 */
#define HAS_HELPER(id) bpf_core_enum_value_exists(enum bpf_func_id, id)
#define HAS_TASK_BTF   HAS_HELPER(BPF_FUNC_get_current_task_btf)
#define TASK(task, field)                                                      \
	(HAS_TASK_BTF ? (task)->field : BPF_CORE_READ(task, field))

static __always_inline struct task_struct *current_task(void)
{
	if (HAS_TASK_BTF)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/*
 * What the task was doing when it entered the kernel: bpf_task_pt_regs is from
 * 5.15; before, the registers are where it looks for them, at the top of the
 * stack, whose size is 16 KiB with pages of 4 KiB. REGS reads either. Where the
 * stack is larger, REGS_ARE_USERS does not hold and the call is not known.
 */
#define HAS_TASK_REGS HAS_HELPER(BPF_FUNC_task_pt_regs)
#define STACK_BYTES   16384
#define REGS(regs, field)                                                      \
	(HAS_TASK_REGS ? (regs)->field : BPF_CORE_READ(regs, field))

static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	if (HAS_TASK_REGS)
		return (struct pt_regs *)bpf_task_pt_regs(task);
	return (struct pt_regs *)(TASK(task, stack) + STACK_BYTES -
				  bpf_core_type_size(struct pt_regs));
}

#if defined(__TARGET_ARCH_x86)
#define REGS_NR(regs)	     ((s32)REGS(regs, orig_ax))
#define REGS_ARG2(regs)	     REGS(regs, si)
#define REGS_COMPAT(regs)    (REGS(regs, cs) == 0x23)	 /* __USER32_CS */
#define REGS_ARE_USERS(regs) ((REGS(regs, cs) & 3) == 3) /* ring 3 */
#else
#define REGS_NR(regs)	     REGS(regs, syscallno)
#define REGS_ARG2(regs)	     REGS(regs, regs[1])
#define REGS_COMPAT(regs)    0
#define REGS_ARE_USERS(regs) (!(REGS(regs, pstate) & 15)) /* EL0 */
#endif

#endif
