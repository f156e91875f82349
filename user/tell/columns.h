/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be shown of an event: one table of columns drives the default table,
 * -o, --help and the man page.
 */
#ifndef RSTSCOPE_COLUMNS_H
#define RSTSCOPE_COLUMNS_H

#include "user/tell/event_text.h"
#include "user/tell/show.h"

#define COLUMN_TEXT  320 /* longest cell, with its '\0' */
#define COLUMNS_MOST 64

enum column_format {
	FORMAT_FUNCTION, /* text() */
	FORMAT_TEXT,	 /* char [] at offset */
	FORMAT_NUMBER,	 /* int64_t at offset */
	FORMAT_MS,	 /* the same, a duration */
	FORMAT_US,
	FORMAT_BYTES,
	FORMAT_TRI,
};

struct column {
	const char *name, *header, *help;
	enum column_format format;
	unsigned short offset; /* in struct event */
	bool of_process;       /* empty unless the process is known */
	unsigned char width;   /* as expected, where rows come one by one */
	unsigned char least;   /* may be cut to this to fit a terminal */
	bool right;
	void (*text)(const struct show *show, const struct event *ev, char *out,
		     size_t size);
};

/* Ends with name NULL. */
extern const struct column column_table[];

const struct column *column_find(const char *name);
/* The cell of one event; "" where nothing was observed. */
void column_text(const struct column *column, const struct show *show,
		 const struct event *ev, char out[COLUMN_TEXT]);
/* An escape sequence for that cell, or NULL. */
const char *column_color(const struct column *column, const struct event *ev);

#endif
