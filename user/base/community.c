// SPDX-License-Identifier: Apache-2.0
/*
 * Community ID version 1, the flow identifier that Zeek, Suricata and others
 * share: "1:" and the base64 of SHA-1 over seed, the two ends in ascending
 * order, protocol, one byte of padding, ports; all in network order.
 */
#include <netinet/in.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include "user/base/base.h"

/* seed 2, addresses 2 x 16, protocol 1, padding 1, ports 2 x 2 */
#define FLOW_MAX 40

static bool is_ordered(size_t ip_size, const uint8_t *a, uint16_t a_port,
		       const uint8_t *b, uint16_t b_port)
{
	int order = memcmp(a, b, ip_size);

	return order < 0 || (order == 0 && a_port <= b_port);
}

static size_t put(uint8_t *at, const void *data, size_t size)
{
	memcpy(at, data, size);
	return size;
}

static size_t put_port(uint8_t *at, uint16_t port)
{
	at[0] = (uint8_t)(port >> 8);
	at[1] = (uint8_t)port;
	return 2;
}

void community_id(uint8_t family, const uint8_t a[16], uint16_t a_port,
		  const uint8_t b[16], uint16_t b_port, char out[40])
{
	size_t ip_size = family == 4 ? 4 : 16;
	bool ordered = is_ordered(ip_size, a, a_port, b, b_port);
	uint8_t flow[FLOW_MAX] = {0};
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;
	size_t n = 2; /* the seed, 0 */

	n += put(flow + n, ordered ? a : b, ip_size);
	n += put(flow + n, ordered ? b : a, ip_size);
	flow[n++] = IPPROTO_TCP;
	flow[n++] = 0;
	n += put_port(flow + n, ordered ? a_port : b_port);
	n += put_port(flow + n, ordered ? b_port : a_port);

	sha1_init(&sha1);
	sha1_update(&sha1, n, flow);
	sha1_digest(&sha1, sizeof(digest), digest);
	memcpy(out, "1:", 2);
	base64_encode_raw(out + 2, sizeof(digest), digest);
	out[2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)] = '\0';
}
