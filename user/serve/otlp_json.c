/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/otlp_json.h"

#include <string.h>

#include "user/base/base.h"
#include "user/serve/event_line.h"
#include "version.h"

/* SeverityNumber of the logs data model. */
enum severity { SEVERITY_INFO = 9, SEVERITY_WARN = 13 };

/* Takes value over. */
static void add(json_t *list, const char *key, const char *type, json_t *value)
{
	json_array_append_new(list, json_pack("{s:s, s:{s:o}}", "key", key,
					      "value", type, value));
}

/* What is not known is left out. */
static void add_text(json_t *list, const char *key, const char *text)
{
	char safe[512];

	format_safe(text, safe, sizeof(safe));
	if (*safe)
		add(list, key, "stringValue", json_string(safe));
}

/* 64 bits are text in the JSON of Protocol Buffers. */
static void add_number(json_t *list, const char *key, int64_t n)
{
	if (n != NOT_KNOWN)
		add(list, key, "intValue", json_sprintf("%lld", (long long)n));
}

static void add_process(json_t *list, const struct event_process *p)
{
	const char *name = strrchr(p->exe, '/');

	if (!p->known)
		return;
	add_number(list, "process.pid", p->pid);
	add_text(list, "process.executable.path", p->exe);
	add_text(list, "process.executable.name", name ? name + 1 : p->exe);
	add_text(list, "container.id", p->container);
	add_text(list, "k8s.pod.uid", p->pod);
	add_text(list, "rstscope.comm", p->comm);
	add_text(list, "rstscope.unit", p->unit);
}

static void add_connection(json_t *list, const struct event *ev)
{
	char ip[IP_TEXT];

	add_text(list, "network.transport", "tcp");
	add_text(list, "network.type", ev->family == 4 ? "ipv4" : "ipv6");
	format_ip(ev->family, ev->peer.ip, ip);
	add_text(list, "network.peer.address", ip);
	add_number(list, "network.peer.port", ev->peer.port);
	format_ip(ev->family, ev->local.ip, ip);
	add_text(list, "network.local.address", ip);
	add_number(list, "network.local.port", ev->local.port);
	add_text(list, "rstscope.role", role_name(ev->role));
	add_text(list, "rstscope.state", tcp_state_name(ev->state));
	add_number(list, "rstscope.age_ms", ev->age_ms);
	add_number(list, "rstscope.idle_ms", ev->idle_ms);
}

/* The errno that the program got, or else what kind of failure it is. */
static void add_error(json_t *list, const struct event *ev)
{
	const struct fact_call *call = &ev->syscall;
	const char *error = NULL;

	if (call->known && call->errno_nr != NOT_KNOWN)
		error = errno_name(call->errno_nr);
	add_text(list, "error.type", error ? error : kind_name(ev->kind));
	if (call->known)
		add_text(list, "rstscope.syscall",
			 call_class_name(call->class));
}

static void add_verdict(json_t *list, const struct verdict *v)
{
	add_text(list, "rstscope.cause", cause_name(v->cause));
	add(list, "rstscope.confidence", "doubleValue",
	    json_real(v->confidence));
	add_text(list, "rstscope.blame", blame_name(v->blame));
	add(list, "rstscope.benign", "boolValue", json_boolean(v->benign));
	add_text(list, "rstscope.retry", retry_name(v->retry));
}

static json_t *attributes(const struct event *ev)
{
	json_t *list = json_array();

	add_number(list, "rstscope.id", ev->id);
	add_text(list, "rstscope.kind", kind_name(ev->kind));
	add_number(list, "rstscope.count", ev->count);
	add_process(list, &ev->process);
	add_connection(list, ev);
	add_error(list, ev);
	add_verdict(list, &ev->verdict);
	return list;
}

static json_t *time_text(int64_t us)
{
	return json_sprintf("%lld000", (long long)us);
}

json_t *otlp_record(const struct event *ev, int64_t observed_us)
{
	bool benign = ev->verdict.benign;
	char line[EVENT_LINE];

	event_line(ev, line);
	return json_pack(
		"{s:o, s:o, s:i, s:s, s:s, s:{s:s}, s:o}", "timeUnixNano",
		time_text(ev->time_us), "observedTimeUnixNano",
		time_text(observed_us), "severityNumber",
		benign ? SEVERITY_INFO : SEVERITY_WARN, "severityText",
		benign ? "INFO" : "WARN", "eventName", "rstscope.failure",
		"body", "stringValue", line, "attributes", attributes(ev));
}

json_t *otlp_request(json_t *records, const char *host)
{
	json_t *resource = json_array();

	add_text(resource, "service.name", "rstscope");
	add_text(resource, "service.version", RSTSCOPE_VERSION);
	add_text(resource, "host.name", host);
	return json_pack("{s:[{s:{s:o}, s:[{s:{s:s, s:s}, s:o}]}]}",
			 "resourceLogs", "resource", "attributes", resource,
			 "scopeLogs", "scope", "name", "rstscope", "version",
			 RSTSCOPE_VERSION, "logRecords", records);
}

/* 64 bits are text in the JSON of Protocol Buffers; some write a number. */
static uint64_t number_of(const json_t *value)
{
	const char *text = json_string_value(value);
	int64_t n = json_integer_value(value);

	if (text && parse_int(text, 0, INT64_MAX, &n))
		n = 0;
	return n > 0 ? (uint64_t)n : 0;
}

bool otlp_rejection(const char *answer, size_t size, struct otlp_rejection *out)
{
	json_t *root = json_loadb(answer, size, 0, NULL);
	const json_t *partial = json_object_get(root, "partialSuccess");
	const char *why =
		json_string_value(json_object_get(partial, "errorMessage"));

	out->events = number_of(json_object_get(partial, "rejectedLogRecords"));
	text_copy(out->why, sizeof(out->why), why ? why : "");
	json_decref(root);
	return out->events || out->why[0];
}
