/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The stubs of the hooks. Each file of hooks is compiled twice: for programs
 * that hold typed pointers and load through them (tp_btf, fentry, fexit), and
 * with SOCK_PROBE_READ for those that hold bare addresses (raw_tp, kprobe,
 * kretprobe). The handlers are the same; RD() reads for both. The second
 * programs are called name_raw, name_kprobe and name_kretprobe.
 *
 * The kernel skips a program that runs already on that CPU (from 6.1,
 * 05b24ff9b2cf): one for a process that a softirq interrupts, in which the same
 * hook is met. Where a skipped run would lose a RST, a second program of the
 * same hook, called name_again, runs after the first, and runs the handler if
 * that has not noted the call (ran_note, ran_take): a flag while it runs would
 * not do, as it is skipped from its first instruction to after its last.
 */
#ifndef RSTSCOPE_STUB_H
#define RSTSCOPE_STUB_H

#include "bpf/sock.h"

/* One that is old was left behind, as the second program was skipped too. */
#define RAN_OLD_NS 1000000000ull
static __always_inline bool ran_is_free(const struct ran *slot, u64 now)
{
	return !slot->hook || now - slot->time_ns > RAN_OLD_NS;
}

/*
 * An interrupt between any two steps finds the slots that it may use, and
 * leaves them as they were.
 */
static __always_inline void ran_note(struct percpu *cpu, u64 hook,
				     const void *sk, const void *skb)
{
	u64 now = bpf_ktime_get_ns();
	u32 free = 0;

	while (free < RAN_SLOTS - 1 && !ran_is_free(&cpu->ran[free], now))
		free++;
	cpu->ran[free].time_ns = now;
	cpu->ran[free].hook = RAN_TAKEN;
	cpu->ran[free].sk = (u64)sk;
	cpu->ran[free].skb = (u64)skb;
	cpu->ran[free].hook = hook;
}

/* True, and forgets it: the first program has run for this call. */
static __always_inline bool ran_take(struct percpu *cpu, u64 hook,
				     const void *sk, const void *skb)
{
	for (u32 i = 0; i < RAN_SLOTS; i++) {
		struct ran *slot = &cpu->ran[i];

		if (slot->hook != hook || slot->sk != (u64)sk ||
		    slot->skb != (u64)skb)
			continue;
		slot->hook = 0;
		return true;
	}
	return false;
}

#ifdef SOCK_PROBE_READ

#define TRACEPOINT(name, tracepoint, args...)                                  \
	SEC("?raw_tp/" #tracepoint)                                            \
	int BPF_PROG(name##_raw, args)
#define ENTRY(name, function, args...)                                         \
	SEC("?kprobe/" #function)                                              \
	int BPF_KPROBE(name##_kprobe, args)

#else

#define TRACEPOINT(name, tracepoint, args...)                                  \
	SEC("?tp_btf/" #tracepoint)                                            \
	int BPF_PROG(name, args)
#define ENTRY(name, function, args...)                                         \
	SEC("?fentry/" #function)                                              \
	int BPF_PROG(name, args)

#endif
#endif
