/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli_case.h"
#include "user/cli/checkup.h"

#define NOTE                                                                   \
	"{\"pid\":4242,\"version\":\"0.1.0\",\"revision\":\"abc\","            \
	"\"kernel\":\"6.18\",\"host\":\"%s\",\"started_us\":0,"                \
	"\"updated_us\":%lld,\"ended\":%s,\"listen\":\"off\","                 \
	"\"probes\":[{\"hook\":\"tcp_receive_reset\","                         \
	"\"method\":\"tp_btf\",\"up\":%s,\"required\":true,\"why\":\"\","      \
	"\"missed_runs\":706}"                                                 \
	",{\"hook\":\"kfree_skb\",\"method\":\"none\",\"up\":false,"           \
	"\"required\":false,\"why\":\"too dear\",\"missed_runs\":null},"       \
	"{\"hook\":\"tcp_reset\",\"method\":\"kprobe\",\"up\":true,"           \
	"\"required\":false,\"why\":\"\",\"missed_runs\":null}],"              \
	"\"blind_spots\":[\"splice is not told\"],"                            \
	"\"counts\":{\"received\":{\"seen\":7,\"submitted\":7,"                \
	"\"dropped\":0,\"folded\":0}},"                                        \
	"\"lost\":{\"ring\":%d,\"queue\":0,\"store\":0},"                      \
	"\"ignored\":{\"out_of_window\":3,\"challenged\":4,"                   \
	"\"no_socket\":5},"                                                    \
	"\"connections\":{\"client\":1,\"server\":2,\"table_full\":0},"        \
	"\"stacks\":{\"on\":true,\"taken\":9,\"named\":7,\"bare\":1,"          \
	"\"lost\":1},\"sockets_seeded\":null}"

struct state_of {
	const char *host, *ended, *up;
	int64_t updated_ago_us;
	int ring;
};

static const struct state_of well = {"web1", "false", "true", 1000000, 0};

static char *note_of(const struct state_of *s)
{
	char *text;

	assert_true(asprintf(&text, NOTE, s->host,
			     (long long)(CASE_NOW_US - s->updated_ago_us),
			     s->ended, s->up, s->ring) > 0);
	return text;
}

static bool alive(int64_t pid)
{
	return pid == 4242;
}

static bool dead(int64_t pid)
{
	(void)pid;
	return false;
}

static void judged(const struct state_of *s, bool (*lives)(int64_t),
		   const char *problem)
{
	char *note = note_of(s);
	struct checkup c;

	assert_int_equal(checkup_daemon(&c, note, "web1", lives, CASE_NOW_US),
			 0);
	assert_int_equal(c.problems, problem ? 1 : 0);
	if (problem)
		assert_has(c.problem[0], problem);
	checkup_free(&c);
	free(note);
}

static void judgement(void **state)
{
	struct state_of s;

	(void)state;
	judged(&well, alive, NULL);
	judged(&well, dead, "pid 4242 is gone");
	s = well;
	s.host = "elsewhere"; /* its pid says nothing here */
	judged(&s, dead, NULL);
	s = well;
	s.ended = "true";
	judged(&s, alive, "it ended 1.00 s ago");
	s = well;
	s.updated_ago_us = 60 * USEC_PER_SEC;
	judged(&s, alive, "silent for 1 min");
	s = well;
	s.updated_ago_us = -5 * USEC_PER_SEC; /* a clock that was set back */
	judged(&s, alive, NULL);
	s = well;
	s.up = "false";
	judged(&s, alive, "required probe tcp_receive_reset is not up");
	s = well;
	s.ring = 3;
	judged(&s, alive, "3 records were lost: the ring was full");
}

static void broken_notes(void **state)
{
	static const char *const notes[] = {
		"",
		"{",
		"[]",
		"7",
		"{}",
		"{\"pid\":\"x\"}",
		"{\"probes\":7,\"lost\":[],\"pid\":null}",
	};
	struct checkup c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		assert_int_equal(checkup_daemon(&c, notes[i], "web1", alive,
						CASE_NOW_US),
				 0);
		assert_true(c.problems > 0);
		assert_false(c.running);
		checkup_free(&c);
	}
}

static void report(void **state)
{
	struct cli_case *c = *state;
	struct state_of s = well;
	char *note;

	assert_int_equal(case_run(c, "doctor"), -EIO);
	assert_has(c->out, "Not well:\n  ! no daemon has ever written");
	assert_has(c->out, "\nStore    sqlite:");
	s.host = "elsewhere";
	note = note_of(&s);
	assert_int_equal(store_set_note(c->store, DAEMON_NOTE, note), 0);
	free(note);
	assert_int_equal(case_run(c, "doctor"), 0);
	assert_int_equal(strncmp(c->out, "All is well.\n", 13), 0);
	assert_has(c->out, "Daemon   running, pid 4242");
	assert_has(c->out, "\ntcp_receive_reset tp_btf up    -\n");
	assert_has(c->out, "\nkfree_skb         none   off   too dear\n");
	assert_has(c->out, "  - splice is not told\n");
	assert_has(c->out, "Seen     received 7\n");
	assert_has(c->out, "\nMissed   706 runs of tcp_receive_reset, not "
			   "known of 1 of 2 probes\n");
	assert_has(c->out,
		   "\nIgnored  RSTs out of the window 3, challenged or at "
		   "a listener 4, of no socket 5\n");
	assert_has(c->out, "sockets older than the daemon not known");
	assert_has(c->out, "\nStacks   on; taken 9, with names 7, addresses "
			   "alone 1, lost 1\n");
}

static void json(void **state)
{
	struct cli_case *c = *state;
	json_t *all;

	assert_int_equal(case_run(c, "doctor --json"), -EIO);
	all = json_loads(c->out, 0, NULL);
	assert_non_null(all);
	assert_true(json_is_false(json_object_get(all, "well")));
	assert_true(json_is_null(json_object_get(all, "daemon")));
	assert_int_equal(json_array_size(json_object_get(all, "problems")), 1);
	json_decref(all);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judgement),
		cmocka_unit_test(broken_notes),
		CASE(report),
		CASE(json),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
