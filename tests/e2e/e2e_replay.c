// SPDX-License-Identifier: Apache-2.0
/* What --record keeps, told again by rstscope replay. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/outcome.h"

/* What must be the same of an event, on one line. */
static char *essence(const json_t *event)
{
	json_t *process = json_object_get(event, "process");
	json_t *part = json_pack(
		"{s:O, s:O, s:O, s:O, s:O?, s:O}", "time",
		json_object_get(event, "time"), "kind",
		json_object_get(event, "kind"), "syscall",
		json_object_get(event, "syscall"), "connection",
		json_object_get(event, "connection"), "pid",
		json_object_get(process, "pid"), "cause",
		json_object_get(json_object_get(event, "cause"), "name"));
	char *text = json_dumps(part, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(part);
	return text;
}

static void must_be_replayed(const json_t *event, char *replayed)
{
	char *want = essence(event), *have, *copy = strdup(replayed), *next;
	bool found = false;

	for (char *line = strtok_r(copy, "\n", &next); line && !found;
	     line = strtok_r(NULL, "\n", &next)) {
		json_t *other = json_loads(line, 0, NULL);

		assert_non_null(other);
		have = essence(other);
		found = have && !strcmp(want, have);
		free(have);
		json_decref(other);
	}
	if (!found) {
		print_error("not in the replay: %s\nreplayed:\n%s", want,
			    replayed);
		fail();
	}
	free(want);
	free(copy);
}

static void test_record_and_replay(void **state)
{
	struct world *w = *state;
	char file[128], *out = NULL;
	const char *const record[] = {"--record", file, NULL};
	const char *const replay[] = {cli(),	  "replay", "--json",
				      "--benign", file,	    NULL};
	json_t *events, *event;
	struct daemon *d;
	size_t i;

	snprintf(file, sizeof(file), "%s/records", scratch());
	d = own_daemon(w, record);
	one_reset(w, NULL);
	one_reset(w, NULL);
	assert_int_equal(daemon_stop(d), 0);
	events = daemon_events(d, 0);
	assert_true(json_array_size(events) >= 4);
	assert_int_equal(run_program(replay, OUTCOME_LIMIT_MS, &out, NULL), 0);
	assert_int_equal(lines(out), json_array_size(events));
	json_array_foreach(events, i, event) must_be_replayed(event, out);
	json_decref(events);
	free(out);
}

/* It goes on watching, and does not end as if all were kept. */
static void test_record_to_a_full_disk(void **state)
{
	struct world *w = *state;
	const char *const record[] = {"--record", "/dev/full", NULL};
	struct daemon *d = own_daemon(w, record);

	one_reset(w, NULL);
	assert_int_equal(daemon_stop(d), FAILED);
}

static void test_replay_of_garbage(void **state)
{
	(void)state;
	must_in(-1, "head -c 2000 /dev/urandom >%s/garbage", scratch());
	refused_with(FAILED, "garbage", "%s replay %s/garbage", cli(),
		     scratch());
	refused_with(FAILED, "missing", "%s replay %s/missing", cli(),
		     scratch());
}

int main(void)
{
	const struct CMUnitTest replay[] = {
		IPV4(test_record_and_replay),
		IPV4(test_record_to_a_full_disk),
		IPV4(test_replay_of_garbage),
	};

	return run_table(replay);
}
