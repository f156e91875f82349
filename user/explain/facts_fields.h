/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of struct facts by name and place: see facts_json.h. */
#ifndef RSTSCOPE_FACTS_FIELDS_H
#define RSTSCOPE_FACTS_FIELDS_H

#include <stddef.h>

#include "user/observe/facts.h"

enum field_type {
	FIELD_I64,    /* NOT_KNOWN: left out */
	FIELD_SIGNED, /* rst_seq_ahead, with its flag */
	FIELD_U64,    /* 0: left out */
	FIELD_U8,
	FIELD_INT,
	FIELD_BOOL, /* false: left out */
	FIELD_TRI,
	FIELD_TEXT, /* names: the size of the buffer */
	FIELD_ENUM,
	FIELD_BITS,	/* a list of names */
	FIELD_ENDPOINT, /* "1.2.3.4:80" */
	FIELD_TABLE,	/* an object */
};

struct field {
	const char *name; /* NULL ends a table */
	size_t offset;
	enum field_type type;
	int names;
	const char *const *name_of;
	bool zero_is_unknown;
	const struct field *table;
};

extern const struct field facts_fields[];

#endif
