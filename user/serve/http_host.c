/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a Host header names: the check against DNS rebinding. */
#include <string.h>
#include <strings.h>

#include "user/base/base.h"
#include "user/serve/http.h"

/* The host of a Host header, without its port; false: it is none. */
static bool host_name(const char *host, char *name, size_t size)
{
	const char *end = strrchr(host, ':');
	int64_t port;
	size_t n;

	if (host[0] == '[')
		end = strchr(host, ']') ? strchr(host, ']') + 1 : NULL;
	n = end ? (size_t)(end - host) : strlen(host);
	if (!n || n >= size)
		return false;
	if (host[n] &&
	    (host[n] != ':' || parse_int(host + n + 1, 1, 65535, &port)))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	if (name[n - 1] == '.')
		name[n - 1] = '\0';
	return true;
}

/* "localhost", "127.x.x.x", "[::1]", each with or without a port. */
bool http_host_is_local(const char *host)
{
	uint8_t family, ip[16];
	char name[64];

	if (!host_name(host, name, sizeof(name)))
		return false;
	if (!strcasecmp(name, "localhost") || !strcmp(name, "[::1]"))
		return true;
	return !parse_ip(name, &family, ip) && family == 4 && ip[0] == 127;
}

/* The address in a Host header: "10.0.0.1", "[fd00::1]". */
static bool host_address(char *name, uint8_t *family, uint8_t ip[16])
{
	size_t n = strlen(name);

	if (name[0] != '[')
		return !parse_ip(name, family, ip) && *family == 4;
	if (name[n - 1] != ']')
		return false;
	name[n - 1] = '\0';
	return !parse_ip(name + 1, family, ip);
}

bool http_host_is_ours(const char *host, uint8_t family, const uint8_t ip[16],
		       const char *name)
{
	static const uint8_t any[16];
	uint8_t asked_family, asked[16] = {0};
	char text[256];

	if (http_host_is_local(host))
		return true;
	if (!host_name(host, text, sizeof(text)))
		return false;
	if (!strcasecmp(text, name))
		return true;
	if (!host_address(text, &asked_family, asked))
		return false;
	return !memcmp(ip, any, sizeof(any)) ||
	       (asked_family == family &&
		!memcmp(asked, ip, family == 4 ? 4 : 16));
}
