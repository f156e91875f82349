/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/serve/exposition.h"

struct exposition {
	FILE *out;
	char *text;
	size_t size;
	enum metrics_format format;
	const char *name; /* of the family that is open */
	enum metric_type type;
};

struct exposition *exposition_new(enum metrics_format format)
{
	struct exposition *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->format = format;
	x->out = open_memstream(&x->text, &x->size);
	if (!x->out) {
		free(x);
		return NULL;
	}
	return x;
}

void exposition_free(struct exposition *x)
{
	if (!x)
		return;
	if (x->out)
		fclose(x->out);
	free(x->text);
	free(x);
}

void exposition_family(struct exposition *x, const char *name,
		       enum metric_type type, const char *help)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};
	/* OpenMetrics names the family, the older form names the samples. */
	const char *suffix = type == METRIC_COUNTER && x->format == METRICS_TEXT
				     ? "_total"
				     : "";

	x->name = name;
	x->type = type;
	fprintf(x->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help,
		name, suffix, types[type]);
}

/* Length of the UTF-8 sequence at s, 0 where it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s)
{
	size_t n, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void put_label_value(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	while (*s) {
		size_t n = utf8_length(s);

		if (n > 1) {
			fwrite(s, 1, n, out);
			s += n;
			continue;
		}
		if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (n == 0 || *s < 0x20 || *s == 0x7f)
			fputc('?', out);
		else
			fputc(*s, out);
		s++;
	}
}

/* `le` is one more label, for buckets; NULL: none. */
static void put_labels(FILE *out, const struct label *labels, const char *le)
{
	char separator = '{';

	for (; labels && labels->name; labels++) {
		fprintf(out, "%c%s=\"", separator, labels->name);
		put_label_value(out, labels->value);
		fputc('"', out);
		separator = ',';
	}
	if (le) {
		fprintf(out, "%cle=\"%s\"", separator, le);
		separator = ',';
	}
	if (separator == ',')
		fputc('}', out);
}

/*
 * Shortest of the usual precisions that reads back as the same number; with a
 * point, so that both forms and every client library spell a bucket alike.
 */
static void number_text(double value, bool point, char out[32])
{
	int precision;

	if (isnan(value) || isinf(value)) {
		snprintf(out, 32, "%s",
			 isnan(value) ? "NaN"
			 : value < 0  ? "-Inf"
				      : "+Inf");
		return;
	}
	for (precision = 6; precision <= 17; precision++) {
		snprintf(out, 32, "%.*g", precision, value);
		if (strtod(out, NULL) == value)
			break;
	}
	if (point && !strpbrk(out, ".e"))
		strcat(out, ".0");
}

static void put_exemplar(struct exposition *x, const struct exemplar *e)
{
	char number[32];

	if (x->format != METRICS_OPENMETRICS || !e || !e->id)
		return;
	number_text(e->value, false, number);
	fprintf(x->out, " # {event_id=\"%lld\"} %s %lld.%03lld",
		(long long)e->id, number, (long long)(e->time_us / 1000000),
		(long long)(e->time_us / 1000 % 1000));
}

void exposition_count(struct exposition *x, const struct label *labels,
		      uint64_t value, const struct exemplar *example)
{
	fputs(x->name, x->out);
	if (x->type == METRIC_COUNTER)
		fputs("_total", x->out);
	put_labels(x->out, labels, NULL);
	fprintf(x->out, " %llu", (unsigned long long)value);
	put_exemplar(x, example);
	fputc('\n', x->out);
}

void exposition_value(struct exposition *x, const struct label *labels,
		      double value)
{
	char number[32];

	number_text(value, false, number);
	fputs(x->name, x->out);
	if (x->type == METRIC_COUNTER)
		fputs("_total", x->out);
	put_labels(x->out, labels, NULL);
	fprintf(x->out, " %s\n", number);
}

void exposition_histogram(struct exposition *x, const struct label *labels,
			  const struct exposition_buckets *b)
{
	uint64_t below = 0;
	char number[32];
	size_t i;

	for (i = 0; i <= b->n; i++) {
		below += b->counts[i];
		number_text(i < b->n ? b->bounds[i] : INFINITY, true, number);
		fprintf(x->out, "%s_bucket", x->name);
		put_labels(x->out, labels, number);
		fprintf(x->out, " %llu", (unsigned long long)below);
		put_exemplar(x, &b->examples[i]);
		fputc('\n', x->out);
	}
	number_text(b->sum, false, number);
	fprintf(x->out, "%s_sum", x->name);
	put_labels(x->out, labels, NULL);
	fprintf(x->out, " %s\n%s_count", number, x->name);
	put_labels(x->out, labels, NULL);
	fprintf(x->out, " %llu\n", (unsigned long long)below);
}

int exposition_finish(struct exposition *x, char **out, size_t *size)
{
	bool failed;

	if (x->format == METRICS_OPENMETRICS)
		fputs("# EOF\n", x->out);
	failed = ferror(x->out);
	failed |= fclose(x->out) != 0;
	x->out = NULL;
	if (failed || !x->text) {
		exposition_free(x);
		return -ENOMEM;
	}
	*out = x->text;
	*size = x->size;
	x->text = NULL;
	exposition_free(x);
	return 0;
}
