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
	 {{"tp_btf", {"receive_reset", "receive_reset_again"}, .again = true},
	  {"raw_tp",
	   {"receive_reset_raw", "receive_reset_again_raw"},
	   .again = true}},
	 "RSTs that were received"},
	{"tcp_send_reset",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf",
	   {"send_reset", "send_reset_again"},
	   .canary = "send_reset_canary",
	   .again = true},
	  {"raw_tp",
	   {"send_reset_raw", "send_reset_again_raw"},
	   .again = true}},
	 "RSTs that this host sends"},
	{"tcp_v4_send_reset",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"fentry", {"send_reset_v4", "send_reset_v6"}},
	  {"kprobe", {"send_reset_v4_kprobe", "send_reset_v6_kprobe"}}},
	 "RSTs that this host sends for segments of no socket, or of one in "
	 "TIME_WAIT (kernel 6.10 has them in its tracepoint)",
	 .unless = "sk_rst_reason"},
	{"inet_sock_set_state",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf", {"set_state"}}, {"raw_tp", {"set_state_raw"}}},
	 "the age, the owner and the death of connections"},
	{"tcp_destroy_sock",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"tp_btf", {"destroy_sock"}}, {"raw_tp", {"destroy_sock_raw"}}},
	 "the end of connections"},
	{"inet_csk_accept",
	 NEED_EXTRA,
	 GROUP_CORE,
	 {{"fentry", {"accepted"}}, {"kprobe", {"accepted_kretprobe"}}},
	 "who accepted a connection, until data moves through it"},
	{"inet_sk_error_report",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"tp_btf", {"error_report"}},
	  {"raw_tp", {"error_report_raw"}},
	  {"fentry", {"error_report_function"}},
	  {"kprobe", {"error_report_function_kprobe"}}},
	 "ICMP that answers a connection attempt which then goes on"},
	{"sock_send_length",
	 NEED_WANTED,
	 GROUP_SYSCALLS,
	 {{"tp_btf", {"send_length"}},
	  {"raw_tp", {"send_length_raw"}},
	  {"fentry",
	   {"inet_sendmsg_fexit", "inet6_sendmsg_fexit",
	    "inet_sendpage_fexit"}},
	  {"kprobe",
	   {"inet_sendmsg_kprobe", "inet_sendmsg_kretprobe",
	    "inet6_sendmsg_kprobe", "inet6_sendmsg_kretprobe",
	    "inet_sendpage_kprobe", "inet_sendpage_kretprobe"}}},
	 "which write was told of a failure (kernel 6.3 has a tracepoint)"},
	{"sock_recv_length",
	 NEED_WANTED,
	 GROUP_SYSCALLS,
	 {{"tp_btf", {"recv_length"}},
	  {"raw_tp", {"recv_length_raw"}},
	  {"fentry", {"inet_recvmsg_fexit", "inet6_recvmsg_fexit"}},
	  {"kprobe",
	   {"inet_recvmsg_kprobe", "inet_recvmsg_kretprobe",
	    "inet6_recvmsg_kprobe", "inet6_recvmsg_kretprobe"}}},
	 "which read was told of a failure, and hang-ups (kernel 6.3 has a "
	 "tracepoint)"},
	{"tcp_splice_read",
	 NEED_EXTRA,
	 GROUP_SYSCALLS,
	 {{"fentry", {"tcp_splice_read_fexit"}},
	  {"kprobe", {"tcp_splice_read_kprobe", "tcp_splice_read_kretprobe"}}},
	 "a splice from a socket that is told of a failure (the process is "
	 "seen when it closes)"},
	{"sched_process_exit",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"tp_btf", {"process_exit"}}, {"raw_tp", {"process_exit_raw"}}},
	 "deaths of processes"},
	{"oom:mark_victim",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"tp_btf", {"mark_victim"}}, {"raw_tp", {"mark_victim_raw"}}},
	 "which deaths were the OOM killer's"},
	{"kfree_skb",
	 NEED_WANTED,
	 GROUP_NETFILTER,
	 {{"tp_btf", {"skb_dropped"}}, {"raw_tp", {"skb_dropped_raw"}}},
	 "RSTs that end nothing; and, where nf_send_reset is not seen, whether "
	 "a REJECT rule of this host sent one to its own programs",
	 .needs = "skb_drop_reason"},
	{"nf_send_reset",
	 NEED_EXTRA,
	 GROUP_NETFILTER,
	 {{"kprobe",
	   {"reject_v4", "reject_v6", "reject_frame_v4", "reject_frame_v6"}}},
	 "RSTs that a REJECT rule of this host sends to others"},
	{"tcp_reset",
	 NEED_EXTRA,
	 GROUP_CORE,
	 {{"fentry", {"note_reset", "note_connect", "note_child"}, .args = 2},
	  {"kprobe",
	   {"note_reset_kprobe", "note_connect_kprobe", "note_child_kprobe"},
	   .args = 2}},
	 "the received RST itself: TTL, window, numbers (see --packet)"},
	{"tcp_probe",
	 NEED_EXTRA,
	 GROUP_PACKET,
	 {{"tp_btf", {"probe_packet"}}, {"raw_tp", {"probe_packet_raw"}}},
	 "the received RST itself, on established connections"},
	{"sched_process_fork",
	 NEED_ALWAYS,
	 GROUP_FAMILY,
	 {{"tp_btf", {"process_fork"}}},
	 "the children of the command"},
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

	if (strchr(section, ':'))
		return true; /* of a module, which may come later */
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
