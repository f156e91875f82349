/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the JSON of event.schema.json. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event_fields.h"

#define TEXT_MAX 512

/* A process name may hold any byte; JSON must be valid UTF-8. */
static json_t *text_json(const char *text)
{
	char safe[TEXT_MAX];

	format_safe(text, safe, sizeof(safe));
	return json_string(safe);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? text_json(text) : json_null();
}

/* Whole numbers are written without a fraction. */
static json_t *number_json(double value)
{
	if (!isfinite(value))
		return json_null();
	if (value == floor(value) && fabs(value) < 1e15)
		return json_integer((json_int_t)value);
	return json_real(value);
}

json_t *event_time_json(int64_t us)
{
	char text[TIME_TEXT];

	format_time_utc(us, text);
	return json_string(text);
}

/* A number without a name is shown as "E123". */
static json_t *errno_json(int64_t nr)
{
	const char *name = errno_name(nr);
	char text[24];

	if (name)
		return json_string(name);
	snprintf(text, sizeof(text), "E%lld", (long long)nr);
	return json_string(text);
}

static json_t *end_json(const struct event *ev, const struct endpoint *end)
{
	char ip[IP_TEXT];

	format_ip(ev->family == 6 ? 6 : 4, end->ip, ip);
	return json_pack("{s:s, s:i}", "ip", ip, "port", (int)end->port);
}

static json_t *tri_json(enum tri value)
{
	if (value == TRI_UNKNOWN)
		return json_null();
	return json_boolean(value == TRI_YES);
}

static int64_t int_at(const struct event *ev, size_t offset)
{
	int64_t value;

	memcpy(&value, event_peek(ev, offset), sizeof(value));
	return value;
}

static int enum_at(const struct event *ev, size_t offset)
{
	int value;

	memcpy(&value, event_peek(ev, offset), sizeof(value));
	return value;
}

/* No count, time or size of an event is negative: that is "not observed". */
static json_t *int_json(int64_t value, bool required)
{
	if (value < 0 && !required)
		return json_null();
	return json_integer(value);
}

static json_t *signed_json(const struct event *ev, const struct event_field *f)
{
	if (!*(const bool *)event_peek(ev, f->aux))
		return json_null();
	return json_integer(int_at(ev, f->offset));
}

static json_t *field_json(const struct event *ev, const struct event_field *f)
{
	const void *at = event_peek(ev, f->offset);
	int64_t value;

	switch (f->type) {
	case FIELD_INT:
		return int_json(int_at(ev, f->offset),
				f->rules & FIELD_REQUIRED);
	case FIELD_SIGNED:
		return signed_json(ev, f);
	case FIELD_TEXT:
		return text_or_null(at);
	case FIELD_NAME:
		return text_json(at);
	case FIELD_TRI:
		return tri_json((enum tri)enum_at(ev, f->offset));
	case FIELD_ENUM:
		return json_string(f->names->name(enum_at(ev, f->offset)));
	case FIELD_FAMILY:
		return json_string(*(const uint8_t *)at == 6 ? "ipv6" : "ipv4");
	case FIELD_TIME:
		value = int_at(ev, f->offset);
		return value < 0 && !(f->rules & FIELD_REQUIRED)
			       ? json_null()
			       : event_time_json(value < 0 ? 0 : value);
	case FIELD_ERRNO:
		value = int_at(ev, f->offset);
		return value < 0 ? json_null() : errno_json(value);
	case FIELD_END:
		return end_json(ev, at);
	}
	return NULL;
}

static int fields_json(const struct event *ev, const struct event_field *f,
		       json_t *into)
{
	for (; f->name; f++) {
		json_t *value = field_json(ev, f);

		if (json_is_null(value) && (f->rules & FIELD_ABSENT))
			continue;
		if (json_object_set_new(into, f->name, value))
			return -1;
	}
	return 0;
}

/* A process without a pid cannot be shown as one. */
static bool group_known(const struct event *ev, const struct event_group *g)
{
	if (!g->tag)
		return true;
	if (!*(const bool *)event_peek(ev, g->known))
		return false;
	return g->fields[0].type != FIELD_INT ||
	       !(g->fields[0].rules & FIELD_REQUIRED) ||
	       int_at(ev, g->fields[0].offset) >= 0;
}

static int group_json(const struct event *ev, const struct event_group *g,
		      json_t *top)
{
	json_t *object;

	if (!g->name)
		return fields_json(ev, g->fields, top);
	if (!group_known(ev, g))
		return json_object_set_new(top, g->name, json_null());
	object = json_object();
	if (!object || fields_json(ev, g->fields, object)) {
		json_decref(object);
		return -1;
	}
	return json_object_set_new(top, g->name, object);
}

static double clamp_share(double share)
{
	if (!(share > 0)) /* also NaN */
		return 0;
	return share < 1 ? share : 1;
}

static json_t *timeout_json(const struct verdict *v)
{
	json_t *seconds;

	if (!v->timeout_known)
		return json_null();
	seconds = number_json(v->timeout_seconds);
	if (!json_is_number(seconds)) {
		json_decref(seconds);
		return json_null();
	}
	return json_pack("{s:o, s:o, s:b}", "seconds", seconds, "component",
			 text_json(v->timeout_component), "learned",
			 v->timeout_learned);
}

static json_t *evidence_json(const struct verdict *v)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < v->evidences && i < VERDICT_EVIDENCE; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:b}", "fact",
					text_json(v->evidence[i].fact),
					"supports", v->evidence[i].supports));
	return list;
}

static json_t *alternatives_json(const struct verdict *v)
{
	unsigned int n = v->alternatives;
	json_t *list = json_array();

	for (unsigned int i = 0; i < n && i < VERDICT_ALTERNATIVES; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:o}", "name",
				  cause_name(v->alternative[i].cause),
				  "confidence",
				  number_json(clamp_share(
					  v->alternative[i].confidence))));
	return list;
}

static json_t *cause_json(const struct verdict *v)
{
	return json_pack("{s:s, s:o, s:s, s:b, s:o, s:o, s:o}", "name",
			 cause_name(v->cause), "confidence",
			 number_json(clamp_share(v->confidence)), "blame",
			 blame_name(v->blame), "benign", v->benign, "timeout",
			 timeout_json(v), "evidence", evidence_json(v),
			 "alternatives", alternatives_json(v));
}

static json_t *advice_json(const struct verdict *v)
{
	json_t *fixes = json_array();

	for (unsigned int i = 0; i < v->fixes && i < VERDICT_FIXES; i++)
		json_array_append_new(fixes, text_json(v->fix[i]));
	return json_pack("{s:s, s:o}", "retry", retry_name(v->retry), "fixes",
			 fixes);
}

json_t *event_to_json(const struct event *ev)
{
	json_t *top = json_object();

	if (!top || json_object_set_new(top, "schema", json_integer(1)))
		goto fail;
	for (const struct event_group *g = event_groups; g->fields; g++)
		if (group_json(ev, g, top))
			goto fail;
	if (json_object_set_new(top, "cause", cause_json(&ev->verdict)) ||
	    json_object_set_new(top, "advice", advice_json(&ev->verdict)))
		goto fail;
	return top;
fail:
	json_decref(top);
	return NULL;
}

char *event_to_line(const struct event *ev)
{
	json_t *json = event_to_json(ev);
	char *line = event_json_line(json);

	json_decref(json);
	return line;
}

char *event_json_line(const json_t *json)
{
	char *text, *line = NULL;

	/* Six digits: confidences and seconds need no more, and 0.9 stays. */
	text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6))
		    : NULL;
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}
