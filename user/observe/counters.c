// SPDX-License-Identifier: Apache-2.0
/* What the observer can tell of itself: counters, probes, blind spots. */
#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>

#include "user/base/base.h"
#include "user/observe/kernel_names.h"
#include "user/observe/observer_state.h"

/* --- counters ------------------------------------------------------------- */

uint64_t observer_tally(const struct observer *o, uint32_t row)
{
	uint64_t values[o->cpus], sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(o->skel->maps.tallies), &row,
				values))
		return 0;
	for (int i = 0; i < o->cpus; i++)
		sum += values[i];
	return sum;
}

static void sum_count(const struct observer *o, uint32_t row,
		      struct rec_count *out)
{
	struct rec_count values[o->cpus];

	memset(out, 0, sizeof(*out));
	if (bpf_map_lookup_elem(bpf_map__fd(o->skel->maps.counts), &row,
				values))
		return;
	for (int i = 0; i < o->cpus; i++) {
		out->seen += values[i].seen;
		out->submitted += values[i].submitted;
		out->dropped += values[i].dropped;
		out->folded += values[i].folded;
	}
}

void observer_get_counts(const struct observer *o, struct observe_counts *c)
{
	for (uint32_t i = 0; i < REC_KINDS; i++)
		sum_count(o, i, &c->kind[i]);
	for (uint32_t i = 0; i < TALLIES; i++)
		c->tally[i] = observer_tally(o, i);
	c->ignored_known = observer_serves(o, "kfree_skb");
	c->rejected_known = observer_serves(o, "nf_send_reset");
}

/*
 * Kernels before 5.12 (9ed9e9ba2337) have no such field; of kprobes they count
 * only from 6.7 (dd8657894c11), in the same one.
 */
static bool tells_missed(const struct plan_method *m, __u32 info_size)
{
	return info_size >= offsetof(struct bpf_prog_info, recursion_misses) +
				    sizeof(__u64) &&
	       strcmp(m->method, "kprobe");
}

static void add_program_stats(const struct choice *c, size_t i,
			      struct probe_status *p)
{
	const struct bpf_program *program = c->programs[i];
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (!c->method || !program ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return;
	p->runs += info.run_cnt;
	p->run_ns += info.run_time_ns;
	p->missed_known = tells_missed(c->method, size);
	if (p->missed_known && (i || !c->method->again))
		p->missed += info.recursion_misses;
}

size_t observer_get_probes(const struct observer *o,
			   struct probe_status probes[PROBES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < o->choices_count; i++) {
		const struct choice *c = &o->choices[i];
		struct probe_status *p = &probes[n];

		if (c->hook->group == GROUP_TOOL)
			continue;
		n++;
		memset(p, 0, sizeof(*p));
		snprintf(p->hook, sizeof(p->hook), "%s", c->hook->hook);
		snprintf(p->method, sizeof(p->method), "%s",
			 c->method ? c->method->method : "none");
		snprintf(p->why, sizeof(p->why), "%s", c->why);
		p->up = c->method != NULL;
		p->required = c->hook->need == NEED_ALWAYS;
		p->extra = c->hook->need == NEED_EXTRA;
		for (size_t j = 0; j < PLAN_PROGRAMS; j++)
			add_program_stats(c, j, p);
	}
	return n;
}

/* What no method shows yet, whatever the kernel. */
static const char *const always_blind[] = {
	"recvmmsg on a socket that has failed: the call that is told is not "
	"seen (the process is, when it closes)",
	"errors taken with getsockopt(SO_ERROR) or seen by poll: not seen",
	"RSTs made by XDP or tc and, before 5.11, by a REJECT rule of a bridge",
	"RSTs that met TIME_WAIT or a handshake, or were lost on the way: not "
	"seen",
};

/* The text's new length: what does not fit is cut off. */
static size_t append(struct blind_spot *spot, size_t n, const char *text)
{
	int more = snprintf(spot->text + n, sizeof(spot->text) - n, "%s", text);

	n += (size_t)more;
	return n < sizeof(spot->text) ? n : sizeof(spot->text) - 1;
}

static void describe_few(const struct choice *c, struct blind_spot *spot)
{
	char calls[32] = "two a CPU, or ten"; /* the kernel's own choice */

	if (!c->few_calls)
		snprintf(calls, sizeof(calls), "%d", KPROBE_EVENT_CALLS);
	snprintf(spot->text, sizeof(spot->text),
		 "%s by kprobes: of the calls that wait at the same time the "
		 "kernel follows %s",
		 c->hook->hook, calls);
}

/* What the choice for one hook leaves out; false: nothing. */
static bool describe_blind(const struct choice *c, struct blind_spot *spot)
{
	if (!c->method)
		snprintf(spot->text, sizeof(spot->text), "%.120s: %.130s",
			 c->hook->blind, c->why);
	else if (c->hook->group == GROUP_SYSCALLS && observer_by_kprobe(c))
		describe_few(c, spot);
	else
		return false;
	return true;
}

/*
 * Of segments of no socket, kfree_skb shows those that the kernel answered past
 * the kprobe (sent_skipped() of bpf/sent.h).
 */
static const char *skipped_of(const struct observer *o, const char *hook)
{
	if (!strcmp(hook, "tcp_v4_send_reset") &&
	    observer_serves(o, "kfree_skb"))
		return "tcp_v4_send_reset in TIME_WAIT";
	return hook;
}

/* bpf_prog_active, kprobe_running(): kernel/trace/bpf_trace.c, kprobes.c */
static void describe_skipped(const struct observer *o, struct blind_spot *spot)
{
	size_t n = 0;

	n = append(spot, n,
		   "what a kprobe meets while an interrupted kprobe's program "
		   "runs on the same CPU: not seen, not counted (");
	for (size_t i = 0; i < o->choices_count; i++) {
		if (!observer_by_kprobe(&o->choices[i]))
			continue;
		n = append(spot, n, skipped_of(o, o->choices[i].hook->hook));
		n = append(spot, n, ", ");
	}
	memcpy(spot->text + n - 2, ")", 2);
}

/* The helper that reads stacks takes a typed task (bpf/stack.h). */
static bool stacks_cannot_be_read(const struct observer *o)
{
	return o->config.stacks &&
	       kernel_enum_value(o->btf, "bpf_func_id",
				 "BPF_FUNC_get_current_task_btf") < 0;
}

size_t observer_get_blind_spots(const struct observer *o,
				struct blind_spot spots[BLIND_SPOTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < o->choices_count && n < BLIND_SPOTS_MAX; i++)
		if (!observer_needs_no(o, &o->choices[i]))
			n += describe_blind(&o->choices[i], &spots[n]);
	if (observer_uses_kprobes(o) && n < BLIND_SPOTS_MAX)
		describe_skipped(o, &spots[n++]);
	if (stacks_cannot_be_read(o) && n < BLIND_SPOTS_MAX)
		snprintf(spots[n++].text, sizeof(spots[0].text),
			 "the functions that a call came from (--stacks): this "
			 "kernel has no bpf_get_current_task_btf (5.11)");
	for (size_t i = 0; i < ARRAY_SIZE(always_blind) && n < BLIND_SPOTS_MAX;
	     i++)
		snprintf(spots[n++].text, sizeof(spots[0].text), "%s",
			 always_blind[i]);
	return n;
}
