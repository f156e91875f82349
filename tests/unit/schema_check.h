/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of JSON Schema as event.schema.json uses: type, enum, const,
 * required, properties, additionalProperties false, items, minimum, maximum
 * and $ref to $defs. Other keywords that would restrict are refused, so that
 * the check cannot silently grow weaker than the schema.
 */
#ifndef RSTSCOPE_SCHEMA_CHECK_H
#define RSTSCOPE_SCHEMA_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA_FILE "tests/unit/event.schema.json"

struct schema_check {
	const json_t *root;
	char err[256];
};

static inline bool schema_fail(struct schema_check *c, const char *where,
			       const char *what)
{
	snprintf(c->err, sizeof(c->err), "%s: %s", where, what);
	return false;
}

static inline bool schema_is(const json_t *v, const char *type)
{
	return (!strcmp(type, "object") && json_is_object(v)) ||
	       (!strcmp(type, "array") && json_is_array(v)) ||
	       (!strcmp(type, "string") && json_is_string(v)) ||
	       (!strcmp(type, "integer") && json_is_integer(v)) ||
	       (!strcmp(type, "number") && json_is_number(v)) ||
	       (!strcmp(type, "boolean") && json_is_boolean(v)) ||
	       (!strcmp(type, "null") && json_is_null(v));
}

static inline bool schema_type(const json_t *type, const json_t *v)
{
	const json_t *one;
	size_t i;

	if (json_is_string(type))
		return schema_is(v, json_string_value(type));
	json_array_foreach(type, i, one)
	{
		if (schema_is(v, json_string_value(one)))
			return true;
	}
	return false;
}

static inline bool schema_in(const json_t *list, const json_t *v)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_equal(one, v))
			return true;
	}
	return false;
}

static inline bool schema_value(struct schema_check *c, const json_t *schema,
				const json_t *v, const char *where);

static inline bool schema_object(struct schema_check *c, const json_t *schema,
				 const json_t *v, const char *where)
{
	const json_t *known = json_object_get(schema, "properties"), *need;
	const char *key;
	json_t *member;
	char at[128];
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, need)
	{
		if (!json_object_get(v, json_string_value(need)))
			return schema_fail(c, where, json_string_value(need));
	}
	json_object_foreach((json_t *)v, key, member)
	{
		const json_t *sub = json_object_get(known, key);

		snprintf(at, sizeof(at), "%s.%s", where, key);
		if (!sub && json_is_false(json_object_get(
				    schema, "additionalProperties")))
			return schema_fail(c, at, "additional property");
		if (sub && !schema_value(c, sub, member, at))
			return false;
	}
	return true;
}

static inline bool schema_array(struct schema_check *c, const json_t *schema,
				const json_t *v, const char *where)
{
	const json_t *items = json_object_get(schema, "items"), *one;
	size_t i;

	json_array_foreach(v, i, one)
	{
		if (items && !schema_value(c, items, one, where))
			return false;
	}
	return true;
}

static inline bool schema_number(struct schema_check *c, const json_t *schema,
				 const json_t *v, const char *where)
{
	const json_t *min = json_object_get(schema, "minimum");
	const json_t *max = json_object_get(schema, "maximum");

	if (min && json_number_value(v) < json_number_value(min))
		return schema_fail(c, where, "below minimum");
	if (max && json_number_value(v) > json_number_value(max))
		return schema_fail(c, where, "above maximum");
	return true;
}

static inline bool schema_keywords(struct schema_check *c, const json_t *schema,
				   const char *where)
{
	static const char *const known[] = {
		"$schema", "$id",      "title",	     "description",
		"format",  "$defs",    "type",	     "enum",
		"const",   "required", "properties", "additionalProperties",
		"items",   "minimum",  "maximum",    "$ref",
	};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)schema, key, value)
	{
		size_t i = 0;

		while (i < sizeof(known) / sizeof(known[0]) &&
		       strcmp(known[i], key))
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return schema_fail(c, where, "unsupported keyword");
	}
	return true;
}

static inline const json_t *schema_follow(struct schema_check *c,
					  const json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	if (!ref)
		return schema;
	if (strncmp(ref, "#/$defs/", 8))
		return NULL;
	return json_object_get(json_object_get(c->root, "$defs"), ref + 8);
}

static inline bool schema_value(struct schema_check *c, const json_t *schema,
				const json_t *v, const char *where)
{
	const json_t *type, *list, *constant;

	schema = schema_follow(c, schema);
	if (!schema)
		return schema_fail(c, where, "$ref leads nowhere");
	if (!schema_keywords(c, schema, where))
		return false;
	type = json_object_get(schema, "type");
	list = json_object_get(schema, "enum");
	constant = json_object_get(schema, "const");
	if (type && !schema_type(type, v))
		return schema_fail(c, where, "wrong type");
	if (list && !schema_in(list, v))
		return schema_fail(c, where, "not in enum");
	if (constant && !json_equal(constant, v))
		return schema_fail(c, where, "not the constant");
	if (json_is_number(v))
		return schema_number(c, schema, v, where);
	if (json_is_object(v))
		return schema_object(c, schema, v, where);
	return !json_is_array(v) || schema_array(c, schema, v, where);
}

/* Whether v is as the schema at `root` demands; c->err says where not. */
static inline bool schema_ok(struct schema_check *c, const json_t *root,
			     const json_t *v)
{
	c->root = root;
	c->err[0] = '\0';
	return schema_value(c, root, v, "event");
}

#endif
