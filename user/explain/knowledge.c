/* SPDX-License-Identifier: Apache-2.0 */
#include "user/base/base.h"
#include "user/explain/knowledge.h"

static const struct cause_info infos[] = {
	[CAUSE_STALE_KEEPALIVE] =
		{
			"received, hangup",
			"A kept-alive connection was reused just as, or after, "
			"the "
			"other side's idle timer closed it.",
			{"the connection had carried answers, was idle, then "
			 "we sent",
			 "the peer's FIN came before our request, or crossed "
			 "it",
			 "or: a RST within a round trip of our send, no answer "
			 "to it",
			 "idle times of its failures lie close together"},
			{"half_open and firewall_idle_drop: no FIN, and a RST "
			 "without "
			 "ACK, of another TTL, or after silence",
			 "server_crash: several connections at once, then "
			 "refusals",
			 "peer_closed_early: the peer acknowledged the request "
			 "first"},
			{"client's idle limit below the server's; down the "
			 "chain: "
			 "client < proxy < backend",
			 "retry once, on a fresh connection, where it is safe"},
		},
	[CAUSE_LB_IDLE_TIMEOUT] =
		{
			"received, hangup",
			"A load balancer or proxy ended an idle or slow "
			"connection by "
			"its own timer.",
			{"nothing of ours was under way, or an answer was "
			 "overdue",
			 "the same idle time again and again, often whole "
			 "seconds"},
			{"stale_keepalive: there we sent first",
			 "vpn_proxy_limit: the age is constant, not the idle "
			 "time",
			 "peer_closed_unread: an abort by the application, "
			 "once"},
			{"raise its idle timeout, or keep traffic flowing",
			 "keepalive on each hop: it does not cross a proxy"},
		},
	[CAUSE_SERVER_CRASH] =
		{
			"received, hangup, refused",
			"The remote process died or restarted.",
			{"many connections to one endpoint end within a second",
			 "then new ones to it are refused"},
			{"lb_idle_timeout: alike in idle time, and no refusals",
			 "peer_closed_early: one connection alone"},
			{"look at its exit: status, signal, OOM kill",
			 "drain before exit; preStop longer than endpoint "
			 "propagation"},
		},
	[CAUSE_FIREWALL_IDLE_DROP] =
		{
			"received, timeout",
			"Something on the path forgot the idle connection; "
			"what we "
			"sent met silence, or a RST that is not the peer's.",
			{"a long idle time, then retransmissions without any "
			 "ACK",
			 "or a RST of another TTL, or one without ACK, and no "
			 "FIN"},
			{"user_timeout: silence in the middle of traffic",
			 "stale_keepalive: a FIN, or the peer's own RST"},
			{"SO_KEEPALIVE and TCP_KEEPIDLE below half of the "
			 "limit (the "
			 "sysctl alone does nothing)",
			 "bound the wait with TCP_USER_TIMEOUT"},
		},
	[CAUSE_RATE_LIMIT] =
		{
			"received, hangup",
			"The server, or a guard before it, turns connections "
			"away "
			"above a rate or count.",
			{"status 429 before the end",
			 "several young connections end after their request "
			 "was read"},
			{"max_connections: closed before anything is read"},
			{"back off, honour 429, reuse connections"},
		},
	[CAUSE_TLS_HANDSHAKE_FAILURE] =
		{
			"received, hangup, sent",
			"The connection ended between ClientHello and the end "
			"of the "
			"handshake.",
			{"a ClientHello went out, nothing or an alert came "
			 "back",
			 "plain HTTP to a TLS port, or the reverse",
			 "the same at every attempt"},
			{"max_connections: the same with no TLS, and among "
			 "successes",
			 "middlebox_injected: the RST's TTL differs"},
			{"openssl s_client: version, SNI, certificate"},
		},
	[CAUSE_DB_POOL_IDLE] =
		{
			"received, hangup, timeout",
			"A pooled database connection outlived the idle limit "
			"of the "
			"server, pooler or firewall.",
			{"as stale_keepalive, on a database's protocol or "
			 "port"},
			{"server_crash: all connections at once, then refusals",
			 "max_connections: young connections"},
			{"the pool's idle limit below the server's; test on "
			 "checkout"},
		},
	[CAUSE_MAX_CONNECTIONS] =
		{
			"received, hangup, sent",
			"The server closes surplus connections at once.",
			{"an age of milliseconds, nothing received",
			 "FIN or RST before the request was read; several "
			 "alike"},
			{"peer_closed_unread: one alone, after the request "
			 "came",
			 "rate_limit: the request was read first"},
			{"raise the limit or the backlog; pool on the client"},
		},
	[CAUSE_VPN_PROXY_LIMIT] =
		{
			"received, hangup",
			"A VPN, tunnel or proxy ends connections at a constant "
			"age, "
			"or lets none through.",
			{"ages of its failures lie close together, idle times "
			 "do not",
			 "a proxy's protocol or port"},
			{"lb_idle_timeout: the idle time is constant"},
			{NULL},
		},
	[CAUSE_PEER_CLOSED_UNREAD] =
		{
			"received",
			"The peer closed its socket with our data unread, or "
			"set "
			"SO_LINGER 0: an abort by the application.",
			{"a RST in answer to data, no pause before it",
			 "an error status (413) while our request was still "
			 "going out"},
			{"stale_keepalive: after an idle time",
			 "max_connections: several, at an age near 0",
			 "unread data and SO_LINGER 0 look alike from this "
			 "end"},
			{"the server should read the request to its end, or "
			 "half-close and drain",
			 "clients: Expect: 100-continue"},
		},
	[CAUSE_PEER_ABORTED] =
		{
			"received",
			"The peer aborted in mid-transfer, and no finer cause "
			"can be "
			"told.",
			{"data was flowing, or our answer was still going out"},
			{"graceful_race: the exchange was complete",
			 "middlebox_injected: the peer goes on sending"},
			{NULL},
		},
	[CAUSE_HALF_OPEN] =
		{
			"received",
			"The peer's host no longer knows the connection and "
			"answers "
			"our data with a RST.",
			{"retransmissions in silence, then a RST without ACK",
			 "or a RST in answer to a keepalive probe; never a "
			 "FIN"},
			{"firewall_idle_drop: the RST has another TTL",
			 "stale_keepalive: a FIN, or a RST with ACK"},
			{NULL},
		},
	[CAUSE_MIDDLEBOX_INJECTED] =
		{
			"received",
			"The RST was forged on the path.",
			{"its TTL is not that of the peer's handshake",
			 "the peer goes on sending after it"},
			{"firewall_reject: it answers our data and carries no "
			 "ACK",
			 "TTLs differ behind NAT and balancers, too"},
			{NULL},
		},
	[CAUSE_FIREWALL_REJECT] =
		{
			"received, refused, sent",
			"A packet filter rule rejects with a RST, here or on "
			"the path.",
			{"here: the filter dropped our segment just before",
			 "on the path: a RST without ACK, of a nearer TTL, at "
			 "once"},
			{"half_open, connection_refused: the same from afar"},
			{"nf_conntrack_tcp_be_liberal=1, or drop INVALID "
			 "before it is "
			 "answered"},
		},
	[CAUSE_CONNECTION_REFUSED] =
		{
			"refused",
			"Nothing listens there: our SYN was refused.",
			{"a RST or ICMP port unreachable in answer to our SYN"},
			{"server_crash: live connections broke just before",
			 "firewall_reject: looks the same from afar"},
			{"back off with jitter, then break the circuit"},
		},
	[CAUSE_PEER_CLOSED_EARLY] =
		{
			"hangup",
			"The peer closed in order while an answer was due "
			"(Node: "
			"socket hang up), and no finer cause can be told.",
			{"it acknowledged the request, then its FIN came"},
			{"stale_keepalive: its FIN crossed our request",
			 "server_crash: others at once, then refusals",
			 "lb_idle_timeout: after a constant wait"},
			{NULL},
		},
	[CAUSE_GRACEFUL_RACE] =
		{
			"received",
			"Benign: the RST came after a complete exchange.",
			{"all answered and acknowledged, or our side closed "
			 "first"},
			{"peer_aborted: data was under way"},
			{NULL},
		},
	[CAUSE_HEALTH_CHECK] =
		{
			"received, sent, refused",
			"Benign: a probe that opens and resets without data.",
			{"no byte either way, an age of milliseconds",
			 "at a period, from few sources"},
			{"port_scan: many ports, no period"},
			{NULL},
		},
	[CAUSE_PORT_SCAN] =
		{
			"sent, received",
			"Benign: somebody tries our ports.",
			{"many ports from one address within seconds"},
			{"port_closed: one port",
			 "health_check: one port, a period"},
			{NULL},
		},
	[CAUSE_CLOSE_WITH_UNREAD_DATA] =
		{
			"sent",
			"Our process closed a socket with received data "
			"unread.",
			{"the kernel's reason ABORT_ON_CLOSE, or unread bytes "
			 "left"},
			{"linger_zero: nothing was unread"},
			{"read the request to its end before closing, or "
			 "half-close "
			 "and drain"},
		},
	[CAUSE_LINGER_ZERO] =
		{
			"sent",
			"Our process closed with SO_LINGER {1,0}, or "
			"disconnected.",
			{"the reason TCP_STATE with SO_LINGER 0 on the socket"},
			{"close_with_unread_data: that is checked first",
			 "admin_abort: the socket was still live"},
			{NULL},
		},
	[CAUSE_PROCESS_EXIT] =
		{
			"sent",
			"The kernel closed the sockets of a process that "
			"ended.",
			{"the task was exiting: its signal, status or OOM "
			 "kill"},
			{NULL},
			{"drain before exit"},
		},
	[CAUSE_KEEPALIVE_TIMEOUT] =
		{
			"sent, timeout",
			"Our keepalive probes went unanswered.",
			{"the reason KEEPALIVE_TIMEOUT; unanswered probes"},
			{"user_timeout: data was unacknowledged"},
			{NULL},
		},
	[CAUSE_USER_TIMEOUT] =
		{
			"sent, timeout",
			"TCP_USER_TIMEOUT or the retransmission limit ended "
			"it.",
			{"ETIMEDOUT with data unacknowledged, in live traffic"},
			{"firewall_idle_drop: idle before"},
			{NULL},
		},
	[CAUSE_PORT_CLOSED] =
		{
			"sent",
			"We answered a SYN to a port on which nothing listens.",
			{"the reason NO_SOCKET and a SYN"},
			{"port_scan: many ports from one address"},
			{NULL},
		},
	[CAUSE_LATE_DATA] =
		{
			"sent",
			"Data or an ACK came for a connection that we had "
			"closed, or "
			"never had.",
			{"ABORT_ON_DATA, TIMEWAIT_SOCKET, or NO_SOCKET with an "
			 "ACK"},
			{"process_exit: the process that closed it had ended",
			 "stale_keepalive: our idle timer had closed it"},
			{NULL},
		},
	[CAUSE_ACCEPT_OVERFLOW] =
		{
			"sent",
			"Our listener's queue was full and "
			"tcp_abort_on_overflow is "
			"on.",
			{"the reason INVALID_SYN at a listener, no SYN in it"},
			{NULL},
			{"raise the backlog: listen argument and "
			 "net.core.somaxconn"},
		},
	[CAUSE_LISTENER_CLOSED] =
		{
			"sent",
			"A listener closed with connections still in its "
			"queue.",
			{"a socket that nobody had accepted was reset"},
			{NULL},
			{NULL},
		},
	[CAUSE_ADMIN_ABORT] =
		{
			"sent, received",
			"Destroyed by an administrator (ss -K) or by policy.",
			{"a live socket was destroyed from outside"},
			{"linger_zero: by its own process"},
			{NULL},
		},
	[CAUSE_MEMORY_PRESSURE] =
		{
			"sent",
			"Out of socket memory, or too many orphans.",
			{"the reason ABORT_ON_MEMORY"},
			{NULL},
			{NULL},
		},
	[CAUSE_BAD_SEGMENT] =
		{
			"sent",
			"The peer sent something that TCP answers with a RST.",
			{"the kernel's reason says which"},
			{NULL},
			{NULL},
		},
	[CAUSE_CONNECT_TIMEOUT] =
		{
			"timeout",
			"Our SYNs were never answered: dropped, or the host is "
			"down.",
			{"ETIMEDOUT in SYN_SENT"},
			{NULL},
			{NULL},
		},
	[CAUSE_PEER_UNREACHABLE] =
		{
			"timeout",
			"ICMP, ARP or routing ended it.",
			{"EHOSTUNREACH or ENETUNREACH"},
			{NULL},
			{NULL},
		},
	[CAUSE_UNKNOWN] =
		{
			"any",
			"The facts do not decide.",
			{NULL},
			{NULL},
			{NULL},
		},
};
_Static_assert(ARRAY_SIZE(infos) == CAUSES, "a cause is not explained");

const struct cause_info *cause_info(enum cause cause)
{
	return &infos[(unsigned int)cause < CAUSES ? cause : CAUSE_UNKNOWN];
}
