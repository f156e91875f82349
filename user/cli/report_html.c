/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one file that needs no other: styles and picture are in it. */
#include <string.h>

#include "user/base/base.h"
#include "user/cli/html.h"
#include "user/cli/report_data.h"
#include "user/explain/knowledge.h"
#include "user/tell/story.h"
#include "user/tell/timeline.h"
#include "version.h"

static const char style[] =
	":root{color-scheme:light dark;--fg:#1d2126;--dim:#5c6670;--bg:#fff;"
	"--card:#f6f7f9;--line:#d9dee3;--good:#1a7f37;--bad:#c62828}\n"
	"@media (prefers-color-scheme:dark){:root{--fg:#e4e8ec;--dim:#9aa5b1;"
	"--bg:#14181d;--card:#1d232a;--line:#37404a;--good:#56d364;"
	"--bad:#ff7b72}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:1.5rem;max-width:66rem;color:var(--fg);"
	"background:var(--bg);font:15px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}"
	"h3{font-size:1rem;margin:0 0 .3rem}\n"
	"p{margin:.3rem 0}.dim,small{color:var(--dim);font-weight:normal}\n"
	"code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\n"
	"table{border-collapse:collapse;width:100%;font-size:.88rem}\n"
	"th,td{padding:.2rem .5rem .2rem 0;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--line)}\n"
	"th{color:var(--dim);font-weight:600;font-size:.85rem}\n"
	"td.n,th.n{text-align:right;white-space:nowrap;"
	"font-variant-numeric:tabular-nums}\n"
	"td.name{overflow-wrap:anywhere;min-width:11rem}\n"
	".bar{display:block;height:.35rem;background:#4e79a7;"
	"border-radius:2px;margin-top:.15rem}\n"
	".tables{display:grid;gap:0 2rem;"
	"grid-template-columns:repeat(auto-fit,minmax(28rem,1fr))}\n"
	".case{background:var(--card);border:1px solid var(--line);"
	"border-radius:6px;padding:.8rem 1rem;margin:.8rem 0}\n"
	".case td.n{width:6rem}.case td{border:0;padding:.05rem .8rem .05rem "
	"0;font-size:.95rem}\n"
	".case tr.failure{color:var(--bad);font-weight:600}\n"
	"ul,ol{margin:.2rem 0;padding-left:1.4rem}\n"
	"ul.facts{list-style:none;padding-left:0}\n"
	".for::before{content:\"+ \";color:var(--good);font-weight:700}\n"
	".against::before{content:\"\\2212\\a0\";color:var(--bad);"
	"font-weight:700}\n"
	"dl{display:grid;grid-template-columns:6rem 1fr;margin:.5rem 0 0;"
	"gap:.2rem .5rem}dt{color:var(--dim)}dd{margin:0}\n"
	"svg{width:100%;height:auto;display:block}"
	"svg text{font:11px system-ui,sans-serif;fill:var(--dim)}\n"
	".grid{stroke:var(--line);stroke-width:1}"
	".axis{stroke:var(--dim);stroke-width:1}\n"
	".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem}"
	".legend svg{width:.8rem;display:inline-block;vertical-align:-.1rem;"
	"margin-right:.4rem}\n"
	".c0{fill:#4e79a7}.c1{fill:#e8762b}.c2{fill:#d64550}.c3{fill:#3fa39b}"
	".c4{fill:#59a14f}.c5{fill:#c7a317}.c6{fill:#a46fa8}.cx{fill:#9098a0}\n"
	"footer{margin-top:2rem;color:var(--dim);font-size:.85rem}\n"
	"@media "
	"print{:root{font-size:11px;--fg:#000;--dim:#444;--bg:#fff;--card:#fff;"
	"--line:#bbb;--good:#060;--bad:#a00}body{max-width:none;padding:0;"
	"font-size:11px}.case,tr,svg{break-inside:avoid}h2,h3{break-after:"
	"avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

static void paragraph(FILE *out, const char *line)
{
	fputs("<p>", out);
	html_text(out, line);
	fputs("</p>\n", out);
}

static void item(FILE *out, const char *line)
{
	fputs("<li>", out);
	html_text(out, line);
	fputs("</li>\n", out);
}

