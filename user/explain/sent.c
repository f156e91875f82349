/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's reasons, matched by name: their numbers move between versions,
 * and before 6.10 there are none. TCP_STATE is one name for SO_LINGER 0,
 * connect(AF_UNSPEC), socket destruction, a listener's close and the timer of
 * FIN_WAIT2; what was left in the socket tells them apart. At the tracepoint
 * close and disconnect have already set the state to CLOSE; destruction and
 * timers come with the state still live.
 */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/sent.h"

#define TCPF_SYN      0x02
#define TCPF_ACK      0x10
#define SHUTDOWN_BOTH 3

#define CERTAIN	 0.98 /* the kernel names it */
#define INFERRED 0.92 /* the socket's state leaves no other way */
#define EITHER	 0.75
#define WEAK	 0.6

static const char *bare(const char *reason)
{
	static const char prefix[] = "SK_RST_REASON_";

	if (!strncmp(reason, prefix, sizeof(prefix) - 1))
		reason += sizeof(prefix) - 1;
	return strncmp(reason, "TCP_", 4) ? reason : reason + 4;
}

bool facts_reason_is(const struct facts *f, const char *name)
{
	return f->reason_name[0] && !strcmp(bare(f->reason_name), bare(name));
}

static bool exiting(const struct facts *f)
{
	return f->task.pid != NOT_KNOWN && f->task.exiting;
}

static bool flag(const struct facts *f, uint32_t bit)
{
	return f->sock_flags & bit;
}

static bool opens(const struct facts *f)
{
	return f->skb_known &&
	       (f->skb_flags & (TCPF_SYN | TCPF_ACK)) == TCPF_SYN;
}

static struct sent process_exit(const struct facts *f)
{
	struct sent s = {CAUSE_PROCESS_EXIT, CERTAIN, NULL};

	if (f->task.oom_killed)
		s.text = "{task} was chosen by the OOM killer; its end closed "
			 "the socket";
	else if (f->task.exit_signal > 0)
		s.text = "{task} ended by signal {signal}; its end closed the "
			 "socket";
	else
		s.text = "{task} exited with status {status}; its end closed "
			 "the socket";
	return s;
}

static struct sent no_socket(const struct facts *f)
{
	if (!f->skb_known)
		return (struct sent){CAUSE_LATE_DATA, WEAK,
				     "a segment came for which this host has "
				     "no socket"};
	if (opens(f))
		return (struct sent){CAUSE_PORT_CLOSED, CERTAIN,
				     "a SYN came for port {lport}, on which "
				     "nothing listens"};
	return (struct sent){CAUSE_LATE_DATA, CERTAIN,
			     "a segment with {skb} of data came for a "
			     "connection that this host no longer has"};
}

static struct sent invalid_syn(const struct facts *f)
{
	if (f->skb_known && (f->skb_flags & TCPF_SYN))
		return (struct sent){CAUSE_BAD_SEGMENT, CERTAIN,
				     "a SYN came in the middle of a "
				     "handshake"};
	return (struct sent){CAUSE_ACCEPT_OVERFLOW,
			     f->skb_known ? CERTAIN : INFERRED,
			     "the accept queue of port {lport} was full "
			     "({backlog}) and tcp_abort_on_overflow is on"};
}

/* A listener answered a segment that is no SYN. */
static struct sent at_listener(const struct facts *f)
{
	if (f->accept_backlog != NOT_KNOWN && f->accept_max != NOT_KNOWN &&
	    f->accept_backlog > f->accept_max)
		return invalid_syn(f);
	return (struct sent){CAUSE_LATE_DATA, INFERRED,
			     "the listener on port {lport} got a segment of a "
			     "connection that it never had"};
}

static struct sent unread_data(const struct facts *f, double confidence)
{
	return (struct sent){CAUSE_CLOSE_WITH_UNREAD_DATA, confidence,
			     flag(f, SOCKF_MPTCP)
				     ? "the MPTCP socket was closed with data "
				       "received and not read"
				     : "closed with {unread} received and not "
				       "read"};
}

static struct sent by_closed_state(const struct facts *f)
{
	bool closing = f->shutdown == SHUTDOWN_BOTH || f->shutdown < 0;

	if (closing && f->unread_bytes > 0)
		return unread_data(f, INFERRED);
	if (closing && f->linger0 == TRI_YES)
		return (struct sent){CAUSE_LINGER_ZERO, INFERRED,
				     "closed with SO_LINGER on and time 0"};
	if (!f->sock_known)
		return (struct sent){CAUSE_UNKNOWN, 0.5, NULL};
	if (!flag(f, SOCKF_HAS_SOCKET) && !flag(f, SOCKF_DEAD) &&
	    !flag(f, SOCKF_OWNED))
		return (struct sent){CAUSE_LISTENER_CLOSED, INFERRED,
				     "the listener was closed while this "
				     "connection waited to be accepted"};
	if (flag(f, SOCKF_HAS_SOCKET) && flag(f, SOCKF_OWNED) &&
	    f->shutdown != SHUTDOWN_BOTH)
		return (struct sent){CAUSE_LINGER_ZERO, INFERRED,
				     "disconnected with connect(AF_UNSPEC)"};
	if (flag(f, SOCKF_DEAD))
		return (struct sent){CAUSE_MEMORY_PRESSURE, WEAK,
				     "an orphaned socket was reset at its "
				     "close: too many orphans, no memory, or "
				     "TCP_LINGER2 below 0"};
	return (struct sent){CAUSE_UNKNOWN, 0.5, NULL};
}

