/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file of tests/golden: the facts of a failure, what had happened before
 * (or after: seconds above 0), and the verdict that is expected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/engine.h"
#include "user/explain/facts_json.h"
#include "user/explain/tls.h"

#define FILES_MIN 50

static const char *golden_dir(void)
{
#ifdef TEST_DIR
	return TEST_DIR "/golden";
#else
	static char dir[512];
	const char *file = __FILE__;
	const char *slash = strrchr(file, '/');

	snprintf(dir, sizeof(dir), "%.*s/../golden",
		 slash ? (int)(slash - file) : 1, slash ? file : ".");
	return dir;
#endif
}

struct golden {
	const char *name;
	json_t *json;
	struct engine *engine;
	struct facts facts;
	struct verdict verdict;
	int wrong;
};

static void complain(struct golden *g, const char *what, const char *want,
		     const char *got)
{
	print_error("%s: %s: %s expected, %s found\n", g->name, what, want,
		    got);
	g->wrong++;
}

static void read_facts(struct golden *g, struct facts *f, const json_t *json)
{
	char err[128];

	if (facts_from_json(f, json, err, sizeof(err))) {
		print_error("%s: %s\n", g->name, err);
		g->wrong++;
	}
}

/* Another failure: the facts of this one with some changed. */
static void learn(struct golden *g, const json_t *step, uint64_t id)
{
	struct facts f = g->facts;
	struct verdict v;

	f.failure = id;
	f.time_us +=
		(int64_t)(json_number_value(json_object_get(step, "seconds")) *
			  1e6);
	if (json_object_get(step, "facts"))
		read_facts(g, &f, json_object_get(step, "facts"));
	engine_explain(g->engine, &f, &v);
	engine_learn(g->engine, &f, &v);
}

static void check_text(struct golden *g, const char *key, const char *got)
{
	const char *want = json_string_value(
		json_object_get(json_object_get(g->json, "expect"), key));

	if (want && strcmp(want, got))
		complain(g, key, want, got);
}

static void check_confidence(struct golden *g)
{
	json_t *e = json_object_get(g->json, "expect");
	double least = json_number_value(json_object_get(e, "least"));
	double most = json_number_value(json_object_get(e, "most"));

	if (g->verdict.confidence >= least && g->verdict.confidence <= most)
		return;
	print_error("%s: confidence %.3f, %.2f to %.2f expected\n", g->name,
		    g->verdict.confidence, least, most);
	g->wrong++;
}

static void check_timer(struct golden *g)
{
	json_t *e = json_object_get(g->json, "expect");
	json_t *want = json_object_get(e, "timeout");
	json_t *learned = json_object_get(e, "learned");
	char text[2][40];

	snprintf(text[0], sizeof(text[0]), "%g", json_number_value(want));
	snprintf(text[1], sizeof(text[1]), "%g", g->verdict.timeout_seconds);
	if (want && (!g->verdict.timeout_known ||
		     fabs(json_number_value(want) -
			  g->verdict.timeout_seconds) > 0.0005))
		complain(g, "timeout", text[0], text[1]);
	if (learned && json_is_true(learned) != g->verdict.timeout_learned)
		complain(g, "learned", "another", "this");
}

static void check_rest(struct golden *g)
{
	const struct verdict *v = &g->verdict;
	json_t *e = json_object_get(g->json, "expect");
	int fast = engine_cause_fast(g->engine, &g->facts);

	check_text(g, "cause", cause_name(v->cause));
	check_text(g, "blame", blame_name(v->blame));
	check_text(g, "retry", retry_name(v->retry));
	check_text(g, "tls", facts_tls(&g->facts));
	check_text(g, "alternative",
		   v->alternatives ? cause_name(v->alternative[0].cause)
				   : "none");
	if (json_is_true(json_object_get(e, "benign")) != v->benign)
		complain(g, "benign", "another", "this");
	if (fast >= 0 && fast != (int)v->cause)
		complain(g, "fast", cause_name(v->cause),
			 cause_name((enum cause)fast));
	if (!v->evidences)
		complain(g, "evidence", "some", "none");
	for (unsigned int i = 0; i < v->evidences; i++)
		if (!v->evidence[i].fact[0] ||
		    strpbrk(v->evidence[i].fact, "{}?"))
			complain(g, "evidence", "a text", v->evidence[i].fact);
	for (unsigned int i = 0; i < v->fixes; i++)
		if (strpbrk(v->fix[i], "{}?\n"))
			complain(g, "fix", "a text", v->fix[i]);
}

/* Facts survive being written and read. */
static void check_round_trip(struct golden *g)
{
	json_t *once = facts_to_json(&g->facts), *twice;
	struct facts again;

	facts_init(&again);
	read_facts(g, &again, once);
	twice = facts_to_json(&again);
	if (!json_equal(once, twice) ||
	    memcmp(&again, &g->facts, sizeof(again)) != 0)
		complain(g, "round trip", "the same facts", "others");
	json_decref(once);
	json_decref(twice);
}

static void show(const struct golden *g)
{
	print_message("%-34s %-24s %.3f", g->name, cause_name(g->verdict.cause),
		      g->verdict.confidence);
	for (unsigned int i = 0; i < g->verdict.alternatives; i++)
		print_message(" %s %.2f",
			      cause_name(g->verdict.alternative[i].cause),
			      g->verdict.alternative[i].confidence);
	print_message("\n");
}

static void run_case(struct golden *g)
{
	json_t *before = json_object_get(g->json, "before");

	facts_init(&g->facts);
	read_facts(g, &g->facts, json_object_get(g->json, "facts"));
	for (size_t i = 0; i < json_array_size(before); i++)
		learn(g, json_array_get(before, i), 1 + i);
	engine_explain(g->engine, &g->facts, &g->verdict);
	check_confidence(g);
	check_timer(g);
	check_rest(g);
	check_round_trip(g);
	if (getenv("GOLDEN_SHOW"))
		show(g);
}

static int run_file(const char *name)
{
	struct golden g = {.name = name};
	json_error_t error;
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", golden_dir(), name);
	g.json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!g.json) {
		print_error("%s: %s\n", name, error.text);
		return 1;
	}
	g.engine = engine_new();
	assert_non_null(g.engine);
	run_case(&g);
	engine_free(g.engine);
	json_decref(g.json);
	return g.wrong;
}

static int is_golden(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);

	return size > 5 && !strcmp(entry->d_name + size - 5, ".json");
}

static void test_all_files(void **state)
{
	struct dirent **list = NULL;
	int n = scandir(golden_dir(), &list, is_golden, alphasort), wrong = 0;

	(void)state;
	for (int i = 0; i < n; i++) {
		wrong += run_file(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	assert_true(n >= FILES_MIN);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_files),
	};

	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
