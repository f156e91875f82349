/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "user/base/base.h"

/* libsystemd sends there, and takes its absence for success. */
#define SOCKET	      "/run/systemd/journal/socket"
#define QUEUE_EVENTS  4096
#define IDLE_MS	      1000
#define STOP_LIMIT_MS 1000

__attribute__((format(printf, 2, 3))) static void
add(struct journal_entry *entry, const char *fmt, ...)
{
	char *text = entry->text[entry->n];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, JOURNAL_TEXT, fmt, args);
	va_end(args);
	if (n >= JOURNAL_TEXT)
		n = JOURNAL_TEXT - 1;
	entry->iov[entry->n++] = (struct iovec){text, n};
}

void journal_fill(struct journal_entry *entry, const struct event *ev)
{
	char line[EVENT_LINE], peer[IP_TEXT + 8], comm[2 * REC_COMM + 2];

	entry->n = 0;
	event_line(ev, line);
	format_endpoint(ev->family, ev->peer.ip, ev->peer.port, peer,
			sizeof(peer));
	add(entry, "MESSAGE=%s", line);
	add(entry, "PRIORITY=%d", ev->verdict.benign ? LOG_INFO : LOG_WARNING);
	add(entry, "RSTSCOPE_ID=%lld", (long long)ev->id);
	add(entry, "RSTSCOPE_KIND=%s", kind_name(ev->kind));
	add(entry, "RSTSCOPE_CAUSE=%s", cause_name(ev->verdict.cause));
	add(entry, "RSTSCOPE_CONFIDENCE=%.2f", ev->verdict.confidence);
	add(entry, "RSTSCOPE_PEER=%s", peer);
	if (!ev->process.known)
		return;
	format_safe(ev->process.comm, comm, sizeof(comm));
	add(entry, "RSTSCOPE_PID=%lld", (long long)ev->process.pid);
	add(entry, "RSTSCOPE_COMM=%s", comm);
}

static bool sent(const struct event *ev)
{
	struct journal_entry entry;

	if (access(SOCKET, F_OK))
		return false;
	journal_fill(&entry, ev);
	return !sd_journal_sendv(entry.iov, entry.n);
}

static void run(struct outbox *o, void *ctx)
{
	struct event ev;

	(void)ctx;
	for (;;) {
		if (outbox_take(o, &ev, IDLE_MS))
			outbox_settle(o, !sent(&ev));
		else if (outbox_stopping(o))
			return;
	}
}

int journal_start(struct outbox **out)
{
	const struct outbox_config config = {
		.name = "journal",
		.events = QUEUE_EVENTS,
		.run = run,
	};

	if (access(SOCKET, F_OK))
		log_warn("--journal: journald is not there (%s); events for it "
			 "are counted as lost until it is",
			 SOCKET);
	return outbox_start(out, &config);
}

void journal_stop(struct outbox *o)
{
	if (!outbox_stop(o, STOP_LIMIT_MS))
		log_warn("journald hangs: not all events were handed over");
}
