/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "user/base/base.h"
#include "user/tell/columns.h"

static void text_id(const struct show *show, const struct event *ev, char *out,
		    size_t size)
{
	(void)show;
	snprintf(out, size, "%lld", (long long)ev->id);
}

static void text_time(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	show_time(show, ev->time_us, out, size);
}

static void text_last_time(const struct show *show, const struct event *ev,
			   char *out, size_t size)
{
	show_time(show, ev->last_time_us, out, size);
}

static void text_process(const struct show *show, const struct event *ev,
			 char *out, size_t size)
{
	(void)show;
	event_process_text(ev, out, size);
}

static void text_failure(const struct show *show, const struct event *ev,
			 char *out, size_t size)
{
	(void)show;
	event_failure_text(ev, out, size);
}

static void text_kind(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s", kind_name(ev->kind));
}

static void text_local(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	format_endpoint(ev->family, ev->local.ip, ev->local.port, out, size);
}

static void text_peer(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	(void)show;
	format_endpoint(ev->family, ev->peer.ip, ev->peer.port, out, size);
}

/* A verdict that is more likely wrong than right is not shown as a fact. */
static void text_cause(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	bool doubtful = ev->verdict.cause != CAUSE_UNKNOWN &&
			ev->verdict.confidence < 0.5;

	(void)show;
	snprintf(out, size, "%s%s", cause_name(ev->verdict.cause),
		 doubtful ? "?" : "");
}

static void text_confidence(const struct show *show, const struct event *ev,
			    char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%.2f", ev->verdict.confidence);
}

static void text_blame(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s", blame_name(ev->verdict.blame));
}

static void text_benign(const struct show *show, const struct event *ev,
			char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s", ev->verdict.benign ? "yes" : "no");
}

static void text_retry(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s", retry_name(ev->verdict.retry));
}

static void text_timeout(const struct show *show, const struct event *ev,
			 char *out, size_t size)
{
	const struct verdict *v = &ev->verdict;
	char part[sizeof(v->timeout_component)];

	(void)show;
	*out = '\0';
	if (!v->timeout_known)
		return;
	format_safe(v->timeout_component, part, sizeof(part));
	snprintf(out, size, "%g s%s%s%s", v->timeout_seconds, *part ? " " : "",
		 part, v->timeout_learned ? " (learned)" : "");
}

static void text_syscall(const struct show *show, const struct event *ev,
			 char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s",
		 ev->syscall.known ? call_class_name(ev->syscall.class) : "");
}

static void text_call(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	(void)show;
	format_safe(ev->syscall.known ? ev->syscall.name : "", out, size);
}

static void text_errno(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	const char *name;

	(void)show;
	*out = '\0';
	if (!ev->syscall.known || ev->syscall.errno_nr == NOT_KNOWN)
		return;
	name = errno_name(ev->syscall.errno_nr);
	if (name)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%lld", (long long)ev->syscall.errno_nr);
}

static void text_delay(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	*out = '\0';
	if (ev->syscall.known && ev->syscall.delay_us != NOT_KNOWN)
		format_duration_ms(ev->syscall.delay_us / 1000.0, out, size);
}

static void text_via(const struct show *show, const struct event *ev, char *out,
		     size_t size)
{
	(void)show;
	snprintf(out, size, "%s", via_name(ev->process.via));
}

static void text_role(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s", role_name(ev->role));
}

static void text_state(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	snprintf(out, size, "%s", tcp_state_name(ev->state));
}

static void text_ttl(const struct show *show, const struct event *ev, char *out,
		     size_t size)
{
	(void)show;
	*out = '\0';
	if (ev->packet_known && ev->ttl != NOT_KNOWN)
		snprintf(out, size, "%lld", (long long)ev->ttl);
}

static void text_other(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	char comm[2 * REC_COMM + 2], did[sizeof(ev->other_did)];

	(void)show;
	*out = '\0';
	if (!ev->other_known)
		return;
	format_safe(ev->other_comm, comm, sizeof(comm));
	format_safe(ev->other_did, did, sizeof(did));
	snprintf(out, size, "%s[%lld] %s", comm, (long long)ev->other_pid, did);
}

#define AT(field)	.offset = offsetof(struct event, field)
#define CALLS(function) .format = FORMAT_FUNCTION, .text = function

