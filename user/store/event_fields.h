/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain fields of an event as data, so that its JSON and its packed form
 * are each one loop over one table and cannot drift apart. The verdict, which
 * has lists, is written by hand in both.
 */
#ifndef RSTSCOPE_EVENT_FIELDS_H
#define RSTSCOPE_EVENT_FIELDS_H

#include <stddef.h>

#include "user/store/event.h"

enum field_type {
	FIELD_INT,    /* int64_t, NOT_KNOWN: null */
	FIELD_SIGNED, /* int64_t, known by the bool at `aux` */
	FIELD_TEXT,   /* char[size], "": null */
	FIELD_NAME,   /* char[size], always a string */
	FIELD_TRI,    /* enum tri: true, false, null */
	FIELD_ENUM,   /* by `names` */
	FIELD_FAMILY, /* uint8_t: 4, 6 */
	FIELD_TIME,   /* int64_t, UNIX microseconds, NOT_KNOWN: null */
	FIELD_ERRNO,  /* int64_t shown as a name, NOT_KNOWN: null */
	FIELD_END,    /* struct endpoint */
};

struct field_names {
	const char *(*name)(int value);
	int (*by_name)(const char *name);
};

enum field_rule {
	FIELD_REQUIRED = 1 << 0, /* always there, never null */
	FIELD_ABSENT = 1 << 1,	 /* left out rather than null */
	FIELD_BRIEF = 1 << 2,	 /* in the brief too (event_pack.h) */
};

struct event_field {
	const char *name;
	enum field_type type;
	uint8_t tag; /* in the packed form: never reused, never renumbered */
	uint8_t rules;
	uint16_t offset, size, aux;
	const struct field_names *names;
};

struct event_group {
	const char *name; /* of the JSON object; NULL: the top level */
	uint8_t tag;	  /* packed: the group is known; 0: always is */
	uint16_t known;	  /* offset of its bool, where tag is not 0 */
	const struct event_field *fields; /* the last one has name NULL */
};

/* The last one has fields NULL. */
extern const struct event_group event_groups[];

/* Tags that the tables leave to the verdict; see event_pack.c. */
#define FIELD_TAG_MAX 95

static inline void *event_at(struct event *ev, size_t offset)
{
	return (char *)ev + offset;
}

static inline const void *event_peek(const struct event *ev, size_t offset)
{
	return (const char *)ev + offset;
}

#endif
