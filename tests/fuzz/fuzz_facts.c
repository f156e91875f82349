/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded facts: any JSON is either refused or gives facts that survive being
 * written and read, and that the engine can explain.
 */
#include <stdlib.h>
#include <string.h>

#include "user/explain/engine.h"
#include "user/explain/facts_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_verdict(const struct facts *f)
{
	static struct engine *engine;
	struct verdict v;

	if (!engine)
		engine = engine_new();
	if (!engine)
		return;
	engine_explain(engine, f, &v);
	if (v.cause >= CAUSES || !(v.confidence >= 0 && v.confidence <= 1) ||
	    v.evidences > VERDICT_EVIDENCE || v.fixes > VERDICT_FIXES)
		abort();
	engine_learn(engine, f, &v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL), *again;
	struct facts f, g;
	char err[160];

	if (!json)
		return 0;
	facts_init(&f);
	if (facts_from_json(&f, json, err, sizeof(err))) {
		if (!err[0])
			abort();
		json_decref(json);
		return 0;
	}
	json_decref(json);
	json = facts_to_json(&f);
	facts_init(&g);
	if (facts_from_json(&g, json, err, sizeof(err)))
		abort();
	again = facts_to_json(&g);
	if (!json_equal(json, again))
		abort();
	json_decref(json);
	json_decref(again);
	check_verdict(&f);
	return 0;
}
