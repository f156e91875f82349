/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILTER as SQL: the one place where statements over events are put together,
 * for every engine. Values are bound, never pasted. Addresses are 16 bytes,
 * IPv4 ones mapped into IPv6, so that a prefix is a range an index can serve.
 */
#ifndef RSTSCOPE_STORE_QUERY_H
#define RSTSCOPE_STORE_QUERY_H

#include "user/store/filter.h"

#define QUERY_TEXT   1024
#define QUERY_PARAMS 24

enum query_type { QUERY_INT, QUERY_STRING, QUERY_BYTES };

struct query_param {
	enum query_type type;
	int64_t number;
	const char *text; /* of the filter, which must outlive the query */
	uint8_t bytes[16];
};

struct query {
	char text[QUERY_TEXT];
	size_t used;
	unsigned int params;
	struct query_param param[QUERY_PARAMS]; /* one per '?', in order */
};

/* SELECT id ...: newest first, at most f->limit. */
void query_ids(struct query *q, const struct filter *f);
/* SELECT brief ...: the newest f->limit, or all of them in any order. */
void query_briefs(struct query *q, const struct filter *f);
/* SELECT COUNT(*), SUM(count); f->limit has no meaning for it. */
void query_count(struct query *q, const struct filter *f);

/* An address as the column peer_ip holds it. */
void query_address(uint8_t family, const uint8_t ip[16], uint8_t out[16]);

#endif
