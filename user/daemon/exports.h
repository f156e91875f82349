/* SPDX-License-Identifier: Apache-2.0 */
/* Where kept events go besides the store: --journal and --otlp. */
#ifndef RSTSCOPE_EXPORTS_H
#define RSTSCOPE_EXPORTS_H

#include "user/daemon/config.h"
#include "user/serve/outbox.h"

struct exports;

/* 0 or -errno with one line in err. NULL in *out: nothing is asked for. */
int exports_start(struct exports **out, const struct config *config,
		  const char *host, char *err, size_t err_size);
void exports_stop(struct exports *e);

/* A failure of our own connection out: telling of it would make the next. */
bool exports_own(const struct exports *e, const struct event *ev);
/* Each event once, as it is when it is handed over. Never blocks. */
void exports_put(struct exports *e, const struct event *ev);
/* False: nothing is exported. */
bool exports_get_stats(struct exports *e, struct outbox_stats *stats);

#endif
