// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "user/base/base.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* An address as written: mapped ones stay IPv6 here. */
static int parse_plain(const char *text, uint8_t *family, uint8_t ip[16])
{
	memset(ip, 0, 16);
	*family = strchr(text, ':') ? 6 : 4;
	if (inet_pton(*family == 6 ? AF_INET6 : AF_INET, text, ip) != 1)
		return -EINVAL;
	return 0;
}

static bool is_mapped(uint8_t family, const uint8_t ip[16])
{
	return family == 6 && memcmp(ip, mapped, sizeof(mapped)) == 0;
}

static void unmap(uint8_t *family, uint8_t ip[16])
{
	*family = 4;
	memmove(ip, ip + sizeof(mapped), 4);
	memset(ip + 4, 0, 12);
}

int parse_ip(const char *text, uint8_t *family, uint8_t ip[16])
{
	uint8_t fam, addr[16];
	int err = parse_plain(text, &fam, addr);

	if (err)
		return err;
	if (is_mapped(fam, addr))
		unmap(&fam, addr);
	*family = fam;
	memcpy(ip, addr, sizeof(addr));
	return 0;
}

/* The three parts of a peer as text; bits and port are NULL where absent. */
struct parts {
	char text[IP_TEXT + 24];
	char *ip, *bits, *port;
};

/* Ends the text at *at and returns what follows the separator there. */
static char *cut(char *at)
{
	*at = '\0';
	return at + 1;
}

/* "[IP]", "[IP]:PORT", "[IP/BITS]:PORT", "[IP]/BITS:PORT" */
static int split_bracketed(struct parts *p)
{
	char *end = strchr(p->text, ']');
	char *rest, *slash;

	if (!end)
		return -EINVAL;
	p->ip = p->text + 1;
	rest = cut(end);
	slash = strchr(p->ip, '/');
	if (slash) {
		p->bits = cut(slash);
	} else if (*rest == '/') {
		p->bits = rest + 1;
		rest = strchr(rest, ':');
		if (!rest)
			return 0;
	}
	if (*rest == ':')
		p->port = cut(rest);
	else if (*rest != '\0')
		return -EINVAL;
	return strchr(p->ip, ':') ? 0 : -EINVAL; /* brackets are for IPv6 */
}

/* "IP", "IP/BITS", "IP/BITS:PORT", "IPV4:PORT" */
static int split_bare(struct parts *p)
{
	char *slash = strchr(p->text, '/');
	char *colon = strchr(slash ? slash : p->text, ':');

	p->ip = p->text;
	if (slash)
		p->bits = slash + 1;
	/* Without a slash, a second colon makes it an IPv6 address. */
	if (colon && (slash || !strchr(colon + 1, ':')))
		p->port = cut(colon);
	if (slash)
		cut(slash);
	return 0;
}

static int split_peer(const char *text, struct parts *p)
{
	size_t size = strlen(text) + 1;

	if (size > sizeof(p->text))
		return -EINVAL;
	memset(p, 0, sizeof(*p));
	memcpy(p->text, text, size);
	return *text == '[' ? split_bracketed(p) : split_bare(p);
}

/* Bits beyond the prefix say nothing: 10.1.2.3/8 is 10.0.0.0/8. */
static void mask_ip(uint8_t ip[16], unsigned int bits)
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			ip[i] &= (uint8_t)(0xff00 >> keep);
	}
}

int parse_peer(const char *text, uint8_t *family, uint8_t ip[16], uint8_t *bits,
	       int64_t *port)
{
	int64_t prefix, number = -1;
	uint8_t fam, addr[16];
	struct parts p;
	int err = split_peer(text, &p);

	if (!err)
		err = parse_plain(p.ip, &fam, addr);
	if (err)
		return err;
	prefix = fam == 4 ? 32 : 128;
	if (p.bits)
		err = parse_int(p.bits, 0, prefix, &prefix);
	if (!err && p.port)
		err = parse_int(p.port, 1, UINT16_MAX, &number);
	if (err)
		return err;
	if (is_mapped(fam, addr) && prefix >= 96) {
		unmap(&fam, addr);
		prefix -= 96;
	}
	mask_ip(addr, (unsigned int)prefix);
	*family = fam;
	memcpy(ip, addr, sizeof(addr));
	*bits = (uint8_t)prefix;
	*port = number;
	return 0;
}
