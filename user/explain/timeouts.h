/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Known timers: at which idle time or age a component ends a connection. The
 * built-in rows and a user's file have one form, that of timeouts_table.c:
 * seven columns between tabs, '#' starts a comment.
 */
#ifndef RSTSCOPE_TIMEOUTS_H
#define RSTSCOPE_TIMEOUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum measure {
	MEASURE_IDLE,
	MEASURE_AGE,
	MEASURE_HEADER,
	MEASURE_BODY,
	MEASURE_REQUEST,
	MEASURE_HANDSHAKE,
	MEASURE_RESPONSE,
	MEASURES,
};

enum ending {
	END_FIN,
	END_RST,
	END_SILENT,
	END_SILENT_RST,
	END_FIN_AFTER,
	ENDINGS
};

enum checked {
	CHECKED_MEASURED,
	CHECKED_READ,
	CHECKED_MEMORY,
	CHECKED_USER,
	CHECKEDS
};

#define TIMEOUT_PORTS 4

struct timeout_row {
	double low, high; /* seconds; equal but for timers with a range */
	char component[80];
	char setting[80];
	enum measure measure;
	enum ending ending;
	uint16_t port[TIMEOUT_PORTS];
	unsigned int ports; /* 0: any */
	enum checked checked;
};

struct timeouts;

/* With the built-in rows; NULL: out of memory. */
struct timeouts *timeouts_new(void);
void timeouts_free(struct timeouts *t);
size_t timeouts_count(const struct timeouts *t);
const struct timeout_row *timeouts_row(const struct timeouts *t, size_t i);

/*
 * Adds rows from text; `name` stands in errors. 0; -EINVAL with
 * "NAME:LINE: what" in err and no row added; -ENOMEM.
 */
int timeouts_add_text(struct timeouts *t, const char *text, size_t size,
		      const char *name, char *err, size_t err_size);
int timeouts_add_file(struct timeouts *t, const char *path, char *err,
		      size_t err_size);

/*
 * Seconds that `observed` may lie above a timer of that length, and below:
 * coarse timers fire late, jiffies and delays blur the rest.
 */
double timeout_late(double seconds);
double timeout_early(double seconds);

struct timeout_match {
	const struct timeout_row *row; /* NULL: none */
	double score;		       /* 0..1 */
};

/*
 * The row that explains an end at `seconds` best, by closeness, port and how
 * well the row is founded. measures and endings are bit masks of the enums.
 */
struct timeout_match timeouts_match(const struct timeouts *t, double seconds,
				    unsigned int measures, unsigned int endings,
				    uint16_t port);

/* The row names this port among its own. */
bool timeout_row_has_port(const struct timeout_row *row, uint16_t port);

extern const char timeouts_builtin[];

#endif
