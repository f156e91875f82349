/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All that is known of a connection of ours that something else ended. */
#ifndef RSTSCOPE_DESCRIBE_BPF_H
#define RSTSCOPE_DESCRIBE_BPF_H

#include "bpf/sock.h"
#include "bpf/flow.h"
#include "bpf/filtered.h"
#include "bpf/task.h"
#include "bpf/place.h"

/*
 * The options of the segment in hand were parsed into rx_opt before it was seen
 * to be a RST (tcp_validate_incoming). Where timestamps were agreed, a Linux
 * that aborts its socket sends them; one that knows no socket, a REJECT rule or
 * a forger does not.
 */
static __always_inline void rst_options(struct rec_failure *r,
					struct tcp_sock *tp)
{
	if (r->state == TCP_SYN_SENT || !RD_BITFIELD(tp, rx_opt.tstamp_ok))
		return;
	r->rst_timestamps = RD_BITFIELD(tp, rx_opt.saw_tstamp);
	r->known |= KNOWN_RST_OPTIONS;
}

static __always_inline void describe(struct rec_failure *r, struct tcp_sock *tp,
				     struct conn *conn)
{
	sock_tuple(tp, r);
	sock_numbers(tp, r);
	if (conn) {
		conn_describe(conn, tp, r);
		conn_set_answered(conn, tp, r);
	} else {
		r->flags |= SOCKF_NO_RECORD;
	}
	listener_describe(r);
	place_describe(r);
	flow_describe_other(r);
	filtered_describe(r);
	if (r->sock.flags & SOCKF_OWNED) {
		task_current(&r->task, HOW_CURRENT);
		r->known |= KNOWN_TASK;
	}
}

#endif
