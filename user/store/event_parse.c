/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the JSON of event.schema.json to an event. Strict about types, lenient
 * about what is absent: that was not observed. Unknown keys are refused, as
 * the schema does.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/event_fields.h"

struct parse {
	struct event *ev;
	char *err;
	size_t err_size;
};

static int refuse(const struct parse *p, const char *where, const char *name,
		  const char *what)
{
	char safe[64]; /* a name may come from outside */

	format_safe(name, safe, sizeof(safe));
	snprintf(p->err, p->err_size, "event: %s%s%s %s", where ? where : "",
		 where ? "." : "", safe, what);
	return -EINVAL;
}

static void int_put(struct event *ev, size_t offset, int64_t value)
{
	memcpy(event_at(ev, offset), &value, sizeof(value));
}

static void enum_put(struct event *ev, size_t offset, int value)
{
	memcpy(event_at(ev, offset), &value, sizeof(value));
}

static int text_put(char *out, size_t size, const json_t *value)
{
	if (!json_is_string(value) || json_string_length(value) >= size)
		return -EINVAL;
	memcpy(out, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

/* A number of the schema may have a fraction; a fact here is whole. */
static int int_parse(const json_t *value, int64_t *out)
{
	double real;

	if (json_is_integer(value)) {
		*out = json_integer_value(value);
		return *out < 0 ? -EINVAL : 0;
	}
	if (!json_is_real(value))
		return -EINVAL;
	real = json_real_value(value);
	if (!(real >= 0 && real < 9e15))
		return -EINVAL;
	*out = llround(real);
	return 0;
}

static int time_parse(const json_t *value, int64_t *out)
{
	const char *text = json_string_value(value);
	size_t size = text ? strlen(text) : 0;

	/* The shape first: parse_time_us() takes much more than RFC 3339. */
	if (size < 20 || text[10] != 'T' || text[size - 1] != 'Z')
		return -EINVAL;
	return parse_time_us(text, 0, out) ? -EINVAL : 0;
}

static int errno_parse(const json_t *value, int64_t *out)
{
	const char *text = json_string_value(value);
	int nr;

	if (!text)
		return -EINVAL;
	nr = errno_by_name(text);
	if (nr > 0) {
		*out = nr;
		return 0;
	}
	return text[0] == 'E' && !parse_int(text + 1, 0, 4095, out) ? 0
								    : -EINVAL;
}

static int end_parse(struct event *ev, const json_t *value,
		     struct endpoint *out)
{
	const char *text = json_string_value(json_object_get(value, "ip"));
	const json_t *port = json_object_get(value, "port");
	uint8_t family, ip[16] = {0};

	if (!text || !json_is_integer(port) || json_object_size(value) != 2)
		return -EINVAL;
	if (json_integer_value(port) < 0 || json_integer_value(port) > 65535)
		return -EINVAL;
	if (parse_ip(text, &family, ip) || family != ev->family)
		return -EINVAL;
	memcpy(out->ip, ip, sizeof(out->ip));
	out->port = (uint16_t)json_integer_value(port);
	return 0;
}

static int enum_parse(struct event *ev, const struct event_field *f,
		      const json_t *value)
{
	const char *text = json_string_value(value);
	int number = text ? f->names->by_name(text) : -EINVAL;

	if (number < NOT_KNOWN)
		return -EINVAL;
	enum_put(ev, f->offset, number);
	return 0;
}

static int family_parse(struct event *ev, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "ipv4") && strcmp(text, "ipv6")))
		return -EINVAL;
	ev->family = text[3] == '4' ? 4 : 6;
	return 0;
}

static int number_parse(struct event *ev, const struct event_field *f,
			const json_t *value)
{
	int64_t number;
	int err;

	if (f->type == FIELD_TIME)
		err = time_parse(value, &number);
	else if (f->type == FIELD_ERRNO)
		err = errno_parse(value, &number);
	else
		err = int_parse(value, &number);
	if (!err)
		int_put(ev, f->offset, number);
	return err;
}

