/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "user/base/base.h"
#include "user/tell/event_text.h"
#include "user/tell/timeline.h"

/* Inserts behind what came earlier or at the same time. */
static struct moment *insert(struct timeline *t, double ms, const char *fmt,
			     va_list args)
{
	unsigned int at = t->n;
	struct moment *m;

	if (t->n == TIMELINE_MOST)
		return NULL;
	while (at && t->moment[at - 1].ms > ms) {
		t->moment[at] = t->moment[at - 1];
		at--;
	}
	m = &t->moment[at];
	memset(m, 0, sizeof(*m));
	m->ms = ms;
	vsnprintf(m->text, sizeof(m->text), fmt, args);
	t->n++;
	return m;
}

__attribute__((format(printf, 3, 4))) static struct moment *
at_time(struct timeline *t, double ms, const char *fmt, ...)
{
	struct moment *m;
	va_list args;

	va_start(args, fmt);
	m = insert(t, ms, fmt, args);
	va_end(args);
	if (m)
		m->timed = true;
	return m;
}

/* Before what is at `ms`, but when is not known. */
__attribute__((format(printf, 3, 4))) static void
in_order(struct timeline *t, double ms, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	insert(t, ms, fmt, args);
	va_end(args);
}

static void bytes_text(int64_t bytes, const char *what, char *out, size_t size)
{
	char amount[24];

	*out = '\0';
	if (bytes == NOT_KNOWN)
		return;
	format_bytes(bytes, amount, sizeof(amount));
	snprintf(out, size, "%s%s", amount, what);
}

static void add_established(struct timeline *t, const struct event *ev)
{
	static const char *const how[] = {
		[ROLE_UNKNOWN] = "",
		[ROLE_CLIENT] = ", opened by us",
		[ROLE_SERVER] = ", opened by the peer",
	};
	bool role = ev->role == ROLE_CLIENT || ev->role == ROLE_SERVER;

	if (ev->age_ms != NOT_KNOWN)
		at_time(t, -ev->age_ms, "connection established%s",
			role ? how[ev->role] : "");
}

static void add_received(struct timeline *t, const struct event *ev)
{
	char all[48], unread[48];

	/* The kernel's field starts at the handshake: no data, no moment. */
	if (ev->since_receive_ms == NOT_KNOWN || ev->received_bytes == 0)
		return;
	bytes_text(ev->received_bytes, " in all", all, sizeof(all));
	bytes_text(ev->unread_bytes, " never read by us", unread,
		   sizeof(unread));
	at_time(t, -ev->since_receive_ms, "last data received%s%s%s%s%s",
		*all || ev->unread_bytes > 0 ? " (" : "", all,
		*all && ev->unread_bytes > 0 ? ", " : "",
		ev->unread_bytes > 0 ? unread : "",
		*all || ev->unread_bytes > 0 ? ")" : "");
}

static void add_sent(struct timeline *t, const struct event *ev)
{
	char all[48], acked[48];

	if (ev->since_send_ms == NOT_KNOWN || ev->sent_bytes == 0)
		return;
	bytes_text(ev->sent_bytes, " in all", all, sizeof(all));
	bytes_text(ev->acked_bytes, " acknowledged", acked, sizeof(acked));
	at_time(t, -ev->since_send_ms, "our last data sent%s%s%s%s%s",
		*all || *acked ? " (" : "", all, *all && *acked ? ", " : "",
		acked, *all || *acked ? ")" : "");
}

/*
 * idle_ms ends where the last exchange began: at our send, if that was what met
 * the reset, else at the failure itself.
 */
static void add_idle(struct timeline *t, const struct event *ev)
{
	char text[32];
	double end = 0;

	/* What is shorter than that is no idle time. */
	if (ev->idle_ms == NOT_KNOWN || ev->idle_ms < 100)
		return;
	if (ev->since_send_ms != NOT_KNOWN && ev->since_send_ms < ev->idle_ms)
		end = -ev->since_send_ms;
	format_duration_ms(ev->idle_ms, text, sizeof(text));
	in_order(t, end, "... idle for %s ...", text);
}

static void rst_text(const struct event *ev, char *out, size_t size)
{
	int used = 0;

	*out = '\0';
	if (!ev->packet_known)
		return;
	if (ev->ttl != NOT_KNOWN)
		used = snprintf(out, size, ", TTL %lld", (long long)ev->ttl);
	if (ev->handshake_ttl != NOT_KNOWN)
		snprintf(out + used, size - used, ", TTL of the handshake %lld",
			 (long long)ev->handshake_ttl);
}

