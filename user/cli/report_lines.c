/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/report_data.h"

#define LINE_MOST 512

struct words {
	char *out;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void word(struct words *w,
						       const char *fmt, ...)
{
	va_list args;
	int n;

	if (w->used + 3 >= w->size)
		return;
	if (w->used)
		w->used += snprintf(w->out + w->used, w->size - w->used, ", ");
	va_start(args, fmt);
	n = vsnprintf(w->out + w->used, w->size - w->used, fmt, args);
	va_end(args);
	w->used += n < (int)(w->size - w->used) ? (size_t)n
						: w->size - w->used - 1;
}

static void peer_word(struct words *w, const struct filter *f)
{
	char ip[IP_TEXT];

	if (f->peer_set) {
		format_ip(f->peer_family, f->peer_ip, ip);
		word(w, "peer %s/%u", ip, f->peer_bits);
	}
	if (f->peer_port != NOT_KNOWN)
		word(w, "peer's port %lld", (long long)f->peer_port);
}

static void filter_text(const struct filter *f, char *out, size_t size)
{
	struct words w = {out, size, 0};
	const struct {
		const char *what, *text;
	} texts[] = {
		{"process", f->process},
		{"unit", f->unit},
		{"container", f->container},
		{"host", f->host},
	};

	*out = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (*texts[i].text)
			word(&w, "%s %s", texts[i].what, texts[i].text);
	if (f->pid != NOT_KNOWN)
		word(&w, "pid %lld", (long long)f->pid);
	peer_word(&w, f);
	if (f->port != NOT_KNOWN)
		word(&w, "port %lld", (long long)f->port);
	if (f->cause != NOT_KNOWN)
		word(&w, "cause %s", cause_name(f->cause));
	if (f->kind != NOT_KNOWN)
		word(&w, "kind %s", kind_name(f->kind));
	if (f->class != NOT_KNOWN)
		word(&w, "call %s", call_class_name(f->class));
	if (f->limit != NOT_KNOWN)
		word(&w, "only the newest %lld events", (long long)f->limit);
	if (f->benign)
		word(&w, "with the benign ones");
}

__attribute__((format(printf, 3, 4))) static void
line(FILE *out, report_line_fn fn, const char *fmt, ...)
{
	char text[LINE_MOST];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fn(out, text);
}

static void share_line(FILE *out, const struct report_data *d,
		       report_line_fn fn)
{
	char share[32];

	connections_share_text(&d->connections, report_total(d), share,
			       sizeof(share));
	if (!*share)
		fn(out, "How many connections there were in this time is not "
			"known.");
	else
		line(out, fn,
		     "That is %s of the connections established in this time "
		     "(%s%.0f).",
		     share, d->connections.estimated ? "about " : "",
		     d->connections.number);
}

void report_overview(FILE *out, const struct report_data *d, report_line_fn fn)
{
	char filter[LINE_MOST - 40], rate[32];
	double window_s = (double)(d->end_us - d->since_us) / USEC_PER_SEC;

	event_rate_text((double)report_total(d) / window_s, rate, sizeof(rate));
	line(out, fn, "%lld failures (%s), %zu causes.",
	     (long long)report_total(d), rate,
	     groups_number(d->by[REPORT_BY_CAUSE]));
	share_line(out, d, fn);
	if (d->benign > 0)
		line(out, fn,
		     "%lld benign ones (health checks, scans: nothing was "
		     "lost) are not counted.",
		     (long long)d->benign);
	filter_text(&d->filter, filter, sizeof(filter));
	if (*filter)
		line(out, fn, "Only: %s.", filter);
	if (d->damaged)
		fn(out, "Some events of the store are damaged and left out.");
}

void report_losses(FILE *out, const struct report_data *d, report_line_fn fn)
{
	const struct checkup *c = &d->checkup;
	int64_t started = checkup_number(c, NULL, "started_us");
	int64_t ring = checkup_number(c, "lost", "ring");
	int64_t queue = checkup_number(c, "lost", "queue");
	int64_t store = checkup_number(c, "lost", "store");
	char at[32];

	for (unsigned int i = 0; i < c->problems; i++)
		fn(out, c->problem[i]);
	if (started != NOT_KNOWN && started > d->since_us) {
		report_time(started, at, sizeof(at));
		line(out, fn,
		     "The daemon was started at %s UTC, within this time: "
		     "what was before may be missing.",
		     at);
	}
	if (ring == 0 && queue == 0 && store == 0)
		fn(out, "No record and no event was lost since the daemon's "
			"start.");
}

void report_blind_spots(FILE *out, const struct report_data *d,
			report_line_fn fn)
{
	const json_t *spots = json_object_get(d->checkup.daemon, "blind_spots");
	const json_t *spot;
	char text[LINE_MOST];
	size_t i;

	json_array_foreach(spots, i, spot)
	{
		const char *raw = json_string_value(spot);

		format_safe(raw ? raw : "?", text, sizeof(text));
		fn(out, text);
	}
}
