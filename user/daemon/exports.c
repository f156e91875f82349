/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/exports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/daemon/journal.h"
#include "user/serve/held.h"
#include "user/serve/otlp.h"

struct exports {
	struct held *held;
	struct outbox *journal; /* NULL: off */
	struct otlp *otlp;	/* NULL: off */
};

static void hand_over(const struct event *ev, void *ctx)
{
	struct exports *e = ctx;

	if (e->journal)
		outbox_put(e->journal, ev);
	if (e->otlp)
		outbox_put(otlp_outbox(e->otlp), ev);
}

int exports_start(struct exports **out, const struct config *config,
		  const char *host, char *err, size_t err_size)
{
	const struct otlp_config otlp = {config->otlp, config->otlp_ca, host};
	struct exports *e;
	int rc = 0;

	*out = NULL;
	if (!config->journal && !config->otlp[0])
		return 0;
	e = calloc(1, sizeof(*e));
	if (e)
		e->held = held_new(hand_over, e);
	if (!e || !e->held) {
		snprintf(err, err_size, "out of memory");
		free(e);
		return -ENOMEM;
	}
	if (config->otlp[0])
		rc = otlp_start(&e->otlp, &otlp, err, err_size);
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
	held_advance(e->held, UINT64_MAX);
	otlp_stop(e->otlp);
	journal_stop(e->journal);
	held_free(e->held);
	free(e);
}

bool exports_own(const struct exports *e, const struct event *ev)
{
	return e && e->otlp && otlp_own(e->otlp, ev);
}

void exports_put(struct exports *e, const struct event *ev, int64_t counted)
{
	if (e)
		held_put(e->held, ev, counted > 0);
}

void exports_advance(struct exports *e, uint64_t now_ns)
{
	if (e)
		held_advance(e->held, now_ns);
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
