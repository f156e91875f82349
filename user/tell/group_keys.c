/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "user/base/base.h"
#include "user/tell/groups.h"

static void text_peer(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	char ip[IP_TEXT];

	(void)show;
	format_ip(ev->family, ev->peer.ip, ip);
	snprintf(out, size, "%s", ip);
}

/* As networks are dealt out: 256 IPv4 addresses, one IPv6 link. */
static void text_subnet(const struct show *show, const struct event *ev,
			char *out, size_t size)
{
	size_t kept = ev->family == 6 ? 8 : 3;
	uint8_t network[16] = {0};
	char ip[IP_TEXT];

	(void)show;
	memcpy(network, ev->peer.ip, kept);
	format_ip(ev->family, network, ip);
	snprintf(out, size, "%s/%zu", ip, kept * 8);
}

/* The port of the service; where the role is not known, the lower one. */
static void text_port(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	unsigned int local = ev->local.port, peer = ev->peer.port;
	bool ours = ev->role == ROLE_SERVER ||
		    (ev->role != ROLE_CLIENT && local < peer);

	(void)show;
	snprintf(out, size, "%u", ours ? local : peer);
}

static void text_hour(const struct show *show, const struct event *ev,
		      char *out, size_t size)
{
	bool utc = show->utc || !show->terminal;
	struct tm tm;

	show_split_time(ev->time_us, utc, &tm);
	strftime(out, size, utc ? "%FT%H:00Z" : "%F %H:00", &tm);
}

static void text_stage(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	text_copy(out, size, event_stage(ev));
}

static void text_cause(const struct show *show, const struct event *ev,
		       char *out, size_t size)
{
	(void)show;
	text_copy(out, size, cause_name(ev->verdict.cause));
}

#define FIELD(member)                                                          \
	{                                                                      \
		offsetof(struct event, member),                                \
			sizeof(((struct event *)0)->member), true              \
	}
#define STRING(member)                                                         \
	{                                                                      \
		offsetof(struct event, member), 0, true                        \
	}

const struct group_key group_keys[] = {
	{"cause", "CAUSE", "the verdict", text_cause, NULL,
	 .field = {FIELD(verdict.cause)}},
	{"process", "PROCESS", "name of the process", NULL, "comm",
	 .field = {FIELD(process.known), STRING(process.comm)}},
	{"peer", "PEER", "address of the peer", text_peer, NULL,
	 .field = {FIELD(family), FIELD(peer.ip)}},
	{"subnet", "SUBNET", "network of the peer: /24, or /64 of IPv6",
	 text_subnet, NULL, .field = {FIELD(family), FIELD(peer.ip)}},
	{"port", "PORT", "port of the service", text_port, NULL},
	{"syscall", "SYSCALL", "class of the call", NULL, "syscall",
	 .field = {FIELD(syscall.known), FIELD(syscall.class)}},
	{"stage", "STAGE", "how far the connection had come", text_stage, NULL},
	{"unit", "UNIT", "systemd unit", NULL, "unit",
	 .field = {FIELD(process.known), STRING(process.unit)}},
	{"container", "CONTAINER", "container id", NULL, "container",
	 .field = {FIELD(process.known), STRING(process.container)}},
	{"host", "HOST", "host that saw it", NULL, "host",
	 .field = {STRING(host)}},
	{"hour", "HOUR", "hour of the day it was", text_hour, NULL},
	{"kind", "KIND", "received, sent ...", NULL, "kind",
	 .field = {FIELD(kind)}},
	{"blame", "BLAME", "peer, local, path", NULL, "blame",
	 .field = {FIELD(verdict.blame)}},
	{"retry", "RETRY", "whether a retry is safe", NULL, "retry",
	 .field = {FIELD(verdict.retry)}},
	{NULL},
};

const struct group_key *group_key_find(const char *name)
{
	for (const struct group_key *k = group_keys; k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

void group_key_text(const struct group_key *k, const struct show *show,
		    const struct event *ev, char out[COLUMN_TEXT])
{
	if (k->text)
		k->text(show, ev, out, COLUMN_TEXT);
	else
		column_text(column_find(k->column), show, ev, out);
}
