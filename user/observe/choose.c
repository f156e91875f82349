// SPDX-License-Identifier: Apache-2.0
/*
 * Loading follows the plan: programs whose type the kernel's BTF lacks are left
 * out; if the rest does not load as a whole, each program is tried by itself,
 * and what the verifier refuses gives way to the next method, or is named.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/observe/observer_state.h"

/* 6,000 resets. It is mapped twice: 16 MiB of RSS. */
#define RING_BYTES (8u << 20)

/* --- choosing ------------------------------------------------------------- */

static bool group_wanted(const struct observer *o, enum plan_group group)
{
	switch (group) {
	case GROUP_SYSCALLS:
		return o->config.syscalls;
	case GROUP_NETFILTER:
		return o->config.netfilter;
	default:
		return true;
	}
}

static struct rstscope *open_skeleton(struct observer *o,
				      const struct choice *only);

/*
 * A verifier that takes the canary believes pointers that this method reads
 * directly to be never NULL: the method is not safe on this kernel.
 */
static bool canary_refused(struct observer *o, const struct plan_method *m)
{
	static const struct choice none;
	struct rstscope *skel;
	int err;

	if (!m->canary)
		return true;
	skel = open_skeleton(o, &none);
	if (!skel)
		return false;
	bpf_program__set_autoload(
		bpf_object__find_program_by_name(skel->obj, m->canary), true);
	err = rstscope__load(skel);
	rstscope__destroy(skel);
	return err != 0;
}

/* The best method after the present one that BTF allows, or none. */
static void next_method(struct observer *o, struct choice *c)
{
	const struct plan_method *m = c->method;

	m = m ? m + 1 : c->hook->methods;
	c->method = NULL;
	for (; m < c->hook->methods + PLAN_METHODS && m->program; m++) {
		if (plan_method_possible(m, o->btf) && canary_refused(o, m)) {
			c->method = m;
			return;
		}
	}
}

static void choose(struct observer *o, struct choice *c,
		   const struct plan_hook *hook)
{
	c->hook = hook;
	if (!group_wanted(o, hook->group)) {
		snprintf(c->why, sizeof(c->why), "switched off");
		return;
	}
	if (hook->group == GROUP_NETFILTER && o->drop_reason < 0) {
		snprintf(c->why, sizeof(c->why),
			 "this kernel does not say why it drops a segment");
		return;
	}
	next_method(o, c);
	if (!c->method)
		snprintf(c->why, sizeof(c->why), "this kernel has no %s",
			 hook->hook);
}

static void choose_all(struct observer *o)
{
	for (size_t i = 0; i < plan_hooks_count && i < PROBES_MAX; i++)
		choose(o, &o->choices[o->choices_count++], &plan_hooks[i]);
}

/* --- loading -------------------------------------------------------------- */

/* One entry for each 64 KiB of memory: 128 B each, so 0.2 % of it at most. */
static uint32_t connections_default(void)
{
	int64_t bytes =
		(int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	int64_t n = bytes / 65536;

	return n < 16384 ? 16384 : n > 1048576 ? 1048576 : (uint32_t)n;
}

static void configure(struct observer *o, struct rstscope *skel)
{
	uint32_t n = o->config.connections;

	skel->rodata->set_separate_netns = o->config.separate_netns;
	skel->rodata->set_drop_reason = o->drop_reason < 0 ? 0 : o->drop_reason;
	bpf_map__set_max_entries(skel->maps.conns,
				 n ? n : connections_default());
	bpf_map__set_max_entries(skel->maps.ring, o->config.ring_bytes
							  ? o->config.ring_bytes
							  : RING_BYTES);
}

static struct bpf_program *find_program(struct rstscope *skel, const char *name)
{
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* Opens the object with only those programs enabled that `only` allows. */
static struct rstscope *open_skeleton(struct observer *o,
				      const struct choice *only)
{
	struct rstscope *skel = rstscope__open();

	if (!skel)
		return NULL;
	configure(o, skel);
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];

		if (!c->method || (only && only != c))
			continue;
		bpf_program__set_autoload(
			find_program(skel, c->method->program), true);
	}
	return skel;
}

static int load_alone(struct observer *o, const struct choice *c)
{
	struct rstscope *skel = open_skeleton(o, c);
	int err = skel ? rstscope__load(skel) : -ENOMEM;

	rstscope__destroy(skel);
	return err;
}

/* Tries each chosen program alone; one that is refused gives way to the next.
 */
static void drop_refused(struct observer *o)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];
		int err;

		while (c->method && (err = load_alone(o, c))) {
			snprintf(c->why, sizeof(c->why),
				 "%s is refused: %.150s", c->method->method,
				 strerror(-err));
			next_method(o, c);
		}
	}
}

int observer_choose_and_load(struct observer *o)
{
	int err;

	choose_all(o);
	o->skel = open_skeleton(o, NULL);
	if (!o->skel)
		return -errno;
	err = rstscope__load(o->skel);
	if (!err)
		return 0;
	rstscope__destroy(o->skel);
	o->skel = NULL;
	if (err == -EPERM && geteuid() != 0)
		return err;
	drop_refused(o);
	o->skel = open_skeleton(o, NULL);
	return o->skel ? rstscope__load(o->skel) : -ENOMEM;
}

/* --- attaching ------------------------------------------------------------ */

static bool is_attached_kind(const struct plan_hook *hook)
{
	return hook->group != GROUP_TOOL && hook->group != GROUP_SEED;
}

static void attach(struct observer *o, struct choice *c)
{
	int err;

	if (!c->method)
		return;
	c->program = find_program(o->skel, c->method->program);
	if (!is_attached_kind(c->hook))
		return;
	c->link = bpf_program__attach(c->program);
	if (c->link)
		return;
	err = errno;
	snprintf(c->why, sizeof(c->why), "attach failed: %.170s",
		 strerror(err));
	c->method = NULL;
}

int observer_attach(struct observer *o, char *err, size_t err_size)
{
	for (size_t i = 0; i < o->choices_count; i++)
		attach(o, &o->choices[i]);
	for (size_t i = 0; i < o->choices_count; i++) {
		const struct choice *c = &o->choices[i];

		if (c->method || c->hook->need != NEED_ALWAYS)
			continue;
		snprintf(err, err_size,
			 "the kernel does not give the probe %s (%s); rstscope "
			 "needs 5.15 or newer with BTF and BPF tracing allowed",
			 c->hook->hook, c->why);
		return -ENOTSUP;
	}
	return 0;
}
