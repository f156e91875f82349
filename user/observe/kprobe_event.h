/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes through tracefs' kprobe_events, for what perf_event_open() cannot say:
 *
 * - functions of modules, which may be loaded later, or be built in. The kernel
 *   arms an event whenever the module that it names comes
 *   (kernel/trace/trace_kprobe.c, trace_kprobe_module_callback), and it does
 *   not keep the module from being unloaded, as fentry would. So all that needs
 *   privileges is done at the start;
 * - kretprobes that follow many calls that wait at the same time, instead of
 *   two a CPU, or ten (Documentation/trace/kprobes.rst).
 */
#ifndef RSTSCOPE_KPROBE_EVENT_H
#define RSTSCOPE_KPROBE_EVENT_H

#include <stdbool.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* All zero: nothing is open yet. */
struct kprobe_events {
	int tracefs, events; /* descriptors, while `open` */
	bool open;
};

/* Calls that a kretprobe follows: the most that the kernel lets it
 * (kernel/trace/trace_kprobe.c, KRETPROBE_MAXACTIVE_MAX), 0.4 MB each. */
#define KPROBE_EVENT_CALLS 4096

/* Whether its section is "kprobe/MODULE:FUNCTION". */
bool kprobe_event_is_late(const struct bpf_program *program);
/* That, or a kretprobe. */
bool kprobe_event_serves(const struct bpf_program *program);

/*
 * The link, owned by the caller, who destroys it before kprobe_event_remove();
 * or NULL with errno: ENOENT also where the module is there without that
 * function.
 */
struct bpf_link *kprobe_event_attach(struct kprobe_events *k,
				     const struct btf *vmlinux,
				     const struct bpf_program *program);
/* Takes its event out of tracefs; needs no privilege. */
void kprobe_event_remove(struct kprobe_events *k,
			 const struct bpf_program *program);
void kprobe_events_close(struct kprobe_events *k);

#endif
