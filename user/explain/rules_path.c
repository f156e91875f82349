/* SPDX-License-Identifier: Apache-2.0 */
/* The path: what the RST itself looks like, silence before it; the priors. */
#include <netinet/tcp.h>
#include <stdlib.h>

#include "user/base/base.h"
#include "user/explain/rules.h"

static bool ttl_known(const struct view *v)
{
	return v->f->packet_known && v->f->rst_ttl > 0 &&
	       v->f->handshake_ttl > 0;
}

static bool ttl_misfit(const struct view *v)
{
	return ttl_known(v) && v->f->rst_ttl != v->f->handshake_ttl;
}

static bool ttl_misfit_after_idle(const struct view *v)
{
	return ttl_misfit(v) && v->paused && v->solicited && !v->fin;
}

/* One or a few hops nearer: a device on the way, not a forger's guess. */
static bool ttl_nearer_answer(const struct view *v)
{
	return ttl_misfit(v) && !v->paused && v->at_once && !v->fin &&
	       v->f->rst_ack == TRI_NO;
}

static bool ttl_fits(const struct view *v)
{
	return ttl_known(v) && !ttl_misfit(v);
}

/* The answer to the end of a handshake, before anything was received. */
static bool bare_at_birth(const struct view *v)
{
	return v->alien && v->client && v->brief && v->nothing_in;
}

static bool bare_rst(const struct view *v)
{
	return v->alien && v->solicited && !v->probed && !bare_at_birth(v);
}

static bool bare_in_traffic(const struct view *v)
{
	return bare_rst(v) && v->at_once && !v->paused &&
	       v->f->retransmits <= 0;
}

static bool bare_after_pause(const struct view *v)
{
	return bare_rst(v) && v->client && v->paused;
}

static bool bare_database(const struct view *v)
{
	return bare_after_pause(v) && v->used &&
	       v->protocol.class == PROTOCOL_DATABASE;
}

/* Nothing of ours but the end of the handshake can have provoked it. */
static bool bare_unasked(const struct view *v)
{
	return bare_at_birth(v) && v->nothing_out;
}

/* It may have answered our first data as well: a rule, a guard. */
static bool bare_asked(const struct view *v)
{
	return bare_at_birth(v) && !v->nothing_out;
}

/* No reboot ends connections that are made after it. */
static bool forgotten_again(const struct view *v)
{
	return v->alien && v->solicited && v->paused && v->past.forgotten;
}

/* A peer whose socket lives acknowledges a probe. */
static bool bare_probed(const struct view *v)
{
	return v->alien && v->probed;
}

/* A server's push to a client that had been quiet. */
static bool bare_after_quiet(const struct view *v)
{
	return bare_rst(v) && v->server && v->paused;
}

static bool bare_unsolicited(const struct view *v)
{
	return v->alien && !v->solicited && v->f->probes_out <= 0 &&
	       !bare_at_birth(v);
}

static bool challenged(const struct view *v)
{
	return bare_unsolicited(v) && v->f->since_challenge_ms >= 0 &&
	       v->f->since_challenge_ms <= 1000;
}

/* Balancers that end idle connections make such RSTs, too. */
static bool bare_in_use(const struct view *v)
{
	return bare_unsolicited(v) && !v->paused;
}

static bool stack_abort(const struct view *v)
{
	const struct facts *f = v->f;

	return f->rst_timestamps == TRI_YES ||
	       (f->packet_known && f->rst_ack == TRI_YES && f->rst_window > 0);
}

static bool seq_guessed(const struct view *v)
{
	return v->f->rst_seq_ahead_known && v->f->rst_seq_ahead != 0;
}

/* A stack acknowledges what it has received, up to its very end. */
static bool ack_guessed(const struct view *v)
{
	return v->f->rst_ack_fits == TRI_NO;
}

/*
 * A rule that rejects our segment leaves the peer's socket alive, too: what it
 * sends again then is no proof of a forger. New data, or an ACK of what met the
 * RST (peer_after_rst), is.
 */
static bool may_be_rejected(const struct view *v)
{
	return v->f->peer_after_rst != TRI_YES && v->used && v->alien &&
	       v->solicited && (v->at_once || v->paused) && !v->fin;
}

static bool went_on(const struct view *v)
{
	return (v->past.peer_went_on || v->f->peer_after_rst == TRI_YES) &&
	       !v->closing;
}

