/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/tcp.h>
#include <string.h>

#include "user/base/base.h"
#include "user/tell/event_text.h"

void event_process_text(const struct event *ev, char *out, size_t size)
{
	char comm[2 * REC_COMM + 2];

	*out = '\0';
	if (!ev->process.known)
		return;
	format_safe(ev->process.comm, comm, sizeof(comm));
	snprintf(out, size, "%s[%lld]", comm, (long long)ev->process.pid);
}

void event_failure_text(const struct event *ev, char *out, size_t size)
{
	const struct fact_call *call = &ev->syscall;
	const char *class = call->known ? call_class_name(call->class) : "";
	const char *name = NULL, *gap = call->known ? " " : "";

	if (call->known && call->errno_nr != NOT_KNOWN)
		name = errno_name(call->errno_nr);
	if (ev->kind == KIND_SENT)
		snprintf(out, size, "%s%ssent RST", class, gap);
	else if (ev->kind == KIND_HANGUP)
		snprintf(out, size, "%s%shang-up", class, gap);
	else if (name)
		snprintf(out, size, "%s %s", class, name);
	else if (call->known && call->errno_nr != NOT_KNOWN)
		snprintf(out, size, "%s errno %lld", class,
			 (long long)call->errno_nr);
	else if (call->known && call->class == CALL_READ)
		snprintf(out, size, "read EOF + RST");
	else if (call->known)
		snprintf(out, size, "%s %s", class, kind_name(ev->kind));
	else
		snprintf(out, size, "%s, not told", kind_name(ev->kind));
}

void event_rate_text(double per_second, char *out, size_t size)
{
	if (per_second >= 1)
		snprintf(out, size, "%.1f/s", per_second);
	else if (per_second * 60 >= 1)
		snprintf(out, size, "%.1f/min", per_second * 60);
	else if (per_second * 3600 >= 1)
		snprintf(out, size, "%.1f/h", per_second * 3600);
	else if (per_second * 86400 >= 0.05 || per_second <= 0)
		snprintf(out, size, "%.1f/d", per_second * 86400);
	else
		snprintf(out, size, "<0.1/d");
}

static bool opening(const struct event *ev)
{
	return ev->kind == KIND_REFUSED || ev->state == TCP_SYN_SENT ||
	       ev->state == TCP_SYN_RECV;
}

/* Whose request it is does not matter: until both have sent, it is the first.
 */
const char *event_stage(const struct event *ev)
{
	if (opening(ev))
		return "syn";
	if (ev->sent_bytes == NOT_KNOWN || ev->received_bytes == NOT_KNOWN)
		return "";
	if (!ev->sent_bytes && !ev->received_bytes)
		return "no_data";
	if (!ev->sent_bytes || !ev->received_bytes ||
	    !strcmp(ev->tls, "handshake"))
		return "first_request";
	return "later";
}

const char *kind_color(enum failure_kind kind)
{
	static const char *const color[KINDS] = {
		[KIND_RECEIVED] = COLOR_RED, [KIND_SENT] = COLOR_YELLOW,
		[KIND_REFUSED] = COLOR_BLUE, [KIND_HANGUP] = COLOR_MAGENTA,
		[KIND_TIMEOUT] = COLOR_CYAN,
	};

	return (unsigned int)kind < KINDS ? color[kind] : NULL;
}
