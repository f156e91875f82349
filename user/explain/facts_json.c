/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/facts_fields.h"
#include "user/explain/facts_json.h"

#define NUMBER_MAX (1ll << 53) /* sums of a few stay far from overflow */

static int64_t get_int(const void *at, enum field_type type)
{
	switch (type) {
	case FIELD_U64:
		return (int64_t) * (const uint64_t *)at;
	case FIELD_U8:
		return *(const uint8_t *)at;
	case FIELD_INT:
	case FIELD_TRI:
	case FIELD_ENUM:
		return *(const int *)at;
	default:
		return *(const int64_t *)at;
	}
}

static void set_int(void *at, enum field_type type, int64_t value)
{
	switch (type) {
	case FIELD_U64:
		*(uint64_t *)at = (uint64_t)value;
		break;
	case FIELD_U8:
		*(uint8_t *)at = (uint8_t)value;
		break;
	case FIELD_INT:
	case FIELD_TRI:
	case FIELD_ENUM:
		*(int *)at = (int)value;
		break;
	default:
		*(int64_t *)at = value;
	}
}

static json_t *number_to_json(const void *at, enum field_type type)
{
	int64_t value = get_int(at, type);

	if (type == FIELD_U64 || type == FIELD_U8)
		return value ? json_integer(value) : NULL;
	return value == NOT_KNOWN ? NULL : json_integer(value);
}

static json_t *enum_to_json(const void *at, const struct field *field)
{
	int value = *(const int *)at;

	if (value < 0 || value >= field->names || !field->name_of[value])
		return NULL;
	if (value == 0 && field->zero_is_unknown)
		return NULL;
	return json_string(field->name_of[value]);
}

static json_t *bits_to_json(const void *at, const struct field *field)
{
	unsigned int bits = *(const unsigned int *)at;
	json_t *list = bits ? json_array() : NULL;

	for (int i = 0; list && i < field->names; i++)
		if (bits & (1u << i))
			json_array_append_new(list,
					      json_string(field->name_of[i]));
	return list;
}

static json_t *endpoint_to_json(const struct facts *f, const void *at)
{
	const struct endpoint *e = at;
	char text[IP_TEXT + 8];

	if (!f->tuple_known)
		return NULL;
	format_endpoint(f->family, e->ip, e->port, text, sizeof(text));
	return json_string(text);
}

static json_t *table_to_json(const struct facts *f, const void *base,
			     const struct field *field);

static json_t *field_to_json(const struct facts *f, const void *at,
			     const struct field *field)
{
	char text[64];

	switch (field->type) {
	case FIELD_BOOL:
		return *(const bool *)at ? json_true() : NULL;
	case FIELD_TRI:
		return *(const int *)at == TRI_UNKNOWN
			       ? NULL
			       : json_boolean(*(const int *)at == TRI_YES);
	case FIELD_TEXT:
		format_safe(at, text, sizeof(text));
		return text[0] ? json_string(text) : NULL;
	case FIELD_ENUM:
		return enum_to_json(at, field);
	case FIELD_BITS:
		return bits_to_json(at, field);
	case FIELD_ENDPOINT:
		return endpoint_to_json(f, at);
	case FIELD_TABLE:
		return table_to_json(f, at, field->table);
	default:
		return number_to_json(at, field->type);
	}
}

/* A signed number that may be -1 has a flag of its own beside it. */
static bool guarded_out(const struct facts *f, const struct field *field)
{
	return field->offset == offsetof(struct facts, rst_seq_ahead) &&
	       field->type == FIELD_SIGNED && !f->rst_seq_ahead_known;
}

static json_t *table_to_json(const struct facts *f, const void *base,
			     const struct field *field)
{
	json_t *out = json_object();

	for (; out && field->name; field++) {
		json_t *value;

		if (field->type == FIELD_SIGNED)
			value = guarded_out(f, field)
					? NULL
					: json_integer(f->rst_seq_ahead);
		else
			value = field_to_json(
				f, (const char *)base + field->offset, field);
		if (value)
			json_object_set_new(out, field->name, value);
	}
	if (out && !json_object_size(out) && base != f) {
		json_decref(out);
		return NULL;
	}
	return out;
}

json_t *facts_to_json(const struct facts *f)
{
	return table_to_json(f, f, facts_fields);
}

static int find_in(const struct field *field, const char *name)
{
	for (int i = 0; i < field->names; i++)
		if (field->name_of[i] && !strcmp(field->name_of[i], name))
			return i;
	return -ENOENT;
}

