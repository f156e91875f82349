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
 * same hook, called name_again, runs the handler if it meets the first running.
 */
#ifndef RSTSCOPE_STUB_H
#define RSTSCOPE_STUB_H

#include "bpf/sock.h"

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
