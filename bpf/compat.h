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
 * sched_process_exit passes group_dead from 6.18; the live count of the thread
 * group says the same everywhere: do_exit() has decremented it before.
 */
static __always_inline bool is_group_dead(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, live.counter) == 0;
}

#endif
