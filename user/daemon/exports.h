/* SPDX-License-Identifier: Apache-2.0 */
/* Where kept events go besides the store: --journal and --otlp. */
#ifndef RSTSCOPE_EXPORTS_H
#define RSTSCOPE_EXPORTS_H

#include "user/daemon/config.h"
#include "user/serve/outbox.h"

struct exports;

/*
 * 0 or -errno with one line in err; -EINVAL: the configuration is at fault.
 * NULL in *out: nothing is asked for.
 */
int exports_start(struct exports **out, const struct config *config,
		  const char *host, char *err, size_t err_size);
/* Hands over all that waits, within 2 s. */
void exports_stop(struct exports *e);

/* A failure of our own connection out: telling of it would make the next. */
bool exports_own(const struct exports *e, const struct event *ev);
/*
 * Each failure once, when its verdict is final (see final.h). `counted` as in
 * pipeline.h. Never blocks.
 */
void exports_put(struct exports *e, const struct event *ev, int64_t counted);
/* Hands over what is final by now_ns (CLOCK_MONOTONIC). */
void exports_advance(struct exports *e, uint64_t now_ns);
/* False: nothing is exported. */
bool exports_get_stats(struct exports *e, struct outbox_stats *stats);

#endif