/* What the failure was, as far as it can be said without a verdict. */
static void failure_text(const struct event *ev, char *out, size_t size)
{
	char who[64], rst[80], reason[64], call[40];
	bool told = ev->syscall.known;

	event_process_text(ev, who, sizeof(who));
	rst_text(ev, rst, sizeof(rst));
	format_safe(ev->kernel_reason, reason, sizeof(reason));
	format_safe(ev->syscall.name, call, sizeof(call));
	switch (ev->kind) {
	case KIND_RECEIVED:
		snprintf(out, size, "RST received%s", rst);
		break;
	case KIND_SENT:
		snprintf(out, size, "RST sent by this host%s%s%s%s%s%s",
			 told ? ", in " : "", told ? call : "",
			 told ? "() of " : "", told ? (*who ? who : "?") : "",
			 *reason ? ", the kernel's reason " : "", reason);
		break;
	case KIND_REFUSED:
		snprintf(out, size, "our SYN was refused%s",
			 ev->packet_known ? " with a RST" : "");
		break;
	case KIND_HANGUP:
		snprintf(out, size,
			 "end of stream (FIN) while an answer was due");
		break;
	default:
		snprintf(out, size, "the kernel gave the connection up");
	}
}

static void add_failure(struct timeline *t, const struct event *ev)
{
	const char *state = tcp_state_name(ev->state);
	char text[256], again[48] = "";
	struct moment *m;

	failure_text(ev, text, sizeof(text));
	if (ev->kind == KIND_TIMEOUT && ev->retransmits > 0)
		snprintf(again, sizeof(again), " after %lld retransmits",
			 (long long)ev->retransmits);
	m = at_time(t, 0, "%s%s%s%s", text, again,
		    ev->state != NOT_KNOWN ? ", state " : "",
		    ev->state != NOT_KNOWN ? state : "");
	if (m)
		m->failure = true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), n = strlen(end);

	return length >= n && !strcmp(text + length - n, end);
}

static void add_other(struct timeline *t, const struct event *ev,
		      const struct event *other)
{
	char comm[2 * REC_COMM + 2], did[sizeof(ev->other_did)], id[40] = "";
	char act[sizeof(did) + 24];

	if (!ev->other_known)
		return;
	format_safe(ev->other_comm, comm, sizeof(comm));
	format_safe(ev->other_did, did, sizeof(did));
	/* "closed the connection 494 ms before": what is told here is its RST
	 */
	if (ends_with(did, " before"))
		snprintf(act, sizeof(act), "which %s, sent the RST", did);
	else
		snprintf(act, sizeof(act), "%s", did);
	if (ev->other_event != NOT_KNOWN)
		snprintf(id, sizeof(id), " (event %lld)",
			 (long long)ev->other_event);
	/*
	 * On one host our end is told while the other still sends, so that the
	 * record of the act may come after that of its effect.
	 */
	if (other && other->time_us < ev->time_us)
		at_time(t, (other->time_us - ev->time_us) / 1000.0,
			"the other end, %s[%lld], %s%s", comm,
			(long long)ev->other_pid, act, id);
	else
		in_order(t, 0, "the other end, %s[%lld], %s%s", comm,
			 (long long)ev->other_pid, act, id);
}

static void add_told(struct timeline *t, const struct event *ev)
{
	char who[64], call[40];
	const char *error = NULL;

	if (!ev->syscall.known || ev->kind == KIND_SENT)
		return;
	event_process_text(ev, who, sizeof(who));
	format_safe(ev->syscall.name, call, sizeof(call));
	if (ev->syscall.errno_nr != NOT_KNOWN)
		error = errno_name(ev->syscall.errno_nr);
	if (!error)
		error = ev->kind == KIND_HANGUP ? "the end of the stream"
						: "of it";
	if (ev->syscall.delay_us != NOT_KNOWN)
		at_time(t, ev->syscall.delay_us / 1000.0,
			"%s was told %s in %s()", *who ? who : "the process",
			error, call);
	else
		in_order(t, HUGE_VAL, "%s was told %s in %s()",
			 *who ? who : "the process", error, call);
}

/* In the order in which those of the same moment are to be shown. */
void timeline_build(struct timeline *t, const struct event *ev,
		    const struct event *other)
{
	t->n = 0;
	add_established(t, ev);
	add_received(t, ev);
	add_idle(t, ev);
	add_sent(t, ev);
	if (ev->peer_fin == TRI_YES && ev->kind != KIND_HANGUP)
		in_order(t, 0, "the peer had closed its side before (FIN)");
	add_other(t, ev, other);
	add_failure(t, ev);
	add_told(t, ev);
}

void moment_time(const struct moment *m, char *out, size_t size)
{
	char text[32];

	if (!m->timed || m->failure) {
		snprintf(out, size, "%s", m->failure ? "0" : "");
		return;
	}
	format_duration_ms(fabs(m->ms), text, sizeof(text));
	snprintf(out, size, "%s%s", m->ms < 0 ? "-" : "+", text);
}