static void print_head(FILE *out, const struct report_data *d)
{
	char since[32], end[32];

	report_time(d->since_us, since, sizeof(since));
	report_time(d->end_us, end, sizeof(end));
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
	      "charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\""
	      "default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<title>Failed connections, ",
	      out);
	html_printf(out, "%s to %s UTC", since, end);
	fprintf(out, "</title>\n<style>\n%s</style></head><body>\n", style);
	fputs("<h1>Failed connections</h1>\n<p class=\"dim\">", out);
	html_printf(out, "%s to %s UTC", since, end);
	fputs("</p>\n", out);
	report_overview(out, d, paragraph);
}

static void print_legend(FILE *out, const struct report_data *d)
{
	size_t causes = groups_number(d->by[REPORT_BY_CAUSE]);

	fputs("<p class=\"legend\">", out);
	for (size_t i = 0; i < causes && i <= REPORT_CAUSES; i++) {
		fprintf(out,
			"<span><svg viewBox=\"0 0 10 10\"><rect class=\"c%c\" "
			"width=\"10\" height=\"10\"/></svg>",
			i < REPORT_CAUSES ? (char)('0' + i) : 'x');
		html_text(out, i < REPORT_CAUSES
				       ? cause_name(report_cause(d, i))
				       : "others");
		fputs("</span>\n", out);
	}
	fputs("</p>\n", out);
}

static void print_group(FILE *out, const struct report_data *d,
			const struct group *g, bool idles)
{
	double share = 100.0 * (double)g->count / (double)report_total(d);
	char idle[64], last[32];

	fputs("<tr><td class=\"name\">", out);
	html_text(out, *g->value[0] ? g->value[0] : "not known");
	fprintf(out,
		"<span class=\"bar\" style=\"width:%.1f%%\"></span></td>"
		"<td class=\"n\">%lld</td><td class=\"n\">%.1f%%</td>",
		share, (long long)g->count, share);
	report_idle_text(g, idle, sizeof(idle));
	if (idles)
		fprintf(out, "<td class=\"n\">%s</td>", idle);
	report_short_time(d, g->last_us, last, sizeof(last));
	fprintf(out, "<td class=\"n\">%s</td></tr>\n", last);
}

static void print_table(FILE *out, const struct report_data *d,
			enum report_table table)
{
	const struct groups *groups = d->by[table];
	bool idles = report_has_idle(groups);
	size_t n = groups_number(groups);

	if (!report_table_shown(d, table))
		return;
	fprintf(out,
		"<section><h2>%s</h2><table><tr><th></th>"
		"<th class=\"n\">failures</th><th class=\"n\">share</th>%s"
		"<th class=\"n\">last</th></tr>\n",
		report_table_title(table),
		idles ? "<th class=\"n\">idle before</th>" : "");
	for (size_t i = 0; i < n && i < REPORT_ROWS; i++)
		print_group(out, d, groups_at(groups, i), idles);
	fputs("</table>", out);
	if (n > REPORT_ROWS)
		fprintf(out, "<p class=\"dim\">and %zu more</p>",
			n - REPORT_ROWS);
	fputs("</section>\n", out);
}

static void print_moments(FILE *out, const struct report_data *d,
			  const struct event *ev)
{
	struct event other;
	bool found = story_other(d->store, ev, &other);
	struct timeline t;
	char time[40];

	timeline_build(&t, ev, found ? &other : NULL);
	fputs("<table>\n", out);
	for (unsigned int i = 0; i < t.n; i++) {
		moment_time(&t.moment[i], time, sizeof(time));
		fprintf(out, "<tr%s><td class=\"n\">%s</td><td>",
			t.moment[i].failure ? " class=\"failure\"" : "", time);
		html_text(out, t.moment[i].text);
		fputs("</td></tr>\n", out);
	}
	fputs("</table>\n", out);
}

