/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept events for journald, so that `journalctl RSTSCOPE_CAUSE=...` finds them.
 * A thread of its own sends them: journald may be slow or away.
 */
#ifndef RSTSCOPE_JOURNAL_H
#define RSTSCOPE_JOURNAL_H

#include <sys/uio.h>

#include "user/serve/event_line.h"
#include "user/serve/outbox.h"

#define JOURNAL_FIELDS 9
#define JOURNAL_TEXT   (EVENT_LINE + 32)

struct journal_entry {
	char text[JOURNAL_FIELDS][JOURNAL_TEXT]; /* "NAME=value" */
	struct iovec iov[JOURNAL_FIELDS];	 /* into text */
	int n;
};

/* What journald is told of an event; one that is not known has no field. */
void journal_fill(struct journal_entry *entry, const struct event *ev);

/* 0 or -errno. A journald that is not there is no error, but one warning. */
int journal_start(struct outbox **out);
void journal_stop(struct outbox *o);

#endif
