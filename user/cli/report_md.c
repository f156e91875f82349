/* SPDX-License-Identifier: Apache-2.0 */
/* The report as Markdown, for a ticket. */
#include <stdarg.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/report_data.h"
#include "user/explain/knowledge.h"
#include "user/tell/story.h"
#include "user/tell/timeline.h"
#include "version.h"

#define TEXT_MOST 1024

/*
 * Text of any origin, so that no forge makes markup, a link, a mention or
 * another cell of it.
 */
static void text(FILE *out, const char *raw)
{
	char safe[TEXT_MOST];

	format_safe(raw, safe, sizeof(safe));
	for (const char *c = safe; *c; c++) {
		bool word = c > safe && c[1] && *c == '_';

		if (strchr("&<>@#", *c))
			fprintf(out, "&#%d;", *c);
		else if (!strncmp(c, "://", 3))
			fputs("&#58;", out);
		else if (strchr("\\`*[]|~!", *c) || (*c == '_' && !word))
			fprintf(out, "\\%c", *c);
		else
			fputc(*c, out);
	}
}

__attribute__((format(printf, 2, 3))) static void put(FILE *out,
						      const char *fmt, ...)
{
	char raw[TEXT_MOST];
	va_list args;

	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	text(out, raw);
}

static void item(FILE *out, const char *line)
{
	fputs("- ", out);
	text(out, line);
	fputc('\n', out);
}

static void print_table(FILE *out, const struct report_data *d,
			enum report_table table)
{
	const struct groups *groups = d->by[table];
	size_t n = groups_number(groups);
	char idle[64], last[32];

	if (!report_table_shown(d, table))
		return;
	fprintf(out,
		"\n## %s\n\n| | failures | share | idle before | last |\n"
		"|---|--:|--:|--:|--:|\n",
		report_table_title(table));
	for (size_t i = 0; i < n && i < REPORT_ROWS; i++) {
		const struct group *g = groups_at(groups, i);

		report_idle_text(g, idle, sizeof(idle));
		report_time(g->last_us, last, sizeof(last));
		fputs("| ", out);
		text(out, *g->value[0] ? g->value[0] : "not known");
		fprintf(out, " | %lld | %.1f%% | %s | %s |\n",
			(long long)g->count,
			100.0 * (double)g->count / (double)report_total(d),
			idle, last);
	}
	if (n > REPORT_ROWS)
		fprintf(out, "\nand %zu more\n", n - REPORT_ROWS);
}

static void print_moments(FILE *out, const struct report_data *d,
			  const struct event *ev)
{
	struct event other;
	bool found = story_other(d->store, ev, &other);
	struct timeline t;
	char time[40];

	timeline_build(&t, ev, found ? &other : NULL);
	fputs("\n| time | |\n|--:|---|\n", out);
	for (unsigned int i = 0; i < t.n; i++) {
		moment_time(&t.moment[i], time, sizeof(time));
		fprintf(out, "| %s | ", time);
		text(out, t.moment[i].text);
		fputs(" |\n", out);
	}
}

static void print_verdict(FILE *out, const struct verdict *v)
{
	fputs("\n**Verdict:** ", out);
	put(out, "%s, confidence %.2f, blame %s", cause_name(v->cause),
	    v->confidence, blame_name(v->blame));
	if (v->timeout_known)
		put(out, "; timer %g s %s%s", v->timeout_seconds,
		    v->timeout_component,
		    v->timeout_learned ? " (learned from this destination)"
				       : "");
	fputs("\n\n", out);
	for (unsigned int i = 0; i < v->evidences && i < VERDICT_EVIDENCE;
	     i++) {
		fprintf(out,
			"- %s: ", v->evidence[i].supports ? "for" : "against");
		text(out, v->evidence[i].fact);
		fputc('\n', out);
	}
	for (unsigned int i = 0; i < v->alternatives; i++)
		fprintf(out, "- or perhaps %s (%.2f)\n",
			cause_name(v->alternative[i].cause),
			v->alternative[i].confidence);
	fputs("\n**Retry:** ", out);
	text(out, story_retry(v->retry));
	if (v->fixes)
		fputs("\n\n**Change:**\n", out);
	for (unsigned int i = 0; i < v->fixes && i < VERDICT_FIXES; i++) {
		fputc('\n', out);
		fputs("- ", out);
		text(out, v->fix[i]);
	}
	fputc('\n', out);
}

static void print_case(FILE *out, const struct report_data *d, size_t place)
{
	const struct group *g = groups_at(d->by[REPORT_BY_CAUSE], place);
	char headline[256], at[32], local[64], peer[64];
	struct event event, *ev = &event;

	if (store_get(d->store, d->example[report_cause(d, place)].id, ev))
		return; /* deleted since */
	fprintf(out, "\n### %s: %lld failures\n\n%s\n\nThe surest of them: ",
		g->value[0], (long long)g->count,
		cause_info(ev->verdict.cause)->summary);
	story_headline(ev, headline, sizeof(headline));
	text(out, headline);
	report_time(ev->time_us, at, sizeof(at));
	format_endpoint(ev->family, ev->local.ip, ev->local.port, local,
			sizeof(local));
	format_endpoint(ev->family, ev->peer.ip, ev->peer.port, peer,
			sizeof(peer));
	put(out, " (event %lld, %s UTC, host %s, our end %s, peer %s)",
	    (long long)ev->id, at, ev->host, local, peer);
	fputc('\n', out);
	print_moments(out, d, ev);
	print_verdict(out, &ev->verdict);
}

int report_md(FILE *out, const struct report_data *d)
{
	size_t causes = groups_number(d->by[REPORT_BY_CAUSE]);
	char since[32], end[32];

	report_time(d->since_us, since, sizeof(since));
	report_time(d->end_us, end, sizeof(end));
	fprintf(out, "# Failed connections, %s to %s UTC\n\n", since, end);
	report_overview(out, d, item);
	for (int i = 0; report_total(d) && i < REPORT_TABLES; i++)
		print_table(out, d, i);
	if (causes)
		fputs("\n## Causes, evidence, what to change\n", out);
	for (size_t i = 0; i < causes && i < REPORT_CAUSES; i++)
		print_case(out, d, i);
	if (causes > REPORT_CAUSES)
		fprintf(out, "\nand %zu more causes\n", causes - REPORT_CAUSES);
	fputs("\n## What was lost or not seen\n\n", out);
	report_losses(out, d, item);
	report_blind_spots(out, d, item);
	fprintf(out, "\nrstscope %s; times are UTC.\n", RSTSCOPE_VERSION);
	return 0;
}