const struct column column_table[] = {
	{"id", "ID", "number of the event, for rstscope why", CALLS(text_id),
	 .width = 5, .right = true},
	{"time", "TIME", "when it happened (of folded ones: the first)",
	 CALLS(text_time), .width = 8},
	{"last_time", "LAST", "of folded ones: the last", CALLS(text_last_time),
	 .width = 8},
	{"host", "HOST", "the host that saw it", .format = FORMAT_TEXT,
	 AT(host), .width = 12, .least = 6},
	{"count", "COUNT", "how many alike failures are folded into this one",
	 .format = FORMAT_NUMBER, AT(count), .width = 5, .right = true},
	{"kind", "KIND", "received, sent, refused, hangup or timeout",
	 CALLS(text_kind), .width = 8},
	{"process", "PROCESS", "name and pid", CALLS(text_process), .width = 14,
	 .least = 10},
	{"pid", "PID", "process id", .format = FORMAT_NUMBER, AT(process.pid),
	 .of_process = true, .width = 7, .right = true},
	{"tid", "TID", "the thread that was told", .format = FORMAT_NUMBER,
	 AT(process.tid), .of_process = true, .width = 7, .right = true},
	{"comm", "COMM", "name of the process", .format = FORMAT_TEXT,
	 AT(process.comm), .of_process = true, .width = 12, .least = 6},
	{"exe", "EXE", "path of its program", .format = FORMAT_TEXT,
	 AT(process.exe), .of_process = true, .width = 24, .least = 10},
	{"uid", "UID", "user id", .format = FORMAT_NUMBER, AT(process.uid),
	 .of_process = true, .width = 5, .right = true},
	{"unit", "UNIT", "systemd unit", .format = FORMAT_TEXT,
	 AT(process.unit), .of_process = true, .width = 16, .least = 8},
	{"container", "CONTAINER", "container id", .format = FORMAT_TEXT,
	 AT(process.container), .of_process = true, .width = 12, .least = 12},
	{"pod", "POD", "Kubernetes pod", .format = FORMAT_TEXT, AT(process.pod),
	 .of_process = true, .width = 36, .least = 8},
	{"via", "VIA", "how the process is known: syscall, owner ...",
	 CALLS(text_via), .of_process = true, .width = 8},
	{"failure", "FAILURE", "the call and what it was told",
	 CALLS(text_failure), .width = 18, .least = 12},
	{"syscall", "SYSCALL", "class of the call: read, write, connect ...",
	 CALLS(text_syscall), .width = 7},
	{"call", "CALL", "the kernel's name of the call", CALLS(text_call),
	 .width = 10},
	{"errno", "ERRNO", "what the call returned", CALLS(text_errno),
	 .width = 12},
	{"delay", "DELAY", "from the RST to that call", CALLS(text_delay),
	 .width = 7, .right = true},
	{"local", "LOCAL", "our address and port", CALLS(text_local),
	 .width = 21, .least = 21},
	{"peer", "PEER", "the peer's address and port", CALLS(text_peer),
	 .width = 21, .least = 21},
	{"role", "ROLE", "of our end: client or server", CALLS(text_role),
	 .width = 7},
	{"state", "STATE", "of the socket before: ESTABLISHED ...",
	 CALLS(text_state), .width = 11},
	{"age", "AGE", "since the connection was established",
	 .format = FORMAT_MS, AT(age_ms), .width = 7, .right = true},
	{"idle", "IDLE", "without data before the last exchange",
	 .format = FORMAT_MS, AT(idle_ms), .width = 7, .right = true},
	{"since_send", "SINCE-SEND", "since our last data", .format = FORMAT_MS,
	 AT(since_send_ms), .width = 7, .right = true},
	{"since_receive", "SINCE-RECEIVE", "since the peer's last data",
	 .format = FORMAT_MS, AT(since_receive_ms), .width = 7, .right = true},
	{"sent", "SENT", "data sent", .format = FORMAT_BYTES, AT(sent_bytes),
	 .width = 9, .right = true},
	{"acked", "ACKED", "data sent and acknowledged", .format = FORMAT_BYTES,
	 AT(acked_bytes), .width = 9, .right = true},
	{"received", "RECEIVED", "data received", .format = FORMAT_BYTES,
	 AT(received_bytes), .width = 9, .right = true},
	{"unread", "UNREAD", "data received and not read",
	 .format = FORMAT_BYTES, AT(unread_bytes), .width = 9, .right = true},
	{"srtt", "RTT", "smoothed round-trip time", .format = FORMAT_US,
	 AT(srtt_us), .width = 7, .right = true},
	{"retransmits", "RETRANS", "of data not acknowledged",
	 .format = FORMAT_NUMBER, AT(retransmits), .width = 7, .right = true},
	{"peer_fin", "PEER-FIN", "the peer's FIN had come before",
	 .format = FORMAT_TRI, AT(peer_fin), .width = 8},
	{"tls", "TLS", "how far TLS had come", .format = FORMAT_TEXT, AT(tls),
	 .width = 11},
	{"netns", "NETNS", "network namespace", .format = FORMAT_NUMBER,
	 AT(netns), .width = 10, .right = true},
	{"community_id", "COMMUNITY-ID", "flow hash, as Zeek prints it",
	 .format = FORMAT_TEXT, AT(community_id), .width = 30},
	{"ttl", "TTL", "of the RST", CALLS(text_ttl), .width = 3,
	 .right = true},
	{"reason", "REASON", "the kernel's reason for a RST sent",
	 .format = FORMAT_TEXT, AT(kernel_reason), .width = 20, .least = 8},
	{"other", "OTHER-END", "who did it at the other end, if here",
	 CALLS(text_other), .width = 30, .least = 12},
	{"cause", "CAUSE", "the verdict; ? under 0.5", CALLS(text_cause),
	 .width = 20, .least = 16},
	{"confidence", "CONF", "of the verdict, 0 to 1", CALLS(text_confidence),
	 .width = 4, .right = true},
	{"timeout", "TIMER", "the timer that was recognised",
	 CALLS(text_timeout), .width = 20, .least = 8},
	{"blame", "BLAME", "peer, local, path or unknown", CALLS(text_blame),
	 .width = 7},
	{"benign", "BENIGN", "nothing was lost", CALLS(text_benign),
	 .width = 6},
	{"retry", "RETRY", "safe, if_idempotent, unsafe, useless, unknown",
	 CALLS(text_retry), .width = 13},
	{NULL},
};
_Static_assert(ARRAY_SIZE(column_table) <= COLUMNS_MOST,
	       "chosen[] is too short");

