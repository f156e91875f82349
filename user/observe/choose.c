// SPDX-License-Identifier: Apache-2.0
/*
 * Loading follows the plan: methods for which the kernel's BTF has nothing are
 * left out. If the rest does not load as a whole, each hook is tried by itself;
 * what load or attach refuses gives way to the next method, or is named.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/observe/kernel_names.h"
#include "user/observe/observer_state.h"

/* 6,000 resets. It is mapped twice: 16 MiB of RSS. */
#define RING_BYTES     (8u << 20)
#define CONNECT_STACKS (1u << 12) /* CONNECT_STACK_BITS of bpf/maps.h */

/* --- opening -------------------------------------------------------------- */

/* One entry for each 64 KiB of memory: 128 B each, so 0.2 % of it at most. */
static uint32_t connections_default(void)
{
	int64_t bytes =
		(int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	int64_t n = bytes / 65536;

	return n < 16384 ? 16384 : n > 1048576 ? 1048576 : (uint32_t)n;
}

/* 0: this kernel has none of that name. */
static uint32_t drop_reason(const struct observer *o, const char *name)
{
	char full[64];
	int value;

	snprintf(full, sizeof(full), "SKB_DROP_REASON_%s", name);
	value = kernel_enum_value(o->btf, "skb_drop_reason", full);
	return value < 0 ? 0 : (uint32_t)value;
}

static void configure(struct observer *o, struct rstscope *skel)
{
	skel->rodata->set_separate_netns = o->config.separate_netns;
	skel->rodata->set_stacks = o->config.stacks;
	skel->rodata->set_drop_netfilter = drop_reason(o, "NETFILTER_DROP");
	skel->rodata->set_drop_sequence =
		drop_reason(o, "TCP_INVALID_SEQUENCE");
	skel->rodata->set_drop_end = drop_reason(o, "TCP_INVALID_END_SEQUENCE");
	skel->rodata->set_drop_reset = drop_reason(o, "TCP_RESET");
	skel->rodata->set_drop_no_socket = drop_reason(o, "NO_SOCKET");
	bpf_map__set_autocreate(skel->maps.family, o->config.family);
}

bool observer_by_kprobe(const struct choice *c)
{
	return c->method && !strcmp(c->method->method, "kprobe");
}

bool observer_uses_kprobes(const struct observer *o)
{
	for (size_t i = 0; i < o->choices_count; i++)
		if (observer_by_kprobe(&o->choices[i]))
			return true;
	return false;
}

/* What serves one hook decides what the program of another has to do. */
static void configure_choices(const struct observer *o, struct rstscope *skel)
{
	for (size_t i = 0; i < o->choices_count; i++)
		if (!strcmp(o->choices[i].hook->hook, "tcp_v4_send_reset"))
			skel->rodata->set_answers_by_kprobe =
				observer_by_kprobe(&o->choices[i]);
}

static void size_maps(struct observer *o, struct rstscope *skel)
{
	uint32_t n = o->config.connections;

	/* only pairs of kprobe and kretprobe pass something on */
	bpf_map__set_autocreate(skel->maps.calls, observer_uses_kprobes(o));
	bpf_map__set_max_entries(skel->maps.conns,
				 n ? n : connections_default());
	if (o->config.stacks)
		bpf_map__set_max_entries(skel->maps.connect_stacks,
					 CONNECT_STACKS);
	bpf_map__set_max_entries(skel->maps.ring, o->config.ring_bytes
							  ? o->config.ring_bytes
							  : RING_BYTES);
}

/* For a trial: what is not run needs no room. */
static void shrink_maps(struct rstscope *skel)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, skel->obj)
	{
		if (!bpf_map__is_internal(map))
			bpf_map__set_max_entries(map, 1);
	}
	bpf_map__set_max_entries(skel->maps.ring,
				 (uint32_t)sysconf(_SC_PAGESIZE));
}

static struct bpf_program *find_program(struct rstscope *skel, const char *name)
{
	return bpf_object__find_program_by_name(skel->obj, name);
}

static bool btf_has(const char *name, uint32_t kind, void *ctx)
{
	struct observer *o = ctx;

	if (btf__find_by_name_kind(o->btf, name, kind) > 0)
		return true;
	return kind == BTF_KIND_FUNC &&
	       kernel_modules_have(&o->modules, o->btf, name);
}

static bool program_possible(struct observer *o, const char *name)
{
	return plan_section_possible(
		bpf_program__section_name(find_program(o->catalog, name)),
		btf_has, o);
}

static void enable(struct observer *o, struct rstscope *skel,
		   const struct plan_method *m)
{
	for (size_t i = 0; i < PLAN_PROGRAMS && m->programs[i]; i++)
		if (program_possible(o, m->programs[i]))
			bpf_program__set_autoload(
				find_program(skel, m->programs[i]), true);
}

