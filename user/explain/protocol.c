/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "user/base/base.h"
#include "user/explain/protocol.h"

#define SWITCHING_PROTOCOLS 101

static const struct protocol by_label[LABELS] = {
	[LABEL_NONE] = {"", PROTOCOL_UNKNOWN},
	[LABEL_OTHER] = {"", PROTOCOL_UNKNOWN},
	[LABEL_TLS] = {"TLS", PROTOCOL_UNKNOWN},
	[LABEL_HTTP_REQUEST] = {"HTTP", PROTOCOL_HTTP},
	[LABEL_HTTP_ANSWER] = {"HTTP", PROTOCOL_HTTP},
	[LABEL_HTTP2] = {"HTTP/2", PROTOCOL_HTTP},
	[LABEL_PROXY] = {"PROXY", PROTOCOL_PROXY},
	[LABEL_MYSQL] = {"MySQL", PROTOCOL_DATABASE},
	[LABEL_POSTGRES] = {"PostgreSQL", PROTOCOL_DATABASE},
	[LABEL_MONGO] = {"MongoDB", PROTOCOL_DATABASE},
	[LABEL_REDIS] = {"Redis", PROTOCOL_DATABASE},
	[LABEL_SSH] = {"SSH", PROTOCOL_OTHER},
	[LABEL_AMQP] = {"AMQP", PROTOCOL_QUEUE},
	[LABEL_SMTP] = {"SMTP", PROTOCOL_OTHER},
	[LABEL_SOCKS] = {"SOCKS", PROTOCOL_PROXY},
	[LABEL_MQTT] = {"MQTT", PROTOCOL_QUEUE},
};

static const struct {
	uint16_t port;
	struct protocol protocol;
} by_port[] = {
	{22, {"SSH", PROTOCOL_OTHER, true}},
	{25, {"SMTP", PROTOCOL_OTHER, true}},
	{80, {"HTTP", PROTOCOL_HTTP, true}},
	{443, {"HTTPS", PROTOCOL_HTTP, true}},
	{587, {"SMTP", PROTOCOL_OTHER, true}},
	{1080, {"SOCKS", PROTOCOL_PROXY, true}},
	{1194, {"OpenVPN", PROTOCOL_PROXY, true}},
	{1433, {"SQL Server", PROTOCOL_DATABASE, true}},
	{1521, {"Oracle", PROTOCOL_DATABASE, true}},
	{1883, {"MQTT", PROTOCOL_QUEUE, true}},
	{3128, {"HTTP proxy", PROTOCOL_PROXY, true}},
	{3306, {"MySQL", PROTOCOL_DATABASE, true}},
	{5432, {"PostgreSQL", PROTOCOL_DATABASE, true}},
	{5672, {"AMQP", PROTOCOL_QUEUE, true}},
	{6379, {"Redis", PROTOCOL_DATABASE, true}},
	{6380, {"Redis", PROTOCOL_DATABASE, true}},
	{6432, {"PgBouncer", PROTOCOL_DATABASE, true}},
	{8080, {"HTTP", PROTOCOL_HTTP, true}},
	{8443, {"HTTPS", PROTOCOL_HTTP, true}},
	{8883, {"MQTT", PROTOCOL_QUEUE, true}},
	{9042, {"Cassandra", PROTOCOL_DATABASE, true}},
	{9092, {"Kafka", PROTOCOL_QUEUE, true}},
	{9200, {"Elasticsearch", PROTOCOL_HTTP, true}},
	{11211, {"Memcached", PROTOCOL_DATABASE, true}},
	{27017, {"MongoDB", PROTOCOL_DATABASE, true}},
};

uint16_t facts_service_port(const struct facts *f)
{
	if (!f->tuple_known)
		return 0;
	if (f->role == ROLE_SERVER)
		return f->local.port;
	if (f->role == ROLE_CLIENT)
		return f->peer.port;
	return f->listening == TRI_YES ? f->local.port : f->peer.port;
}

static const struct protocol *label_protocol(enum rec_label label)
{
	return (unsigned int)label < LABELS ? &by_label[label] : &by_label[0];
}

static struct protocol port_protocol(const struct facts *f)
{
	uint16_t port = facts_service_port(f);

	for (size_t i = 0; i < ARRAY_SIZE(by_port); i++)
		if (by_port[i].port == port)
			return by_port[i].protocol;
	return (struct protocol){.name = ""};
}

/*
 * Both directions are asked, the service's first bytes last: a client's first
 * bytes may be a proxy's wrapping. TLS says nothing of what is inside, so the
 * port may still name it.
 */
static struct protocol seen_protocol(const struct facts *f)
{
	const struct protocol *out, *in;
	struct protocol port = port_protocol(f);

	if (!f->labels_known)
		return port;
	out = label_protocol(f->first_out);
	in = label_protocol(f->first_in);
	if (out->class != PROTOCOL_UNKNOWN)
		return *out;
	if (in->class != PROTOCOL_UNKNOWN)
		return *in;
	/* What speaks first in the clear and is no HTTP is none by its port. */
	if (port.class == PROTOCOL_HTTP && f->first_out == LABEL_OTHER)
		return *out;
	if (port.class != PROTOCOL_UNKNOWN)
		return port;
	return out->name[0] ? *out : *in;
}

struct protocol facts_protocol(const struct facts *f)
{
	struct protocol p = seen_protocol(f);

	if (p.class == PROTOCOL_HTTP && f->http_status == SWITCHING_PROTOCOLS)
		return (struct protocol){"WebSocket", PROTOCOL_OTHER, false};
	return p;
}
