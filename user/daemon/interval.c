/* SPDX-License-Identifier: Apache-2.0 */
#include "user/base/base.h"
#include "user/daemon/interval.h"

void interval_start(struct interval *i, int64_t now_us, uint64_t client,
		    uint64_t server)
{
	*i = (struct interval){
		.now = {.from_us = now_us, .until_us = now_us},
		.client = client,
		.server = server,
		.last_client = client,
		.last_server = server,
	};
}

void interval_update(struct interval *i, int64_t now_us, uint64_t client,
		     uint64_t server)
{
	struct store_connections *c = &i->now;

	if (now_us <= c->until_us) /* the clock was set back */
		interval_start(i, now_us - 1, i->last_client, i->last_server);
	else if (c->until_us - c->from_us >= INTERVAL_US)
		interval_start(i, c->until_us, i->last_client, i->last_server);
	c->until_us = now_us;
	c->client = (int64_t)(client - i->client);
	c->server = (int64_t)(server - i->server);
	i->last_client = client;
	i->last_server = server;
}
