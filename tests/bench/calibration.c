/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine's confidences are worth.
 *   calibration GOLDEN_DIR [JUDGED]
 * Explains the golden cases anew, and reads what tests/scenarios/run.py judged
 * on real programs (one JSON object a line). For each of the two: how often a
 * verdict given with about that confidence was right, and the programs one by
 * one. The weights are estimates, fitted to nothing; what could be fitted is a
 * correction per bin, so it is tried with one program left out each time: how
 * far the share that the other programs lead to expect is off.
 */
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/engine.h"
#include "user/explain/facts_json.h"

#define SURE	 0.8
#define MOST	 8192
#define PROGRAMS 128

static const double edges[] = {0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01};
#define BINS (ARRAY_SIZE(edges) - 1)

struct judged {
	char program[32];
	bool right, unknown;
	double confidence;
};

struct set {
	struct judged one[MOST];
	size_t n;
};

static void add(struct set *set, const char *program, bool right, bool unknown,
		double confidence)
{
	struct judged *j;

	if (set->n == MOST)
		return;
	j = &set->one[set->n++];
	snprintf(j->program, sizeof(j->program), "%s", program);
	j->right = right;
	j->unknown = unknown;
	j->confidence = confidence;
}

static size_t bin_of(double confidence)
{
	size_t i = 0;

	while (i + 1 < BINS && confidence >= edges[i + 1])
		i++;
	return i;
}

/* Of a bin, all programs but `without` (NULL: all). */
static size_t count_bin(const struct set *set, size_t bin, const char *without,
			size_t *right, double *said)
{
	size_t n = 0;

	*right = 0;
	*said = 0;
	for (size_t i = 0; i < set->n; i++) {
		const struct judged *j = &set->one[i];

		if (j->unknown || bin_of(j->confidence) != bin ||
		    (without && !strcmp(j->program, without)))
			continue;
		n++;
		*right += j->right;
		*said += j->confidence;
	}
	return n;
}

static void print_bins(const struct set *set)
{
	printf("  confidence   verdicts  said   right\n");
	for (size_t bin = 0; bin < BINS; bin++) {
		size_t right;
		double said;
		size_t n = count_bin(set, bin, NULL, &right, &said);

		if (n)
			printf("  %.2f-%.2f  %9zu  %.2f  %5.1f %%\n",
			       edges[bin], fmin(edges[bin + 1], 1), n,
			       said / (double)n,
			       100.0 * (double)right / (double)n);
	}
}

static void print_program(const struct set *set, const char *program)
{
	size_t n = 0, right = 0, unknown = 0, sure = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct judged *j = &set->one[i];

		if (program && strcmp(j->program, program))
			continue;
		n++;
		right += j->right;
		unknown += j->unknown;
		sure += !j->right && !j->unknown && j->confidence >= SURE;
	}
	printf("  %-16s %5zu  %5.1f %%  unknown %5.1f %%  wrong at >= %.1f: "
	       "%zu\n",
	       program ? program : "all", n,
	       n ? 100.0 * (double)right / (double)n : 0,
	       n ? 100.0 * (double)unknown / (double)n : 0, SURE, sure);
}

static size_t programs_of(const struct set *set, const char **name)
{
	size_t n = 0, at;

	for (size_t i = 0; i < set->n; i++) {
		for (at = 0; at < n; at++)
			if (!strcmp(name[at], set->one[i].program))
				break;
		if (at == n && n < PROGRAMS)
			name[n++] = set->one[i].program;
	}
	return n;
}

/* How far off each verdict's expectation is, from the other programs' bins. */
static void print_left_out(const struct set *set)
{
	double plain = 0, corrected = 0;
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		const struct judged *j = &set->one[i];
		size_t right, others;
		double said, share = j->confidence, off;

		if (j->unknown)
			continue;
		others = count_bin(set, bin_of(j->confidence), j->program,
				   &right, &said);
		if (others)
			share = (double)right / (double)others;
		off = (double)j->right - j->confidence;
		plain += off * off;
		off = (double)j->right - share;
		corrected += off * off;
		n++;
	}
	if (n)
		printf("  Brier score %.4f as said; %.4f corrected per bin, "
		       "each program by the others\n",
		       plain / (double)n, corrected / (double)n);
}

static void report(const char *title, const struct set *set)
{
	const char *name[PROGRAMS];
	size_t programs = programs_of(set, name);

	printf("%s: %zu verdicts\n", title, set->n);
	print_bins(set);
	print_program(set, NULL);
	for (size_t i = 0; programs > 1 && i < programs; i++)
		print_program(set, name[i]);
	if (programs > 1)
		print_left_out(set);
}

/* --- golden cases --------------------------------------------------------- */

static void learn(struct engine *e, const struct facts *base,
		  const json_t *step, uint64_t id)
{
	json_t *changed = json_object_get(step, "facts");
	struct facts f = *base;
	struct verdict v;
	char err[128];

	f.failure = id;
	f.time_us +=
		(int64_t)(json_number_value(json_object_get(step, "seconds")) *
			  1e6);
	if (changed && facts_from_json(&f, changed, err, sizeof(err)))
		return;
	engine_explain(e, &f, &v);
	engine_learn(e, &f, &v);
}

static void explain_golden(struct set *set, const json_t *json)
{
	json_t *before = json_object_get(json, "before");
	const char *want = json_string_value(
		json_object_get(json_object_get(json, "expect"), "cause"));
	struct engine *e = engine_new();
	struct verdict v;
	struct facts f;
	char err[128];

	facts_init(&f);
	if (!e || !want ||
	    facts_from_json(&f, json_object_get(json, "facts"), err,
			    sizeof(err)))
		goto cleanup;
	for (size_t i = 0; i < json_array_size(before); i++)
		learn(e, &f, json_array_get(before, i), 1 + i);
	engine_explain(e, &f, &v);
	add(set, "golden", !strcmp(cause_name(v.cause), want),
	    v.cause == CAUSE_UNKNOWN && strcmp(want, "unknown") != 0,
	    v.confidence);
cleanup:
	engine_free(e);
}

static int read_golden(struct set *set, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(dir))) {
		char file[1024];
		json_t *json;

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		json = strstr(entry->d_name, ".json")
			       ? json_load_file(file, 0, NULL)
			       : NULL;
		if (json)
			explain_golden(set, json);
		json_decref(json);
	}
	closedir(dir);
	return 0;
}

/* --- judged scenarios ----------------------------------------------------- */

static int read_judged(struct set *set, const char *path)
{
	FILE *in = fopen(path, "re");
	char line[1024];

	if (!in) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), in)) {
		json_t *json = json_loads(line, 0, NULL);
		const char *program =
			json_string_value(json_object_get(json, "program"));
		const char *result =
			json_string_value(json_object_get(json, "result"));

		if (program && result)
			add(set, program, !strcmp(result, "right"),
			    !strcmp(result, "unknown"),
			    json_number_value(
				    json_object_get(json, "confidence")));
		json_decref(json);
	}
	fclose(in);
	return 0;
}

int main(int argc, char *argv[])
{
	static struct set golden, judged;

	if (argc < 2) {
		fprintf(stderr, "usage: calibration GOLDEN_DIR [JUDGED]\n");
		return EXIT_USAGE;
	}
	if (read_golden(&golden, argv[1]))
		return EXIT_FAILED;
	report("Golden cases", &golden);
	if (argc < 3)
		return EXIT_OK;
	if (read_judged(&judged, argv[2]))
		return EXIT_FAILED;
	printf("\n");
	report("Real programs", &judged);
	return EXIT_OK;
}