static bool peer_went_on(const struct view *v)
{
	return went_on(v) && !may_be_rejected(v);
}

static bool rejected_went_on(const struct view *v)
{
	return went_on(v) && may_be_rejected(v);
}

static bool rejected_in_traffic(const struct view *v)
{
	return rejected_went_on(v) && !v->paused;
}

static bool silence_before(const struct view *v)
{
	return v->solicited && v->f->retransmits >= 1 && !v->fin;
}

static bool long_silence(const struct view *v)
{
	return silence_before(v) && v->f->retransmits >= 3;
}

static bool silence_after_idle(const struct view *v)
{
	return silence_before(v) && v->paused;
}

static bool probe_answered(const struct view *v)
{
	return v->probed && !v->fin && v->f->rst_timestamps != TRI_YES;
}

static bool filtered_here(const struct view *v)
{
	return v->f->netfilter_us != NOT_KNOWN;
}

/* Connection tracking forgot it; what it does not know is rejected. */
static bool filtered_after_idle(const struct view *v)
{
	return filtered_here(v) && v->paused && v->solicited && !v->fin &&
	       !v->closing;
}

static bool soft_error(const struct view *v)
{
	return v->f->sock_err_soft > 0;
}

const struct rule rules_path[] = {
	{ON_RECEIVED,
	 ttl_misfit,
	 "the RST came with TTL {ttl}, the peer's first packets with "
	 "{handshake_ttl}",
	 true,
	 {{CAUSE_MIDDLEBOX_INJECTED, 6.5f},
	  {CAUSE_FIREWALL_REJECT, 2.5f},
	  {CAUSE_FIREWALL_IDLE_DROP, 1.5f},
	  {CAUSE_STALE_KEEPALIVE, -2.0f},
	  {CAUSE_PEER_ABORTED, -2.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.0f},
	  {CAUSE_SERVER_CRASH, -2.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -0.5f}}},
	{ON_RECEIVED,
	 ttl_misfit_after_idle,
	 "it answered data that we sent after an idle time",
	 true,
	 {{CAUSE_FIREWALL_IDLE_DROP, 4.5f}, {CAUSE_MIDDLEBOX_INJECTED, -2.5f}}},
	{ON_RECEIVED,
	 ttl_nearer_answer,
	 "it answered our data at once and carries no ACK, as a reject rule's "
	 "does",
	 false,
	 {{CAUSE_FIREWALL_REJECT, 5.0f}, {CAUSE_MIDDLEBOX_INJECTED, -1.5f}}},
	{ON_RECEIVED,
	 ttl_fits,
	 "the RST's TTL is that of the peer's first packets",
	 false,
	 {{CAUSE_MIDDLEBOX_INJECTED, -2.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -0.8f},
	  {CAUSE_FIREWALL_REJECT, -0.8f}}},
	{ON_RECEIVED,
	 bare_rst,
	 "the RST carries no ACK or no timestamps: its sender had no such "
	 "connection",
	 false,
	 {{CAUSE_HALF_OPEN, 2.4f},
	  {CAUSE_FIREWALL_IDLE_DROP, 1.8f},
	  {CAUSE_FIREWALL_REJECT, 2.0f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f},
	  {CAUSE_DB_POOL_IDLE, -0.7f},
	  {CAUSE_LB_IDLE_TIMEOUT, -2.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.5f},
	  {CAUSE_PEER_ABORTED, -2.5f}}},
	{ON_RECEIVED,
	 bare_after_pause,
	 NULL,
	 false,
	 {{CAUSE_FIREWALL_IDLE_DROP, 0.8f}}},
	{ON_RECEIVED,
	 bare_database,
	 "{protocol}, whose pooled sessions outlive what is on the path",
	 false,
	 {{CAUSE_DB_POOL_IDLE, 3.0f}, {CAUSE_HALF_OPEN, -0.5f}}},
	{ON_RECEIVED,
	 forgotten_again,
	 "{forgotten} older connections, as long idle, had met the same: more "
	 "than one reboot would do",
	 false,
	 {{CAUSE_FIREWALL_IDLE_DROP, 2.5f}, {CAUSE_HALF_OPEN, -2.5f}}},
	{ON_RECEIVED,
	 bare_unasked,
	 "the RST is no socket's: it answers the end of the handshake, as a "
	 "full accept queue does",
	 true,
	 {{CAUSE_MAX_CONNECTIONS, 4.0f},
	  {CAUSE_FIREWALL_REJECT, 1.5f},
	  {CAUSE_MIDDLEBOX_INJECTED, 1.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.5f},
	  {CAUSE_PEER_ABORTED, -2.5f}}},
	{ON_RECEIVED,
	 bare_asked,
	 "the RST is no socket's, and came before anything was received: a "
	 "full accept queue, or a rule on the way",
	 false,
	 {{CAUSE_MAX_CONNECTIONS, 1.5f},
	  {CAUSE_FIREWALL_REJECT, 4.0f},
	  {CAUSE_RATE_LIMIT, 2.5f},
	  {CAUSE_MIDDLEBOX_INJECTED, 1.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.5f},
	  {CAUSE_PEER_ABORTED, -2.5f}}},
	{ON_RECEIVED,
	 bare_after_quiet,
	 "the peer had been quiet for {idle} when we sent",
	 false,
	 {{CAUSE_HALF_OPEN, 1.5f}, {CAUSE_FIREWALL_IDLE_DROP, 1.3f}}},
	{ON_RECEIVED,
	 bare_in_traffic,
	 "traffic had not paused when it was rejected",
	 false,
	 {{CAUSE_FIREWALL_REJECT, 2.0f}, {CAUSE_HALF_OPEN, -0.3f}}},
	{ON_RECEIVED,
	 bare_unsolicited,
	 "a RST without ACK or timestamps, with nothing of ours to provoke it",
	 false,
	 {{CAUSE_MIDDLEBOX_INJECTED, 4.6f},
	  {CAUSE_HALF_OPEN, 2.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, 0.7f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.5f},
	  {CAUSE_PEER_ABORTED, -2.5f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
	{ON_RECEIVED,
	 challenged,
	 "it answered a challenge ACK of ours, {challenge} before: the peer "
	 "knows no such connection",
	 false,
	 {{CAUSE_HALF_OPEN, 5.0f}, {CAUSE_MIDDLEBOX_INJECTED, -2.0f}}},
	{ON_RECEIVED,
	 bare_in_use,
	 "in the middle of traffic: no idle timer made it",
	 false,
	 {{CAUSE_MIDDLEBOX_INJECTED, 1.5f},
	  {CAUSE_HALF_OPEN, 0.5f},
	  {CAUSE_LB_IDLE_TIMEOUT, -1.5f}}},
	{ON_RECEIVED,
	 stack_abort,
	 "the RST is one that the peer's own stack makes to abort",
	 false,
	 {{CAUSE_PEER_CLOSED_UNREAD, 0.8f},
	  {CAUSE_PEER_ABORTED, 0.8f},
	  {CAUSE_STALE_KEEPALIVE, 0.7f},
	  {CAUSE_HALF_OPEN, -3.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, -2.0f},
	  {CAUSE_FIREWALL_REJECT, -3.0f},
	  {CAUSE_MIDDLEBOX_INJECTED, -1.0f}}},
	{ON_RECEIVED,
	 seq_guessed,
	 "its sequence number was {seq_ahead} off the next one expected",
	 false,
	 {{CAUSE_MIDDLEBOX_INJECTED, 4.0f}}},
	{ON_RECEIVED,
	 ack_guessed,
	 "it acknowledges what we never sent, or less than the peer had",
	 false,
	 {{CAUSE_MIDDLEBOX_INJECTED, 4.0f}}},
	{ON_RECEIVED,
	 peer_went_on,
	 "the peer went on sending on this connection after the RST",
	 true,
	 {{CAUSE_MIDDLEBOX_INJECTED, 8.5f},
	  {CAUSE_PEER_ABORTED, -2.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -2.0f}}},
	{ON_RECEIVED,
	 rejected_went_on,
	 "the peer went on sending on this connection after the RST: it was "
	 "not the peer's",
	 false,
	 {{CAUSE_MIDDLEBOX_INJECTED, 4.5f},
	  {CAUSE_FIREWALL_REJECT, 2.0f},
	  {CAUSE_FIREWALL_IDLE_DROP, 2.5f},
	  {CAUSE_HALF_OPEN, -4.0f},
	  {CAUSE_PEER_ABORTED, -2.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -2.0f}}},
	{ON_RECEIVED,
	 rejected_in_traffic,
	 NULL,
	 false,
	 {{CAUSE_FIREWALL_REJECT, 1.0f}, {CAUSE_FIREWALL_IDLE_DROP, -3.0f}}},
	{ON_RECEIVED,
	 silence_before,
	 "our data had been sent again {retransmits} times, without an ACK, "
	 "before the RST came",
	 false,
	 {{CAUSE_HALF_OPEN, 3.8f},
	  {CAUSE_FIREWALL_IDLE_DROP, 1.0f},
	  {CAUSE_STALE_KEEPALIVE, -2.5f},
	  {CAUSE_PEER_CLOSED_UNREAD, -1.5f},
	  {CAUSE_PEER_ABORTED, -1.0f},
	  {CAUSE_MAX_CONNECTIONS, -1.0f},
	  {CAUSE_GRACEFUL_RACE, -2.0f}}},
	{ON_RECEIVED,
	 long_silence,
	 NULL,
	 true,
	 {{CAUSE_HALF_OPEN, 1.0f}, {CAUSE_PEER_ABORTED, -1.0f}}},
	{ON_RECEIVED,
	 silence_after_idle,
	 NULL,
	 false,
	 {{CAUSE_FIREWALL_IDLE_DROP, 1.0f}}},
	{ON_RECEIVED,
	 probe_answered,
	 "the RST answered a keepalive probe",
	 true,
	 {{CAUSE_HALF_OPEN, 4.5f},
	  {CAUSE_FIREWALL_IDLE_DROP, 2.0f},
	  {CAUSE_LB_IDLE_TIMEOUT, -2.0f},
	  {CAUSE_STALE_KEEPALIVE, -1.0f}}},
	{ON_RECEIVED,
	 bare_probed,
	 NULL,
	 false,
	 {{CAUSE_HALF_OPEN, 2.4f},
	  {CAUSE_FIREWALL_IDLE_DROP, 1.5f},
	  {CAUSE_STALE_KEEPALIVE, -4.0f},
	  {CAUSE_PEER_CLOSED_UNREAD, -2.5f},
	  {CAUSE_PEER_ABORTED, -2.5f}}},
	{ON_RECEIVED,
	 filtered_here,
	 "a packet filter rule of this host had just dropped our segment",
	 true,
	 {{CAUSE_FIREWALL_REJECT, 9.0f}}},
	{ON_RECEIVED,
	 filtered_after_idle,
	 "the filter had let this connection pass until it paused for {pause}",
	 true,
	 {{CAUSE_FIREWALL_IDLE_DROP, 6.0f}}},
	{ON_BOTH,
	 soft_error,
	 "an ICMP error had come for this connection",
	 false,
	 {{CAUSE_HALF_OPEN, 0.5f}, {CAUSE_FIREWALL_REJECT, 0.5f}}},
};
const size_t rules_path_count = ARRAY_SIZE(rules_path);

#define NO NOT_A_CANDIDATE
const struct prior rule_priors[] = {
	{CAUSE_STALE_KEEPALIVE, -1.2f, -1.5f},
	{CAUSE_LB_IDLE_TIMEOUT, -2.0f, -2.0f},
	{CAUSE_SERVER_CRASH, -2.5f, -2.0f},
	{CAUSE_FIREWALL_IDLE_DROP, -2.5f, NO},
	{CAUSE_RATE_LIMIT, -3.0f, -3.0f},
	{CAUSE_TLS_HANDSHAKE_FAILURE, -3.0f, -3.0f},
	{CAUSE_DB_POOL_IDLE, -3.0f, -3.0f},
	{CAUSE_MAX_CONNECTIONS, -3.0f, -2.7f},
	{CAUSE_VPN_PROXY_LIMIT, -4.0f, -4.0f},
	{CAUSE_PEER_CLOSED_UNREAD, -0.3f, NO},
	{CAUSE_PEER_ABORTED, -0.6f, NO},
	{CAUSE_HALF_OPEN, -3.0f, NO},
	{CAUSE_MIDDLEBOX_INJECTED, -4.5f, NO},
	{CAUSE_FIREWALL_REJECT, -4.0f, NO},
	{CAUSE_PEER_CLOSED_EARLY, NO, 0.3f},
	{CAUSE_GRACEFUL_RACE, -2.0f, -3.5f},
	{CAUSE_HEALTH_CHECK, -4.5f, NO},
	{CAUSE_PORT_SCAN, -5.0f, NO},
	{CAUSE_ADMIN_ABORT, -5.0f, -6.0f},
	{CAUSE_UNKNOWN, -1.0f, -1.5f},
};
const size_t rule_prior_count = ARRAY_SIZE(rule_priors);
