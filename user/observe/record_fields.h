/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of raw records by name, for the text form. Explicit padding has
 * no row; everything else of bpf/event.h has one (test_record_text proves it).
 */
#ifndef RSTSCOPE_RECORD_FIELDS_H
#define RSTSCOPE_RECORD_FIELDS_H

#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_UINT,
	FIELD_INT,
	FIELD_IP,	 /* 16 bytes */
	FIELD_TEXT,	 /* bytes of outside origin, zeros at the end */
	FIELD_ADDRESSES, /* of 8 bytes each, zeros at the end */
	FIELD_STRUCT,	 /* its own fields follow, "name.field" */
};

struct record_field {
	const char *name;
	uint16_t offset, size;
	enum field_type type;
	const struct record_field *inner; /* FIELD_STRUCT */
};

/* First word of a recording. */
#define RECORD_MAGIC "rstscope-records"

struct record_layout {
	const char *name; /* of the kind; NULL: no such record */
	uint16_t size;
	const struct record_field *fields; /* ends with a NULL name */
};

/* NULL: no such kind. */
const struct record_layout *record_layout_of(unsigned int kind);

#endif
