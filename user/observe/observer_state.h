/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the observer share; nobody else includes this. */
#ifndef RSTSCOPE_OBSERVER_STATE_H
#define RSTSCOPE_OBSERVER_STATE_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "rstscope.skel.h"
#include "user/observe/kernel_modules.h"
#include "user/observe/kprobe_event.h"
#include "user/observe/observe.h"
#include "user/observe/plan.h"

/* The choice made for one hook of the plan. */
struct choice {
	const struct plan_hook *hook;
	const struct plan_method *method; /* NULL: none serves it */
	uint32_t tried;			  /* bit i: hook->methods[i] */
	struct bpf_program *programs[PLAN_PROGRAMS];
	struct bpf_link *links[PLAN_PROGRAMS];
	bool few_calls; /* its kretprobes have the kernel's default maxactive */
	char why[200];	/* what was refused, or why there is none */
};

struct observer {
	struct observer_config config;
	struct rstscope *skel;
	struct rstscope *catalog; /* while choosing: never loaded */
	struct btf *btf;
	struct kernel_modules modules;
	struct kprobe_events kprobe_events;
	struct ring_buffer *ring;
	struct choice choices[PROBES_MAX];
	size_t choices_count;
	struct record_context ctx;
	int cpus;
	struct bpf_link *seed_link; /* kept: privileges are dropped later */
	uint64_t unbound;	    /* TALLY_UNBOUND when it last ran */
	bool strays_left;
	uint64_t stray_serial;
	uint64_t strays_seen; /* their tallies when they were last taken */
	record_fn fn;	      /* while draining */
	void *fn_ctx;
	size_t drained, most;
};

/* choose.c: picks by the plan, loads, attaches; 0 or -errno. */
int observer_choose_and_load(struct observer *o);
void observer_unload(struct observer *o);
/* 0, or -ENOTSUP with one line: a probe that is needed is not to be had. */
int observer_check_needed(const struct observer *o, char *err, size_t err_size);

/* Whether a kprobe serves that hook, or any. */
bool observer_by_kprobe(const struct choice *c);
bool observer_uses_kprobes(const struct observer *o);
/* Whether a method was found for that hook. */
bool observer_serves(const struct observer *o, const char *hook);
/* Another hook of this kernel shows what that one would, and more. */
bool observer_needs_no(const struct observer *o, const struct choice *c);

/*
 * trial.c: 0, or -errno where the kernel lets no program hang on that function,
 * a section such as "fentry/tcp_reset". What it lets may still be refused
 * later.
 */
int trial_function(const struct btf *btf, const char *section);

/* counters.c */
uint64_t observer_tally(const struct observer *o, uint32_t row);

#endif