const struct column *column_find(const char *name)
{
	for (const struct column *c = column_table; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static void number_text(const struct column *column, int64_t n, char *out,
			size_t size)
{
	*out = '\0';
	if (n == NOT_KNOWN)
		return;
	switch (column->format) {
	case FORMAT_MS:
		format_duration_ms(n, out, size);
		break;
	case FORMAT_US:
		format_duration_ms(n / 1000.0, out, size);
		break;
	case FORMAT_BYTES:
		format_bytes(n, out, size);
		break;
	default:
		snprintf(out, size, "%lld", (long long)n);
	}
}

void column_text(const struct column *column, const struct show *show,
		 const struct event *ev, char out[COLUMN_TEXT])
{
	const void *field = (const char *)ev + column->offset;

	out[0] = '\0';
	if (column->of_process && !ev->process.known)
		return;
	switch (column->format) {
	case FORMAT_FUNCTION:
		column->text(show, ev, out, COLUMN_TEXT);
		break;
	case FORMAT_TEXT:
		format_safe(field, out, COLUMN_TEXT);
		break;
	case FORMAT_TRI: {
		enum tri tri = *(const enum tri *)field;

		if (tri != TRI_UNKNOWN)
			strcpy(out, tri == TRI_YES ? "yes" : "no");
		break;
	}
	default:
		number_text(column, *(const int64_t *)field, out, COLUMN_TEXT);
	}
}

const char *column_color(const struct column *column, const struct event *ev)
{
	if (!strcmp(column->name, "kind") || !strcmp(column->name, "failure"))
		return kind_color(ev->kind);
	if (strcmp(column->name, "cause") && strcmp(column->name, "confidence"))
		return NULL;
	if (ev->verdict.cause == CAUSE_UNKNOWN || ev->verdict.confidence < 0.5)
		return COLOR_DIM;
	return ev->verdict.confidence >= 0.8 ? COLOR_BOLD : NULL;
}