/* --- choosing ------------------------------------------------------------- */

static bool group_wanted(const struct observer *o, enum plan_group group)
{
	switch (group) {
	case GROUP_SYSCALLS:
		return o->config.syscalls;
	case GROUP_NETFILTER:
		return o->config.netfilter;
	case GROUP_PACKET:
		return o->config.packet;
	default:
		return true;
	}
}

/*
 * A verifier that takes the canary believes pointers that this method reads
 * directly to be never NULL: the method is not safe on this kernel.
 */
static bool canary_refused(struct observer *o, const char *canary)
{
	struct rstscope *skel = rstscope__open();
	int err;

	if (!skel)
		return false;
	configure(o, skel);
	shrink_maps(skel);
	bpf_program__set_autoload(find_program(skel, canary), true);
	err = rstscope__load(skel);
	rstscope__destroy(skel);
	return err != 0;
}

/* Functions have gained arguments: a kprobe would read what is none. */
static bool has_arguments(struct observer *o, const struct plan_method *m)
{
	const char *section = bpf_program__section_name(
		find_program(o->catalog, m->programs[0]));
	const char *slash = strchr(section, '/');

	return !m->args || (slash && kernel_function_args(o->btf, slash + 1) >=
					     (int)m->args);
}

static bool method_possible(const struct plan_method *m, void *ctx)
{
	struct observer *o = ctx;

	return program_possible(o, m->programs[0]) && has_arguments(o, m) &&
	       (!m->canary || canary_refused(o, m->canary));
}

/* The best method that has not been tried yet, or none. */
static void next_method(struct observer *o, struct choice *c)
{
	const char *list = o->config.methods;

	if (!list || c->hook->group == GROUP_TOOL)
		list = PLAN_METHODS_ALL;
	c->method = plan_next(c->hook, list, c->tried, method_possible, o);
	if (c->method)
		c->tried |= 1u << (c->method - c->hook->methods);
}

static void choose(struct observer *o, struct choice *c,
		   const struct plan_hook *hook)
{
	c->hook = hook;
	if (!group_wanted(o, hook->group)) {
		snprintf(c->why, sizeof(c->why), "switched off");
		return;
	}
	if (hook->needs && !btf_has(hook->needs, BTF_KIND_ENUM, o)) {
		snprintf(c->why, sizeof(c->why), "this kernel has no %s",
			 hook->needs);
		return;
	}
	next_method(o, c);
	if (c->method)
		return;
	if (plan_next(hook, PLAN_METHODS_ALL, 0, method_possible, o))
		snprintf(c->why, sizeof(c->why), "left out by --methods %.60s",
			 o->config.methods);
	else
		snprintf(c->why, sizeof(c->why), "this kernel has no %s",
			 hook->hook);
}

static void choose_all(struct observer *o)
{
	for (size_t i = 0; i < plan_hooks_count && i < PROBES_MAX; i++) {
		const struct plan_hook *hook = &plan_hooks[i];

		if (hook->group == GROUP_FAMILY && !o->config.family)
			continue;
		if (!hook->unless || !btf_has(hook->unless, BTF_KIND_ENUM, o))
			choose(o, &o->choices[o->choices_count++], hook);
	}
}

/* --- attaching ------------------------------------------------------------ */

static bool is_attached_kind(const struct plan_hook *hook)
{
	return hook->group != GROUP_TOOL && hook->group != GROUP_SEED;
}

static void detach(struct observer *o, struct choice *c)
{
	for (size_t i = 0; i < PLAN_PROGRAMS; i++) {
		bpf_link__destroy(c->links[i]);
		if (c->links[i] && kprobe_event_serves(c->programs[i]))
			kprobe_event_remove(&o->kprobe_events, c->programs[i]);
		c->links[i] = NULL;
		c->programs[i] = NULL;
	}
}

/* errno, where it is NULL. */
static struct bpf_link *attach_program(struct observer *o, struct choice *c,
				       const struct bpf_program *p)
{
	struct bpf_link *link;

	if (!kprobe_event_serves(p))
		return bpf_program__attach(p);
	link = kprobe_event_attach(&o->kprobe_events, o->btf, p);
	if (link || kprobe_event_is_late(p))
		return link;
	c->few_calls = true;
	return bpf_program__attach(p);
}

/* Of a module, only the kernel knows whether it has the function. */
static bool may_be_missing(const struct bpf_program *p, size_t i, int err)
{
	return i > 0 && err == -ENOENT && kprobe_event_is_late(p);
}