static int field_parse(struct event *ev, const struct event_field *f,
		       const json_t *value)
{
	switch (f->type) {
	case FIELD_INT:
	case FIELD_TIME:
	case FIELD_ERRNO:
		return number_parse(ev, f, value);
	case FIELD_SIGNED:
		if (!json_is_integer(value))
			return -EINVAL;
		int_put(ev, f->offset, json_integer_value(value));
		*(bool *)event_at(ev, f->aux) = true;
		return 0;
	case FIELD_TEXT:
	case FIELD_NAME:
		return text_put(event_at(ev, f->offset), f->size, value);
	case FIELD_TRI:
		if (!json_is_boolean(value))
			return -EINVAL;
		enum_put(ev, f->offset, json_is_true(value));
		return 0;
	case FIELD_ENUM:
		return enum_parse(ev, f, value);
	case FIELD_FAMILY:
		return family_parse(ev, value);
	case FIELD_END:
		return end_parse(ev, value, event_at(ev, f->offset));
	}
	return -EINVAL;
}

static int fields_parse(struct parse *p, const struct event_group *g,
			const json_t *object)
{
	for (const struct event_field *f = g->fields; f->name; f++) {
		const json_t *value = json_object_get(object, f->name);

		if (!value || json_is_null(value)) {
			if (f->rules & FIELD_REQUIRED)
				return refuse(p, g->name, f->name,
					      "is missing");
			continue;
		}
		if (field_parse(p->ev, f, value))
			return refuse(p, g->name, f->name, "is not valid");
	}
	return 0;
}

static bool has_field(const struct event_group *g, const char *name)
{
	for (const struct event_field *f = g->fields; f->name; f++)
		if (!strcmp(f->name, name))
			return true;
	return false;
}

/* Keys that no table knows: a newer schema, or not an event at all. */
static int keys_check(struct parse *p, const struct event_group *g,
		      const json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (!has_field(g, key))
			return refuse(p, g->name, key, "is not known");
	}
	return 0;
}

static int group_parse(struct parse *p, const struct event_group *g,
		       const json_t *top)
{
	const json_t *object = json_object_get(top, g->name);
	int err;

	if (!object || json_is_null(object))
		return g->tag ? 0 : refuse(p, NULL, g->name, "is missing");
	if (!json_is_object(object))
		return refuse(p, NULL, g->name, "is not an object");
	err = keys_check(p, g, object);
	if (!err)
		err = fields_parse(p, g, object);
	if (!err && g->tag)
		*(bool *)event_at(p->ev, g->known) = true;
	return err;
}

static bool top_key_known(const char *key)
{
	if (!strcmp(key, "schema") || !strcmp(key, "cause") ||
	    !strcmp(key, "advice") || !strcmp(key, "stack"))
		return true; /* a stack is stored apart: stack_text.h */
	for (const struct event_group *g = event_groups; g->fields; g++)
		if (g->name ? !strcmp(g->name, key) : has_field(g, key))
			return true;
	return false;
}

/* The index of a name in what `name_of` gives, or -1. */
static int by_name(const json_t *value, int n, const char *(*name_of)(int))
{
	const char *text = json_string_value(value);

	for (int i = 0; text && i < n; i++)
		if (!strcmp(name_of(i), text))
			return i;
	return -1;
}

static const char *blame_text(int value)
{
	return blame_name((enum blame)value);
}

static const char *retry_text(int value)
{
	return retry_name((enum retry)value);
}

static int cause_value(const json_t *name)
{
	return json_is_string(name) ? cause_by_name(json_string_value(name))
				    : -EINVAL;
}

static bool is_share(const json_t *value)
{
	return json_is_number(value) && json_number_value(value) >= 0 &&
	       json_number_value(value) <= 1;
}

static int timeout_parse(struct verdict *v, const json_t *timeout)
{
	const json_t *part = json_object_get(timeout, "component");

	if (!timeout || json_is_null(timeout))
		return 0;
	if (!json_is_number(json_object_get(timeout, "seconds")))
		return -EINVAL;
	if (part &&
	    text_put(v->timeout_component, sizeof(v->timeout_component), part))
		return -EINVAL;
	v->timeout_known = true;
	v->timeout_seconds =
		json_number_value(json_object_get(timeout, "seconds"));
	v->timeout_learned = json_is_true(json_object_get(timeout, "learned"));
	return 0;
}

