// SPDX-License-Identifier: Apache-2.0
#include "user/observe/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/base.h"

const struct plan_hook plan_hooks[] = {
	{"tcp_receive_reset",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf", {"receive_reset"}}},
	 "RSTs that were received"},
	{"tcp_send_reset",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf", {"send_reset"}, "send_reset_canary"},
	  {"raw_tp", {"send_reset_raw"}}},
	 "RSTs that this host sends"},
	{"inet_sock_set_state",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf", {"set_state"}}},
	 "the age and owner of connections"},
	{"tcp_destroy_sock",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf", {"destroy_sock"}}},
	 "the end of connections"},
	{"inet_sk_error_report",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"tp_btf", {"error_report"}}},
	 "timeouts, and refusals by ICMP (kernel 5.14 has the tracepoint)"},
	{"sock_send_length",
	 NEED_WANTED,
	 GROUP_SYSCALLS,
	 {{"tp_btf", {"send_length"}}},
	 "which write was told of a failure (kernel 6.3 has the tracepoint)"},
	{"sock_recv_length",
	 NEED_WANTED,
	 GROUP_SYSCALLS,
	 {{"tp_btf", {"recv_length"}}},
	 "which read was told of a failure, and hang-ups (kernel 6.3 has the "
	 "tracepoint)"},
	{"sched_process_exit",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"tp_btf", {"process_exit"}}},
	 "deaths of processes"},
	{"oom:mark_victim",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"tp_btf", {"mark_victim_task"}}, {"tp", {"mark_victim"}}},
	 "which deaths were the OOM killer's"},
	{"kfree_skb",
	 NEED_WANTED,
	 GROUP_NETFILTER,
	 {{"tp_btf", {"skb_dropped"}}},
	 "RSTs that come from a netfilter REJECT rule of this host"},
	{"task_file",
	 NEED_WANTED,
	 GROUP_SEED,
	 {{"iter", {"seed_sockets"}}},
	 "the owners of sockets that are older than the daemon"},
	{"jiffies",
	 NEED_ALWAYS,
	 GROUP_TOOL,
	 {{"raw_tp", {"read_jiffies"}}},
	 "the kernel's tick"},
};
const size_t plan_hooks_count = ARRAY_SIZE(plan_hooks);

/* --- methods -------------------------------------------------------------- */

/* The word at *list, which moves on; its length, 0 at the end. */
static size_t take_word(const char **list, const char **word)
{
	size_t n = strcspn(*list, ",");

	*word = *list;
	*list += n + ((*list)[n] == ',');
	return n;
}

static bool is_word(const char *name, const char *word, size_t n)
{
	return strlen(name) == n && !strncmp(name, word, n);
}

static bool is_method(const char *name, size_t n)
{
	const char *all = PLAN_METHODS_ALL, *word;
	size_t length;

	while ((length = take_word(&all, &word)))
		if (length == n && !strncmp(word, name, n))
			return true;
	return false;
}

int plan_check_methods(const char *list, char *err, size_t err_size)
{
	const char *word;

	do {
		size_t n = take_word(&list, &word);

		if (!is_method(word, n)) {
			snprintf(err, err_size,
				 "'%.*s' is no method; there are %s", (int)n,
				 word, PLAN_METHODS_ALL);
			return -EINVAL;
		}
	} while (*list);
	return 0;
}

const struct plan_method *plan_next(const struct plan_hook *hook,
				    const char *list, uint32_t tried,
				    plan_possible_fn possible, void *ctx)
{
	const char *word;
	size_t n;

	while ((n = take_word(&list, &word))) {
		for (size_t i = 0; i < PLAN_METHODS; i++) {
			const struct plan_method *m = &hook->methods[i];

			if (m->method && is_word(m->method, word, n) &&
			    !(tried & 1u << i) && possible(m, ctx))
				return m;
		}
	}
	return NULL;
}

/* --- what BTF holds ------------------------------------------------------- */

bool plan_section_possible(const char *section, plan_has_fn has, void *ctx)
{
	/* a tracepoint is a typedef, an iterator's context a struct */
	static const struct {
		const char *type, *prefix;
		uint32_t kind;
	} needs[] = {
		{"tp_btf/", "btf_trace_", BTF_KIND_TYPEDEF},
		{"raw_tp/", "btf_trace_", BTF_KIND_TYPEDEF},
		{"iter/", "bpf_iter__", BTF_KIND_STRUCT},
		{"fentry/", "", BTF_KIND_FUNC},
		{"fexit/", "", BTF_KIND_FUNC},
		{"kprobe/", "", BTF_KIND_FUNC},
		{"kretprobe/", "", BTF_KIND_FUNC},
	};
	char name[96];

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		size_t n = strlen(needs[i].type);

		if (strncmp(section, needs[i].type, n))
			continue;
		snprintf(name, sizeof(name), "%s%s", needs[i].prefix,
			 section + n);
		return has(name, needs[i].kind, ctx);
	}
	return true;
}