/* 0 or -errno; then nothing of it stays attached. */
static int attach(struct observer *o, struct choice *c, struct rstscope *skel)
{
	int err;

	c->few_calls = false;
	for (size_t i = 0; i < PLAN_PROGRAMS && c->method->programs[i]; i++) {
		struct bpf_program *p =
			find_program(skel, c->method->programs[i]);

		if (!bpf_program__autoload(p))
			continue;
		c->programs[i] = p;
		if (!is_attached_kind(c->hook))
			continue;
		c->links[i] = attach_program(o, c, p);
		err = -errno;
		if (c->links[i] || may_be_missing(p, i, err))
			continue;
		detach(o, c);
		return err;
	}
	return 0;
}

/* Says why, after what was said of the methods before. */
static void give_way(struct observer *o, struct choice *c, int err)
{
	size_t n = strlen(c->why);
	const char *method = c->method->method;

	if (err == -EOPNOTSUPP && !strcmp(method, "kprobe"))
		snprintf(c->why + n, sizeof(c->why) - n,
			 "%sthis kernel has no kprobes", n ? "; " : "");
	else
		snprintf(c->why + n, sizeof(c->why) - n,
			 "%s%s is refused: %.60s", n ? "; " : "", method,
			 strerror(-err));
	next_method(o, c);
}

/* --- loading -------------------------------------------------------------- */

/* Loads and attaches that one alone, and takes it away again. */
static int try_alone(struct observer *o, struct choice *c)
{
	struct rstscope *skel = rstscope__open();
	int err;

	if (!skel)
		return -errno;
	configure(o, skel);
	shrink_maps(skel);
	enable(o, skel, c->method);
	err = rstscope__load(skel);
	if (!err)
		err = attach(o, c, skel);
	detach(o, c);
	rstscope__destroy(skel);
	return err;
}

bool observer_serves(const struct observer *o, const char *hook)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		if (!strcmp(o->choices[i].hook->hook, hook))
			return o->choices[i].method != NULL;
	}
	return false;
}

bool observer_needs_no(const struct observer *o, const struct choice *c)
{
	return c->hook->group == GROUP_PACKET &&
	       observer_serves(o, "tcp_reset");
}

static void drop_needless(struct observer *o)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];

		if (!observer_needs_no(o, c))
			continue;
		c->method = NULL;
		snprintf(c->why, sizeof(c->why), "tcp_reset shows more");
	}
}

static bool is_served(const struct observer *o, const struct choice *c)
{
	return c->method && !observer_needs_no(o, c);
}

/* Functions of the kernel, which many hosts do not let be hung on. */
static bool is_function(const struct plan_method *m)
{
	return !strcmp(m->method, "fentry") || !strcmp(m->method, "kprobe");
}

static void drop_refused(struct observer *o, bool functions_only)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];
		int err;

		while (c->method &&
		       (!functions_only || is_function(c->method)) &&
		       (err = try_alone(o, c)))
			give_way(o, c, err);
	}
}

/* What is refused at the first look, before anything is loaded. */
static void drop_hopeless(struct observer *o)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];
		int err;

		while (c->method && is_function(c->method) &&
		       (err = trial_function(
				o->btf,
				bpf_program__section_name(find_program(
					o->catalog, c->method->programs[0])))))
			give_way(o, c, err);
	}
}

static int load_all(struct observer *o)
{
	int err;

	o->skel = rstscope__open();
	if (!o->skel)
		return -errno;
	configure(o, o->skel);
	configure_choices(o, o->skel);
	size_maps(o, o->skel);
	for (size_t i = 0; i < o->choices_count; i++)
		if (is_served(o, &o->choices[i]))
			enable(o, o->skel, o->choices[i].method);
	err = rstscope__load(o->skel);
	for (size_t i = 0; !err && i < o->choices_count; i++)
		if (is_served(o, &o->choices[i]))
			err = attach(o, &o->choices[i], o->skel);
	if (err)
		observer_unload(o);
	return err;
}

void observer_unload(struct observer *o)
{
	for (size_t i = 0; i < o->choices_count; i++)
		detach(o, &o->choices[i]);
	rstscope__destroy(o->skel);
	o->skel = NULL;
}

int observer_choose_and_load(struct observer *o)
{
	int err;

	o->catalog = rstscope__open();
	if (!o->catalog)
		return -errno;
	choose_all(o);
	drop_hopeless(o);
	err = load_all(o);
	for (int functions = 1; err && functions >= 0; functions--) {
		if (err == -EPERM && geteuid() != 0)
			break;
		drop_refused(o, functions);
		err = load_all(o);
	}
	drop_needless(o);
	rstscope__destroy(o->catalog);
	o->catalog = NULL;
	return err;
}

int observer_check_needed(const struct observer *o, char *err, size_t err_size)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		const struct choice *c = &o->choices[i];

		if (c->method || c->hook->need != NEED_ALWAYS)
			continue;
		snprintf(err, err_size,
			 "the kernel does not give the probe %s (%s); rstscope "
			 "needs 5.10 or newer with BTF and BPF tracing allowed",
			 c->hook->hook, c->why);
		return -ENOTSUP;
	}
	return 0;
}
