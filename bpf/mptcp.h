/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * MPTCP: the process holds the MPTCP socket, and TCP runs on its subflows. The
 * first of them stands for the connection: its failure is what the process is
 * told, its owner that of the ones that the kernel opens later. All reads are
 * by address: no helper turns an MPTCP socket into a typed pointer.
 */
#ifndef RSTSCOPE_MPTCP_H
#define RSTSCOPE_MPTCP_H

#include "bpf/sock.h"
#include "bpf/task.h"

static __always_inline struct conn *mptcp_conn_find(struct sock *msk)
{
	if (!bpf_core_type_exists(struct mptcp_sock))
		return NULL;
	return conn_find(BPF_CORE_READ((struct mptcp_sock *)msk, first));
}

/* A worker of the kernel opens a further subflow: whose it is. */
static __always_inline void mptcp_join_owner(struct sock *subflow,
					     struct rec_task *owner)
{
	struct inet_connection_sock *icsk =
		(struct inet_connection_sock *)subflow;
	struct mptcp_subflow_context *ctx;
	const struct conn *first;

	if (!bpf_core_type_exists(struct mptcp_subflow_context))
		return;
	__builtin_memset(owner, 0, sizeof(*owner)); /* no worker's */
	ctx = BPF_CORE_READ(icsk, icsk_ulp_data);
	first = mptcp_conn_find(BPF_CORE_READ(ctx, conn));
	if (first)
		*owner = first->owner;
}

#endif
