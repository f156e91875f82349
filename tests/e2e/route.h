/* SPDX-License-Identifier: Apache-2.0 */
/* Three hosts: a client, a router that may interfere, a server. */
#ifndef E2E_ROUTE_H
#define E2E_ROUTE_H

#include <jansson.h>
#include <stdbool.h>

#include "tests/e2e/actor.h"

struct world;

/* The client is the test's own namespace. */
struct route {
	int router, server;
};
struct route route_new(int family);

/* A connection from HOST_A to HOST_D. */
struct far_pair {
	struct route route;
	struct actor *client, *server;
	long listener, c, s, port;
};
struct far_pair far_pair_new(int family);

/* A filter rule; the test is skipped where there is no nf_tables. */
void nft(int netns, const char *chain, const char *rule);

/* What `rstscope doctor --json` prints; json_decref() it. */
json_t *doctor(const struct world *w);
/* Whether the daemon has that probe, as doctor tells it. */
bool probe_is_up(const struct world *w, const char *hook);
/* The RST that a rule sent, where this kernel shows such ones. */
void expect_reject_sent(struct world *w);

/* The sequence number of the peer's next byte. */
long do_receive_next(long fd, long b, long c, long d);
/*
 * An IPv4 RST from HOST_D to HOST_A that the former never sent: ports are
 * FORGED_PORTS(from, to), ack below 0: it carries none.
 */
#define FORGED_PORTS(from, to) ((from) << 16 | (to))
long do_forge_rst(long ports, long seq, long ack, long ttl);

#endif
