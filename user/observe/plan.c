// SPDX-License-Identifier: Apache-2.0
#include "user/observe/plan.h"

#include <bpf/btf.h>

#include "user/base/base.h"

const struct plan_hook plan_hooks[] = {
	{"tcp_receive_reset",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"receive_reset", "tp_btf", "btf_trace_tcp_receive_reset"}},
	 "RSTs that were received"},
	{"tcp_send_reset",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"send_reset", "tp_btf", "btf_trace_tcp_send_reset",
	   "send_reset_canary"},
	  {"send_reset_raw", "raw_tp", "btf_trace_tcp_send_reset"}},
	 "RSTs that this host sends"},
	{"inet_sock_set_state",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"set_state", "tp_btf", "btf_trace_inet_sock_set_state"}},
	 "the age and owner of connections"},
	{"tcp_destroy_sock",
	 NEED_ALWAYS,
	 GROUP_CORE,
	 {{"destroy_sock", "tp_btf", "btf_trace_tcp_destroy_sock"}},
	 "the end of connections"},
	{"inet_sk_error_report",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"error_report", "tp_btf", "btf_trace_inet_sk_error_report"}},
	 "timeouts, and refusals by ICMP (kernel 5.14 has the tracepoint)"},
	{"sock_send_length",
	 NEED_WANTED,
	 GROUP_SYSCALLS,
	 {{"send_length", "tp_btf", "btf_trace_sock_send_length"}},
	 "which write was told of a failure (kernel 6.3 has the tracepoint)"},
	{"sock_recv_length",
	 NEED_WANTED,
	 GROUP_SYSCALLS,
	 {{"recv_length", "tp_btf", "btf_trace_sock_recv_length"}},
	 "which read was told of a failure, and hang-ups (kernel 6.3 has the "
	 "tracepoint)"},
	{"sched_process_exit",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"process_exit", "tp_btf", "btf_trace_sched_process_exit"}},
	 "deaths of processes"},
	{"oom:mark_victim",
	 NEED_WANTED,
	 GROUP_CORE,
	 {{"mark_victim_task", "tp_btf", "btf_trace_mark_victim"},
	  {"mark_victim", "tp", NULL}},
	 "which deaths were the OOM killer's"},
	{"kfree_skb",
	 NEED_WANTED,
	 GROUP_NETFILTER,
	 {{"skb_dropped", "tp_btf", "btf_trace_kfree_skb"}},
	 "RSTs that come from a netfilter REJECT rule of this host"},
	{"task_file",
	 NEED_WANTED,
	 GROUP_SEED,
	 {{"seed_sockets", "iter", "bpf_iter__task_file"}},
	 "the owners of sockets that are older than the daemon"},
	{"jiffies",
	 NEED_ALWAYS,
	 GROUP_TOOL,
	 {{"read_jiffies", "raw_tp", NULL}},
	 "the kernel's tick"},
};
const size_t plan_hooks_count = ARRAY_SIZE(plan_hooks);

bool plan_method_possible(const struct plan_method *method,
			  const struct btf *btf)
{
	/* a tracepoint is a typedef, an iterator's context a struct */
	return !method->needs ||
	       btf__find_by_name_kind(btf, method->needs, BTF_KIND_TYPEDEF) >
		       0 ||
	       btf__find_by_name_kind(btf, method->needs, BTF_KIND_STRUCT) > 0;
}
