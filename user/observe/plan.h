/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: each hook, and the programs that can serve it. What is chosen
 * depends on what the running kernel's BTF holds and on what load and attach
 * themselves accept, never on a version number. Another method for a hook is
 * another row here and a stub in bpf/; the handlers stay.
 */
#ifndef RSTSCOPE_PLAN_H
#define RSTSCOPE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>

enum plan_need {
	NEED_ALWAYS, /* without it the daemon does not start */
	NEED_WANTED, /* its absence is a blind spot */
	NEED_EXTRA,  /* so is this one's, but it is nothing to warn of */
};

enum plan_group {
	GROUP_CORE,
	GROUP_SYSCALLS,	 /* --syscalls off leaves these out */
	GROUP_NETFILTER, /* --netfilter off leaves these out */
	GROUP_PACKET,	 /* --packet on asks for it, where tcp_reset fails */
	GROUP_SEED,	 /* loaded, run once, not attached */
	GROUP_TOOL,	 /* run by the daemon itself, whatever --methods says */
	GROUP_FAMILY,	 /* only where descendants are followed */
};

/* Best first. fexit counts as fentry, kretprobe as kprobe. */
#define PLAN_METHODS_ALL "tp_btf,fentry,raw_tp,kprobe,iter"
#define PLAN_METHODS	 5
#define PLAN_PROGRAMS	 6

struct plan_method {
	const char *method;
	/* What the first one hangs on must be there; the others are taken along
	 * where theirs is. */
	const char *programs[PLAN_PROGRAMS];
	uint32_t args; /* its function has so many at least; 0: any number */
	const char *canary; /* program that the verifier must refuse, or this
			     * method is not safe here; NULL: none */
	bool again; /* the second program runs where the first is skipped */
};

struct plan_hook {
	const char *hook;
	enum plan_need need;
	enum plan_group group;
	struct plan_method
		methods[PLAN_METHODS]; /* up to one with no program */
	const char *blind;	       /* what is not seen without it */
	const char *needs;  /* enum: kernels without it cannot serve the hook */
	const char *unless; /* enum: kernels that have it need no such hook */
};

extern const struct plan_hook plan_hooks[];
extern const size_t plan_hooks_count;

/* 0, or -EINVAL with one line: a name in the list that is no method. */
int plan_check_methods(const char *list, char *err, size_t err_size);

/*
 * The method that comes first in the list, not in `tried` (bit i: methods[i]),
 * and that possible() allows; NULL: none.
 */
typedef bool (*plan_possible_fn)(const struct plan_method *method, void *ctx);
const struct plan_method *plan_next(const struct plan_hook *hook,
				    const char *list, uint32_t tried,
				    plan_possible_fn possible, void *ctx);

/* Whether BTF has something of that kind and name. */
typedef bool (*plan_has_fn)(const char *name, uint32_t kind, void *ctx);
/* Whether the kernel has what a program of that section hangs on. */
bool plan_section_possible(const char *section, plan_has_fn has, void *ctx);

#endif
