/* SPDX-License-Identifier: Apache-2.0 */
/* What an incident report tells, before it becomes HTML or Markdown. */
#ifndef RSTSCOPE_REPORT_DATA_H
#define RSTSCOPE_REPORT_DATA_H

#include "user/base/progress.h"
#include "user/cli/checkup.h"
#include "user/cli/connections.h"
#include "user/tell/groups.h"

#define REPORT_BARS   96 /* bars of the picture, at most */
#define REPORT_CAUSES 7	 /* told one by one; the others are counted */
#define REPORT_ROWS   10 /* of each table of groups */

enum report_table {
	REPORT_BY_CAUSE,
	REPORT_BY_PROCESS,
	REPORT_BY_PEER,
	REPORT_BY_RETRY,
	REPORT_BY_HOST,
	REPORT_TABLES,
};

struct report_data {
	struct cli *cli;
	struct store *store;
	struct filter filter;
	int64_t since_us, end_us;
	struct groups *by[REPORT_TABLES];
	int64_t benign; /* not shown; NOT_KNOWN */
	int64_t events; /* read so far */
	struct connections connections;
	int64_t bar_us, first_bar_us;
	size_t bars;
	double bar[REPORT_BARS + 1][CAUSES];
	struct {
		int64_t id; /* 0: none */
		double confidence;
	} example[CAUSES]; /* the surest, of these the newest */
	struct checkup checkup;
	struct progress progress;
	int damaged; /* an errno: events had to be left out */
};

/* Reads all of it; complains itself. report_data_free() in any case. */
int report_data_read(struct report_data *d, struct cli *cli,
		     const struct filter *filter);
void report_data_free(struct report_data *d);
int64_t report_total(const struct report_data *d);
/* The cause at that place among the causes, the largest first; CAUSES: none. */
enum cause report_cause(const struct report_data *d, size_t place);
/* "2026-11-24 06:40:12" */
void report_time(int64_t us, char *out, size_t size);
/* Without the day where it is that of the start. */
void report_short_time(const struct report_data *d, int64_t us, char *out,
		       size_t size);
/* One of the groups shown has idle times that lie together. */
bool report_has_idle(const struct groups *groups);
/* "5.01 s (83%)": where the idle times of a group lie together; or "". */
void report_idle_text(const struct group *g, char *out, size_t size);

const char *report_table_title(enum report_table table);
/* A table of one group says nothing that the overview does not. */
bool report_table_shown(const struct report_data *d, enum report_table table);

/* report_lines.c: sentences, one by one; not escaped. */
typedef void (*report_line_fn)(FILE *out, const char *line);
/* How many, of what, what was left out. */
void report_overview(FILE *out, const struct report_data *d, report_line_fn fn);
/* What the daemon lost, and what is wrong with it. */
void report_losses(FILE *out, const struct report_data *d, report_line_fn fn);
/* What this kernel does not show. */
void report_blind_spots(FILE *out, const struct report_data *d,
			report_line_fn fn);

/* The renderers; what was written may be looked at with ferror(). */
int report_html(FILE *out, const struct report_data *d);
int report_md(FILE *out, const struct report_data *d);
/* report_svg.c: the picture of failures over time. */
void report_svg(FILE *out, const struct report_data *d);

#endif