static void print_evidence(FILE *out, const struct verdict *v)
{
	fputs("<ul class=\"facts\">\n", out);
	for (unsigned int i = 0; i < v->evidences && i < VERDICT_EVIDENCE;
	     i++) {
		fprintf(out, "<li class=\"%s\">",
			v->evidence[i].supports ? "for" : "against");
		html_text(out, v->evidence[i].fact);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void print_verdict(FILE *out, const struct verdict *v)
{
	fputs("<dl><dt>Verdict</dt><dd>", out);
	html_printf(out, "%s, confidence %.2f, blame %s", cause_name(v->cause),
		    v->confidence, blame_name(v->blame));
	if (v->timeout_known)
		html_printf(out, "; timer %g s %s%s", v->timeout_seconds,
			    v->timeout_component,
			    v->timeout_learned
				    ? " (learned from this destination)"
				    : "");
	print_evidence(out, v);
	if (v->alternatives)
		fputs("or perhaps", out);
	for (unsigned int i = 0; i < v->alternatives; i++)
		html_printf(out, "%s %s (%.2f)", i ? "," : "",
			    cause_name(v->alternative[i].cause),
			    v->alternative[i].confidence);
	fputs("</dd><dt>Retry</dt><dd>", out);
	html_text(out, story_retry(v->retry));
	fputs("</dd>\n", out);
	if (v->fixes) {
		fputs("<dt>Change</dt><dd><ul>", out);
		for (unsigned int i = 0; i < v->fixes && i < VERDICT_FIXES; i++)
			item(out, v->fix[i]);
		fputs("</ul></dd>", out);
	}
	fputs("</dl>\n", out);
}

static void print_where(FILE *out, const struct event *ev)
{
	char at[32], local[64], peer[64];

	report_time(ev->time_us, at, sizeof(at));
	format_endpoint(ev->family, ev->local.ip, ev->local.port, local,
			sizeof(local));
	format_endpoint(ev->family, ev->peer.ip, ev->peer.port, peer,
			sizeof(peer));
	fputs("<p class=\"dim\">", out);
	html_printf(out,
		    "event %lld, %s UTC, host %s, our end %s (%s), peer %s",
		    (long long)ev->id, at, ev->host, local, role_name(ev->role),
		    peer);
	if (ev->process.known && *ev->process.unit)
		html_printf(out, ", unit %s", ev->process.unit);
	if (ev->process.known && *ev->process.container)
		html_printf(out, ", container %.12s", ev->process.container);
	fputs("</p>\n", out);
}

static void print_case(FILE *out, const struct report_data *d, size_t place)
{
	const struct group *g = groups_at(d->by[REPORT_BY_CAUSE], place);
	struct event event, *ev = &event;
	char headline[256];

	if (store_get(d->store, d->example[report_cause(d, place)].id, ev))
		return; /* deleted since */
	fputs("<section class=\"case\"><h3>", out);
	html_text(out, g->value[0]);
	fprintf(out, " <small>%lld failures; the surest of them</small></h3>\n",
		(long long)g->count);
	paragraph(out, cause_info(ev->verdict.cause)->summary);
	story_headline(ev, headline, sizeof(headline));
	fputs("<p><code>", out);
	html_text(out, headline);
	fputs("</code></p>\n", out);
	print_where(out, ev);
	print_moments(out, d, ev);
	print_verdict(out, &ev->verdict);
	fputs("</section>\n", out);
}

static void print_cases(FILE *out, const struct report_data *d)
{
	size_t causes = groups_number(d->by[REPORT_BY_CAUSE]);

	fputs("<h2>Causes, evidence, what to change</h2>\n", out);
	for (size_t i = 0; i < causes && i < REPORT_CAUSES; i++)
		print_case(out, d, i);
	if (causes > REPORT_CAUSES)
		fprintf(out, "<p class=\"dim\">and %zu more causes</p>\n",
			causes - REPORT_CAUSES);
}

int report_html(FILE *out, const struct report_data *d)
{
	char now[32];

	print_head(out, d);
	if (report_total(d)) {
		fputs("<h2>Over time</h2>\n", out);
		report_svg(out, d);
		print_legend(out, d);
		fputs("<div class=\"tables\">\n", out);
		for (int i = 0; i < REPORT_TABLES; i++)
			print_table(out, d, i);
		fputs("</div>\n", out);
		print_cases(out, d);
	}
	fputs("<h2>What was lost or not seen</h2>\n<ul>\n", out);
	report_losses(out, d, item);
	report_blind_spots(out, d, item);
	report_time(d->cli->show.now_us, now, sizeof(now));
	fprintf(out,
		"</ul>\n<footer>rstscope %s, written %s UTC. Times are UTC."
		"</footer>\n</body></html>\n",
		RSTSCOPE_VERSION, now);
	return 0;
}
