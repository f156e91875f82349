/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: each hook, and the programs that can serve it, best first. What is
 * chosen depends on what the running kernel's BTF holds and on what the load
 * itself accepts, never on a version number. Another method for a hook is
 * another row here and a stub in bpf/; the handlers stay.
 */
#ifndef RSTSCOPE_PLAN_H
#define RSTSCOPE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

struct btf;

enum plan_need {
	NEED_ALWAYS, /* without it the daemon does not start */
	NEED_WANTED, /* its absence is a blind spot */
};

enum plan_group {
	GROUP_CORE,
	GROUP_SYSCALLS,	 /* --syscalls off leaves these out */
	GROUP_NETFILTER, /* --netfilter off leaves these out */
	GROUP_SEED,	 /* loaded, run once, not attached */
	GROUP_TOOL,	 /* run by the daemon itself */
};

#define PLAN_METHODS 4

struct plan_method {
	const char *program; /* name of the BPF program */
	const char *method;  /* tp_btf, raw_tp, tp, iter ... */
	const char *needs;   /* type that BTF must hold, NULL: none */
	const char *canary;  /* program that the verifier must refuse, or this
			      * one  is not safe here; NULL: none */
};

struct plan_hook {
	const char *hook;
	enum plan_need need;
	enum plan_group group;
	struct plan_method
		methods[PLAN_METHODS]; /* up to one with no program */
	const char *blind;	       /* what is not seen without it */
};

extern const struct plan_hook plan_hooks[];
extern const size_t plan_hooks_count;

/* Whether the kernel's BTF has what the method needs. */
bool plan_method_possible(const struct plan_method *method,
			  const struct btf *btf);

#endif
