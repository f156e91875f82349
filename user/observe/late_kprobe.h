/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kprobes on functions of modules, which may be loaded later, or be built in.
 * An event of tracefs' kprobe_events may name a function of a module that is
 * not there: the kernel arms it whenever the module comes
 * (kernel/trace/trace_kprobe.c, trace_kprobe_module_callback), and it does not
 * keep the module from being unloaded, as fentry would. So all that needs
 * privileges is done at the start.
 */
#ifndef RSTSCOPE_LATE_KPROBE_H
#define RSTSCOPE_LATE_KPROBE_H

#include <stdbool.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* All zero: nothing is open yet. */
struct late_kprobes {
	int tracefs, events; /* descriptors, while `open` */
	bool open;
};

/* Whether its section is "kprobe/MODULE:FUNCTION". */
bool late_kprobe_is(const struct bpf_program *program);

/*
 * The link, owned by the caller, who destroys it before late_kprobe_remove();
 * or NULL with errno: ENOENT also where the module is there without that
 * function.
 */
struct bpf_link *late_kprobe_attach(struct late_kprobes *k,
				    const struct btf *vmlinux,
				    const struct bpf_program *program);
/* Takes its event out of tracefs; needs no privilege. */
void late_kprobe_remove(struct late_kprobes *k,
			const struct bpf_program *program);
void late_kprobes_close(struct late_kprobes *k);

#endif