static int read_number(void *at, const struct field *field, const json_t *json)
{
	json_int_t value;

	if (!json_is_integer(json))
		return -EINVAL;
	value = json_integer_value(json);
	if (field->type == FIELD_SIGNED) {
		*(int64_t *)at = value;
		return 0;
	}
	if (value < 0 || (field->type == FIELD_I64 && value > NUMBER_MAX) ||
	    (field->type == FIELD_U8 && value > 255) ||
	    (field->type == FIELD_INT && value > 65535))
		return -EINVAL;
	set_int(at, field->type, value);
	return 0;
}

static int read_text(char *at, const struct field *field, const json_t *json)
{
	if (!json_is_string(json) ||
	    json_string_length(json) >= (size_t)field->names)
		return -EINVAL;
	format_safe(json_string_value(json), at, (size_t)field->names);
	return 0;
}

static int read_enum(void *at, const struct field *field, const json_t *json)
{
	int value;

	if (!json_is_string(json))
		return -EINVAL;
	value = find_in(field, json_string_value(json));
	if (value < 0)
		return -EINVAL;
	set_int(at, FIELD_ENUM, value);
	return 0;
}

static int read_bits(void *at, const struct field *field, const json_t *json)
{
	unsigned int bits = 0;

	if (!json_is_array(json))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const json_t *one = json_array_get(json, i);
		int bit = json_is_string(one)
				  ? find_in(field, json_string_value(one))
				  : -EINVAL;

		if (bit < 0)
			return -EINVAL;
		bits |= 1u << bit;
	}
	*(unsigned int *)at = bits;
	return 0;
}

/* The port is split off here: 0, a port not chosen yet, is one too. */
static int read_endpoint(struct facts *f, struct endpoint *e,
			 const json_t *json)
{
	const char *text = json_string_value(json);
	const char *colon = text ? strrchr(text, ':') : NULL;
	char host[IP_TEXT + 4] = "";
	uint8_t family, ip[16];
	size_t size = colon ? (size_t)(colon - text) : 0;
	int64_t port;

	if (!colon || size >= sizeof(host) ||
	    parse_int(colon + 1, 0, 65535, &port))
		return -EINVAL;
	if (size > 2 && text[0] == '[' && colon[-1] == ']')
		memcpy(host, text + 1, size - 2);
	else
		memcpy(host, text, size);
	if (parse_ip(host, &family, ip) ||
	    (f->tuple_known && f->family != family))
		return -EINVAL;
	f->tuple_known = true;
	f->family = family;
	memcpy(e->ip, ip, sizeof(e->ip));
	e->port = (uint16_t)port;
	return 0;
}

static int read_table(struct facts *f, void *base, const struct field *table,
		      const json_t *json, char *err, size_t err_size);

static int read_field(struct facts *f, void *at, const struct field *field,
		      const json_t *json, char *err, size_t err_size)
{
	switch (field->type) {
	case FIELD_BOOL:
		if (!json_is_boolean(json))
			return -EINVAL;
		*(bool *)at = json_is_true(json);
		return 0;
	case FIELD_TRI:
		if (!json_is_boolean(json))
			return -EINVAL;
		set_int(at, FIELD_TRI, json_is_true(json) ? TRI_YES : TRI_NO);
		return 0;
	case FIELD_TEXT:
		return read_text(at, field, json);
	case FIELD_ENUM:
		return read_enum(at, field, json);
	case FIELD_BITS:
		return read_bits(at, field, json);
	case FIELD_ENDPOINT:
		return read_endpoint(f, at, json);
	case FIELD_TABLE:
		return read_table(f, at, field->table, json, err, err_size);
	default:
		return read_number(at, field, json);
	}
}

static const struct field *find_field(const struct field *table,
				      const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static int read_table(struct facts *f, void *base, const struct field *table,
		      const json_t *json, char *err, size_t err_size)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return -EINVAL;
	json_object_foreach((json_t *)json, name, value)
	{
		const struct field *field = find_field(table, name);

		if (!err[0] && field &&
		    !read_field(f, (char *)base + field->offset, field, value,
				err, err_size))
			continue;
		if (!err[0]) {
			char safe[64];

			format_safe(name, safe, sizeof(safe));
			snprintf(err, err_size, "%s: %s", safe,
				 field ? "not a value that fits"
				       : "no such fact");
		}
		return -EINVAL;
	}
	return 0;
}

int facts_from_json(struct facts *f, const json_t *json, char *err,
		    size_t err_size)
{
	if (!err_size)
		return -EINVAL;
	err[0] = '\0';
	if (!json_is_object(json)) {
		snprintf(err, err_size, "facts: an object is wanted");
		return -EINVAL;
	}
	if (read_table(f, f, facts_fields, json, err, err_size))
		return -EINVAL;
	if (json_object_get(json, "rst_seq_ahead"))
		f->rst_seq_ahead_known = true;
	return 0;
}