static struct sent by_live_state(const struct facts *f)
{
	/* its close aborts live subflows only with data that was not read */
	if (flag(f, SOCKF_MPTCP) && f->call.known &&
	    f->call.class == CALL_CLOSE)
		return unread_data(f, INFERRED);
	if (f->state == TCP_FIN_WAIT2 && flag(f, SOCKF_DEAD))
		return (struct sent){CAUSE_UNKNOWN, 0.6,
				     "our closed side waited tcp_fin_timeout "
				     "for the peer's FIN in vain"};
	if (flag(f, SOCKF_OWNED) && flag(f, SOCKF_HAS_SOCKET))
		return (struct sent){CAUSE_ADMIN_ABORT, INFERRED,
				     "the live socket was destroyed by "
				     "{task}"};
	if (f->probes_out > 0 && f->keepalive_on == TRI_YES)
		return (struct sent){CAUSE_KEEPALIVE_TIMEOUT, INFERRED,
				     "{probes} keepalive probes went "
				     "unanswered"};
	return (struct sent){CAUSE_UNKNOWN, 0.5, NULL};
}

static struct sent by_segment(const struct facts *f)
{
	if (flag(f, SOCKF_LISTENER))
		return opens(f) ? invalid_syn(f) : at_listener(f);
	if (flag(f, SOCKF_TIMEWAIT) || !f->sock_known)
		return no_socket(f);
	if (f->state == TCP_SYN_RECV || f->state == TCP_SYN_SENT)
		return (struct sent){CAUSE_BAD_SEGMENT, INFERRED,
				     "a segment did not fit the handshake"};
	return (struct sent){CAUSE_LATE_DATA, INFERRED,
			     "the peer sent {skb} after our side was closed"};
}

static struct sent by_state(const struct facts *f)
{
	if (exiting(f))
		return process_exit(f);
	if (f->skb_known)
		return by_segment(f);
	if (f->state == NOT_KNOWN)
		return (struct sent){CAUSE_UNKNOWN, 0.5, NULL};
	return f->state == TCP_CLOSE ? by_closed_state(f) : by_live_state(f);
}

static struct sent flags_reason(const struct facts *f)
{
	struct sent s;

	if (opens(f))
		return (struct sent){CAUSE_BAD_SEGMENT, INFERRED,
				     "the kernel's reason is {reason}"};
	s = at_listener(f);
	/* without data it may as well be a bad ACK of a handshake */
	if (s.cause != CAUSE_LATE_DATA || f->skb_bytes > 0 ||
	    !f->accept_pending)
		return s;
	s.confidence = EITHER;
	if (f->accept_pending > 0)
		s = (struct sent){
			CAUSE_BAD_SEGMENT, EITHER,
			"an ACK came that fits none of the handshakes "
			"under way on port {lport}"};
	return s;
}

static struct sent close_reason(const struct facts *f)
{
	if (exiting(f))
		return process_exit(f);
	return unread_data(f, CERTAIN);
}

struct row {
	const char *reason; /* without TCP_ */
	enum cause cause;
	struct sent (*decide)(const struct facts *f); /* or NULL: as it says */
	const char *text;
};

#define SAYS "the kernel's reason is {reason}"
static const struct row reasons[] = {
	{"NO_SOCKET", 0, no_socket, NULL},
	{"INVALID_ACK_SEQUENCE", CAUSE_BAD_SEGMENT, NULL, SAYS},
	{"RFC7323_PAWS", CAUSE_BAD_SEGMENT, NULL, SAYS},
	{"TOO_OLD_ACK", CAUSE_BAD_SEGMENT, NULL, SAYS},
	{"ACK_UNSENT_DATA", CAUSE_BAD_SEGMENT, NULL, SAYS},
	{"OLD_ACK", CAUSE_BAD_SEGMENT, NULL, SAYS},
	{"FLAGS", 0, flags_reason, NULL},
	{"ABORT_ON_DATA", CAUSE_LATE_DATA, NULL,
	 "the peer sent {skb} after our side was closed"},
	{"TIMEWAIT_SOCKET", CAUSE_LATE_DATA, NULL,
	 "the peer sent {skb} to a connection in TIME_WAIT"},
	{"INVALID_SYN", 0, invalid_syn, NULL},
	{"ABORT_ON_CLOSE", 0, close_reason, NULL},
	{"ABORT_ON_LINGER", CAUSE_LINGER_ZERO, NULL,
	 "closed with TCP_LINGER2 below 0, which aborts"},
	{"ABORT_ON_MEMORY", CAUSE_MEMORY_PRESSURE, NULL,
	 "the kernel was out of socket memory or had too many orphans"},
	{"KEEPALIVE_TIMEOUT", CAUSE_KEEPALIVE_TIMEOUT, NULL,
	 "{probes} keepalive probes went unanswered"},
	{"DISCONNECT_WITH_DATA", CAUSE_LINGER_ZERO, NULL,
	 "disconnected with {unsent} not yet sent"},
	{"STATE", 0, by_state, NULL},
};

struct sent sent_decide(const struct facts *f)
{
	const char *reason = bare(f->reason_name);

	if (f->netfilter_us != NOT_KNOWN)
		return (struct sent){CAUSE_FIREWALL_REJECT, INFERRED,
				     "a packet filter rule of this host "
				     "rejected the segment with a RST"};
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(reasons[i].reason, reason))
			continue;
		if (reasons[i].decide)
			return reasons[i].decide(f);
		if (exiting(f) && reasons[i].cause == CAUSE_LINGER_ZERO)
			return process_exit(f);
		return (struct sent){reasons[i].cause, CERTAIN,
				     reasons[i].text};
	}
	if (!strncmp(reason, "MPTCP", 5))
		return (struct sent){CAUSE_BAD_SEGMENT, INFERRED, SAYS};
	return by_state(f);
}
