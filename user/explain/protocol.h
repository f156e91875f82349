/* SPDX-License-Identifier: Apache-2.0 */
/* Which protocol a connection speaks: by its first bytes, else by its port. */
#ifndef RSTSCOPE_PROTOCOL_H
#define RSTSCOPE_PROTOCOL_H

#include "user/observe/facts.h"

enum protocol_class {
	PROTOCOL_UNKNOWN,
	PROTOCOL_HTTP,	   /* request and answer, kept alive */
	PROTOCOL_DATABASE, /* pooled sessions */
	PROTOCOL_QUEUE,	   /* brokers: long-lived, either side may speak */
	PROTOCOL_PROXY,	   /* SOCKS, CONNECT, PROXY header, VPN */
	PROTOCOL_OTHER,
};

struct protocol {
	const char *name; /* "PostgreSQL"; "" where nothing tells */
	enum protocol_class class;
	bool by_port; /* a guess by the port alone */
};

struct protocol facts_protocol(const struct facts *f);

/* The port of the service: the peer's for a client, ours for a server. */
uint16_t facts_service_port(const struct facts *f);

#endif
