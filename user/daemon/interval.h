/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The counters of connections, which only grow, as intervals of a minute: what
 * the store keeps, so that failures of any window are a share of something.
 */
#ifndef RSTSCOPE_INTERVAL_H
#define RSTSCOPE_INTERVAL_H

#include "user/store/store.h"

#define INTERVAL_US (60 * USEC_PER_SEC)

struct interval {
	struct store_connections now; /* the one under way */
	uint64_t client, server;      /* the counters at its start */
	uint64_t last_client, last_server;
};

void interval_start(struct interval *i, int64_t now_us, uint64_t client,
		    uint64_t server);
/* Brings `now` up to date; after a minute another begins where it ended. */
void interval_update(struct interval *i, int64_t now_us, uint64_t client,
		     uint64_t server);

#endif
