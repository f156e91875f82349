/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures over time: one bar for each step of time, in the colours of the
 * causes (.c0 ... .c6; .cx for all others), which the page's style defines.
 */
#include <math.h>

#include "user/base/base.h"
#include "user/cli/html.h"
#include "user/cli/report_data.h"

#define WIDTH  960
#define HEIGHT 260
#define LEFT   56
#define RIGHT  12
#define TOP    10
#define BOTTOM 28

#define LINES	    5 /* of the grid, about so many, above zero */
#define LABELS	    8
#define LABEL_WIDTH 60

struct plot {
	FILE *out;
	const struct report_data *d;
	double step; /* from one line of the grid to the next */
	int lines;
	double most; /* at the top line */
};

static double bar_sum(const struct report_data *d, size_t bar)
{
	double sum = 0;

	for (int i = 0; i < CAUSES; i++)
		sum += d->bar[bar][i];
	return sum;
}

/* 1, 2 or 5 times a power of ten, and no fraction. */
static double round_step(double step)
{
	double power = pow(10, floor(log10(fmax(step, 1))));

	if (step > 5 * power)
		return 10 * power;
	if (step > 2 * power)
		return 5 * power;
	return step > power ? 2 * power : power;
}

static double x_of(const struct plot *p, double bar)
{
	return LEFT + bar * (WIDTH - LEFT - RIGHT) / (double)p->d->bars;
}

static double y_of(const struct plot *p, double value)
{
	return HEIGHT - BOTTOM - value / p->most * (HEIGHT - TOP - BOTTOM);
}

static void draw_grid(const struct plot *p)
{
	for (int i = 0; i <= p->lines; i++) {
		double value = p->step * i, y = y_of(p, value);

		fprintf(p->out,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
			"y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.10g"
			"</text>\n",
			LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, value);
	}
}

static void time_label(const struct report_data *d, size_t bar, char *out,
		       size_t size)
{
	int64_t us = d->first_bar_us + (int64_t)bar * d->bar_us;
	bool days = d->end_us - d->since_us > 2 * 86400 * USEC_PER_SEC;
	struct tm tm;

	show_split_time(us, true, &tm);
	strftime(out, size,
		 days				 ? "%m-%d %H:%M"
		 : d->bar_us < 60 * USEC_PER_SEC ? "%T"
						 : "%H:%M",
		 &tm);
}

static void draw_times(const struct plot *p)
{
	size_t step = (p->d->bars + LABELS - 1) / LABELS;
	char text[32];

	for (size_t i = 0; i < p->d->bars; i += step) {
		if (x_of(p, (double)i) > WIDTH - RIGHT - LABEL_WIDTH)
			break;
		time_label(p->d, i, text, sizeof(text));
		fprintf(p->out,
			"<text x=\"%.1f\" y=\"%d\">%s</text>"
			"<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" "
			"y1=\"%d\" y2=\"%d\"/>\n",
			x_of(p, (double)i), HEIGHT - 8, text,
			x_of(p, (double)i), x_of(p, (double)i), HEIGHT - BOTTOM,
			HEIGHT - BOTTOM + 5);
	}
}

/* From `base` up; the new base. */
static double draw_part(const struct plot *p, size_t bar, double base,
			double value, const char *class, const char *name)
{
	double x = x_of(p, (double)bar), top = y_of(p, base + value);
	char at[32];

	if (value <= 0)
		return base;
	time_label(p->d, bar, at, sizeof(at));
	fprintf(p->out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		"height=\"%.1f\"><title>%s: %.0f ",
		class, x, top, x_of(p, (double)bar + 1) - x - 0.6,
		y_of(p, base) - top, at, value);
	html_text(p->out, name);
	fputs("</title></rect>\n", p->out);
	return base + value;
}

static void draw_bar(const struct plot *p, size_t bar)
{
	double base = 0, rest = bar_sum(p->d, bar);
	char class[8];

	for (size_t i = 0; i < REPORT_CAUSES; i++) {
		enum cause cause = report_cause(p->d, i);

		if (cause == CAUSES)
			break;
		snprintf(class, sizeof(class), "c%zu", i);
		rest -= p->d->bar[bar][cause];
		base = draw_part(p, bar, base, p->d->bar[bar][cause], class,
				 cause_name(cause));
	}
	if (rest > 1e-6)
		draw_part(p, bar, base, rest, "cx", "others");
}

void report_svg(FILE *out, const struct report_data *d)
{
	struct plot p = {.out = out, .d = d};
	double most = 0;

	for (size_t i = 0; i < d->bars; i++)
		most = fmax(most, bar_sum(d, i));
	p.step = round_step(most / LINES);
	p.lines = (int)ceil(most / p.step);
	p.most = p.step * p.lines;
	fprintf(out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"failures over time, by cause\">\n",
		WIDTH, HEIGHT);
	draw_grid(&p);
	for (size_t i = 0; i < d->bars; i++)
		draw_bar(&p, i);
	draw_times(&p);
	fputs("</svg>\n", out);
}
