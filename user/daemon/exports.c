/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/exports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/daemon/journal.h"
#include "user/serve/otlp.h"

struct exports {
	struct outbox *journal; /* NULL: off */
	struct otlp *otlp;	/* NULL: off */
};

int exports_start(struct exports **out, const struct config *config,
		  const char *host, char *err, size_t err_size)
{
	struct exports *e;
	int rc = 0;

	*out = NULL;
	if (!config->journal && !config->otlp[0])
		return 0;
	e = calloc(1, sizeof(*e));
	if (!e) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	if (config->otlp[0])
		rc = otlp_start(&e->otlp, config->otlp, host, err, err_size);
	if (!rc && config->journal) {
		rc = journal_start(&e->journal);
		if (rc)
			snprintf(err, err_size, "--journal does not start: %s",
				 strerror(-rc));
	}
	*out = e;
	return rc;
}

void exports_stop(struct exports *e)
{
	if (!e)
		return;
	otlp_stop(e->otlp);
	journal_stop(e->journal);
	free(e);
}

bool exports_own(const struct exports *e, const struct event *ev)
{
	return e && e->otlp && otlp_own(e->otlp, ev);
}

void exports_put(struct exports *e, const struct event *ev)
{
	if (!e)
		return;
	if (e->journal)
		outbox_put(e->journal, ev);
	if (e->otlp)
		outbox_put(otlp_outbox(e->otlp), ev);
}

static void add_stats(struct outbox *o, struct outbox_stats *sum)
{
	struct outbox_stats s;

	outbox_get_stats(o, &s);
	sum->seen += s.seen;
	sum->lost += s.lost;
	if (s.lag_us > sum->lag_us)
		sum->lag_us = s.lag_us;
}

bool exports_get_stats(struct exports *e, struct outbox_stats *stats)
{
	if (!e)
		return false;
	*stats = (struct outbox_stats){0, 0, 0};
	if (e->journal)
		add_stats(e->journal, stats);
	if (e->otlp)
		add_stats(otlp_outbox(e->otlp), stats);
	return true;
}