static int evidence_parse(struct verdict *v, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > VERDICT_EVIDENCE)
		return -EINVAL;
	json_array_foreach(list, i, item)
	{
		const json_t *supports = json_object_get(item, "supports");

		if (!json_is_boolean(supports) ||
		    text_put(v->evidence[i].fact, VERDICT_TEXT,
			     json_object_get(item, "fact")))
			return -EINVAL;
		v->evidence[i].supports = json_is_true(supports);
	}
	v->evidences = (unsigned int)i;
	return 0;
}

static int alternatives_parse(struct verdict *v, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) ||
	    json_array_size(list) > VERDICT_ALTERNATIVES)
		return -EINVAL;
	json_array_foreach(list, i, item)
	{
		const json_t *share = json_object_get(item, "confidence");
		int cause = cause_value(json_object_get(item, "name"));

		if (cause < 0 || !is_share(share))
			return -EINVAL;
		v->alternative[i].cause = (enum cause)cause;
		v->alternative[i].confidence = json_number_value(share);
	}
	v->alternatives = (unsigned int)i;
	return 0;
}

static int cause_parse(struct parse *p, const json_t *object)
{
	struct verdict *v = &p->ev->verdict;
	const json_t *share = json_object_get(object, "confidence");
	const json_t *benign = json_object_get(object, "benign");
	int cause = cause_value(json_object_get(object, "name"));
	int blame =
		by_name(json_object_get(object, "blame"), BLAMES, blame_text);

	if (cause < 0)
		return refuse(p, "cause", "name", "is not a known cause");
	if (!is_share(share))
		return refuse(p, "cause", "confidence", "is not in 0..1");
	if (blame < 0 || !json_is_boolean(benign))
		return refuse(p, "cause", blame < 0 ? "blame" : "benign",
			      "is not valid");
	v->cause = (enum cause)cause;
	v->confidence = json_number_value(share);
	v->blame = (enum blame)blame;
	v->benign = json_is_true(benign);
	if (timeout_parse(v, json_object_get(object, "timeout")))
		return refuse(p, "cause", "timeout", "is not valid");
	if (evidence_parse(v, json_object_get(object, "evidence")))
		return refuse(p, "cause", "evidence", "is not valid");
	if (alternatives_parse(v, json_object_get(object, "alternatives")))
		return refuse(p, "cause", "alternatives", "is not valid");
	return 0;
}

static int advice_parse(struct parse *p, const json_t *object)
{
	struct verdict *v = &p->ev->verdict;
	const json_t *fixes = json_object_get(object, "fixes"), *item;
	int retry =
		by_name(json_object_get(object, "retry"), RETRIES, retry_text);
	size_t i;

	if (retry < 0)
		return refuse(p, "advice", "retry", "is not valid");
	if (!json_is_array(fixes) || json_array_size(fixes) > VERDICT_FIXES)
		return refuse(p, "advice", "fixes", "is not valid");
	json_array_foreach(fixes, i, item)
	{
		if (text_put(v->fix[i], VERDICT_TEXT, item))
			return refuse(p, "advice", "fixes", "is not valid");
	}
	v->retry = (enum retry)retry;
	v->fixes = (unsigned int)i;
	return 0;
}

static int top_check(struct parse *p, const json_t *json)
{
	const json_t *schema = json_object_get(json, "schema");
	const char *key;
	json_t *value;

	if (!json_is_object(json))
		return refuse(p, NULL, "JSON", "is not an object");
	if (!json_is_integer(schema) || json_integer_value(schema) != 1)
		return refuse(p, NULL, "schema", "is not 1");
	json_object_foreach((json_t *)json, key, value)
	{
		if (!top_key_known(key))
			return refuse(p, NULL, key, "is not known");
	}
	return 0;
}

int event_from_json(struct event *ev, const json_t *json, char *err,
		    size_t err_size)
{
	struct event parsed;
	struct parse p = {&parsed, err, err_size};
	int ret;

	event_init(&parsed);
	ret = top_check(&p, json);
	if (!ret)
		ret = fields_parse(&p, &event_groups[0], json);
	for (const struct event_group *g = event_groups + 1; !ret && g->fields;
	     g++)
		ret = group_parse(&p, g, json);
	if (!ret)
		ret = cause_parse(&p, json_object_get(json, "cause"));
	if (!ret)
		ret = advice_parse(&p, json_object_get(json, "advice"));
	if (!ret)
		*ev = parsed;
	return ret;
}
