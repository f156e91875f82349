/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli_case.h"
#include "tests/unit/schema_check.h"
#include "user/store/stack_text.h"
#include "user/tell/timeline.h"

/* a, then b, in the text. */
static void assert_order(const char *text, const char *a, const char *b)
{
	assert_has(text, a);
	assert_has(strstr(text, a), b);
}

static struct event stale(int64_t id, int64_t ago)
{
	struct event ev = case_event(id, ago);

	ev.age_ms = 5910;
	ev.idle_ms = 5020;
	ev.since_send_ms = 2;
	ev.since_receive_ms = 5022;
	ev.sent_bytes = 812;
	ev.acked_bytes = 400;
	ev.received_bytes = 1300;
	ev.verdict.evidences = 2;
	strcpy(ev.verdict.evidence[0].fact, "idle for the default of Node.js");
	ev.verdict.evidence[0].supports = true;
	strcpy(ev.verdict.evidence[1].fact, "the RST carried no ACK");
	ev.verdict.alternatives = 1;
	ev.verdict.alternative[0].cause = CAUSE_LB_IDLE_TIMEOUT;
	ev.verdict.alternative[0].confidence = 0.05;
	ev.verdict.timeout_known = true;
	ev.verdict.timeout_seconds = 5;
	strcpy(ev.verdict.timeout_component, "Node.js keepAliveTimeout");
	ev.verdict.fixes = 1;
	strcpy(ev.verdict.fix[0], "set the agent's timeout below 5 s");
	return ev;
}

static void story_in_time_order(void **state)
{
	struct cli_case *c = *state;
	struct event ev = stale(41, 100);

	case_put(c, &ev);
	assert_int_equal(case_run(c, "why 41"), 0);
	assert_int_equal(strncmp(c->out, "node[1234] read ECONNRESET\n", 27),
			 0);
	assert_has(c->out, "\n  it saw  Error: read ECONNRESET\n");
	assert_order(c->out, "-5.91 s  connection established",
		     "last data received (1.3 KiB in all)");
	assert_order(c->out, "last data received", "idle for 5.02 s");
	assert_order(c->out, "idle for 5.02 s", "our last data sent (812 B");
	assert_order(c->out, "our last data sent", "0  RST received");
	assert_order(c->out, "0  RST received",
		     "+120 us  node[1234] was told ECONNRESET in recvfrom()");
	assert_order(c->out, "Verdict  stale_keepalive, confidence 0.93",
		     "timer: 5 s, Node.js keepAliveTimeout");
	assert_order(c->out, "  + idle for the default", "  - the RST carried");
	assert_has(c->out, "or perhaps: lb_idle_timeout 0.05");
	assert_has(c->out, "Retry    only if the request is idempotent");
	assert_has(c->out, "Change   set the agent's timeout below 5 s");
	assert_has(c->out, "Often    the first one in an hour");
}

static void says_how_often(void **state)
{
	struct cli_case *c = *state;

	for (int i = 1; i <= 6; i++) {
		/* the first is older than an hour before the last */
		struct event ev = stale(i, i == 1 ? 3800 : 100 - 10 * i);

		if (i == 2)
			ev.count = 5;
		if (i == 3)
			strcpy(ev.process.comm, "other");
		if (i == 4)
			ev.peer.port = 3001;
		case_put(c, &ev);
	}
	assert_int_equal(case_run(c, "why 6"), 0);
	assert_has(c->out, "Often    6 more in the hour before (same cause, "
			   "process, peer)");
}

static void headlines(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(1, 10);

	ev.kind = KIND_HANGUP;
	ev.syscall.errno_nr = NOT_KNOWN;
	case_put(c, &ev);
	ev = case_event(2, 9);
	ev.kind = KIND_SENT;
	ev.syscall.class = CALL_CLOSE;
	strcpy(ev.syscall.name, "close");
	ev.syscall.errno_nr = ev.syscall.delay_us = NOT_KNOWN;
	case_put(c, &ev);
	ev = case_event(3, 8);
	ev.syscall.known = false;
	ev.process.known = false;
	case_put(c, &ev);
	assert_int_equal(case_run(c, "why 1"), 0);
	assert_has(c->out,
		   "node[1234] socket hang up: peer closed before answering");
	assert_int_equal(case_run(c, "why 2"), 0);
	assert_has(c->out,
		   "node[1234]: this host reset the connection in close");
	assert_has(c->out, "RST sent by this host, in close() of node[1234]");
	assert_lacks(c->out, "was told");
	assert_lacks(c->out, "it saw");
	assert_int_equal(case_run(c, "why 3"), 0);
	assert_has(c->out, "no process: connection reset, no call has been "
			   "told of it yet");
}

/* What was not observed is not told. */
static void unknown_times_are_left_out(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(1, 10);

	ev.sent_bytes = 0;
	ev.since_send_ms = 77;
	case_put(c, &ev);
	assert_int_equal(case_run(c, "why 1"), 0);
	assert_lacks(c->out, "established,");
	assert_lacks(c->out, "last data");
	assert_lacks(c->out, "idle");
	assert_has(c->out, "0  RST received, state ESTABLISHED");
}

static void other_end_has_its_time(void **state)
{
	struct cli_case *c = *state;
	struct event other = case_event(1, 10), ev = case_event(2, 10);

	ev.time_us += 1500;
	ev.other_known = true;
	ev.other_event = 1;
	ev.other_pid = 99;
	strcpy(ev.other_comm, "server");
	strcpy(ev.other_did, "closed with SO_LINGER 0");
	case_put(c, &other);
	case_put(c, &ev);
	assert_int_equal(case_run(c, "why 2"), 0);
	assert_order(c->out,
		     "-1.5 ms  the other end, server[99], closed with "
		     "SO_LINGER 0 (event 1)",
		     "0  RST received");
	ev.id = 3;
	ev.other_event = 77; /* gone */
	case_put(c, &ev);
	assert_int_equal(case_run(c, "why 3"), 0);
	assert_order(c->out, "the other end, server[99]", "0  RST received");
}

static void idle_until_the_failure(void **state)
{
	struct event ev = stale(1, 10);
	struct timeline t;

	(void)state;
	ev.since_send_ms = 5022; /* we sent nothing that met the RST */
	ev.since_receive_ms = 5020;
	timeline_build(&t, &ev, NULL);
	assert_true(t.n >= 5);
	assert_has(t.moment[1].text, "our last data sent");
	assert_has(t.moment[2].text, "last data received");
	assert_has(t.moment[3].text, "idle for");
	assert_true(t.moment[4].failure);
}

/* A frame of a module, of a symbol, of neither. */
static struct stack stack_of_three(void)
{
	struct stack st = {.frames = 3};

	for (int i = 0; i < 3; i++)
		st.frame[i].address = 0x7f00000000aa;
	st.frame[0].offset = 0x1f2e0;
	strcpy(st.frame[0].module, "/usr/lib/libssl.so.3");
	st.frame[1].offset = 0x40;
	strcpy(st.frame[1].module, "/srv/backend");
	strcpy(st.frame[1].symbol, "read_answer");
	st.frame[2].offset = NOT_KNOWN;
	return st;
}

static void put_stack(struct cli_case *c, int64_t id, const struct stack *st)
{
	char *text = stack_text(st), err[256] = "";
	struct store_packed item = {
		.data = (uint8_t *)text,
		.size = strlen(text),
		.stack_of = id,
	};

	assert_int_equal(store_put_packed(c->store, &item, 1, err, sizeof(err)),
			 0);
	free(text);
}

static void assert_schema(const json_t *json)
{
	json_t *schema = json_load_file(SCHEMA_FILE, 0, NULL);
	struct schema_check check;

	if (!schema_ok(&check, schema, json))
		fail_msg("%s", check.err);
	json_decref(schema);
}

static void called_from(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(1, 10);
	struct stack st = stack_of_three();
	json_t *json;

	case_put(c, &ev);
	assert_int_equal(case_run(c, "why 1"), 0);
	assert_lacks(c->out, "Called from");
	assert_int_equal(case_run(c, "why 1 --json"), 0);
	assert_lacks(c->out, "stack");
	put_stack(c, 1, &st);
	assert_int_equal(case_run(c, "why 1"), 0);
	assert_has(c->out, "\nCalled from\n"
			   "  libssl.so.3+0x1f2e0\n"
			   "  read_answer (backend)\n"
			   "  code without a name (JIT?)\n\nVerdict");
	assert_int_equal(case_run(c, "why 1 --json"), 0);
	json = json_loads(c->out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "stack")), 3);
	assert_schema(json);
	json_decref(json);
	assert_int_equal(case_run(c, "ls"), 0);
	assert_int_equal(case_run(c, "ls --json"), 0);
	assert_lacks(c->out, "stack");
	/* what is said of it */
	st.frames = 2;
	put_stack(c, 1, &st);
	assert_int_equal(case_run(c, "why 1"), 0);
	assert_has(c->out, "(cut here: the code has no frame pointers)");
	stack_bare(&(struct rec_stack){.depth = 1, .frame = {0x55aa}}, &st);
	put_stack(c, 1, &st);
	assert_int_equal(case_run(c, "why 1"), 0);
	assert_has(c->out, "\n  0x55aa\n  (the process had ended");
}

static void asked_wrongly(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(5, 7200);

	case_put(c, &ev);
	assert_int_equal(case_run(c, "why"), -EINVAL);
	assert_int_equal(case_run(c, "why 5 --last"), -EINVAL);
	assert_int_equal(case_run(c, "why 0"), -EINVAL);
	assert_int_equal(case_run(c, "why five"), -EINVAL);
	assert_int_equal(case_run(c, "why 5 --process node"), -EINVAL);
	assert_int_equal(case_run(c, "why 6"), -ENOENT);
	assert_string_equal(c->err, "rstscope why: no event 6\n");
	assert_int_equal(case_run(c, "why --last"), -ENOENT);
	assert_has(c->err, "--since 1d looks further back");
	assert_int_equal(case_run(c, "why --last --since 3h"), 0);
	assert_has(c->out, "event 5 (received)");
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(story_in_time_order),
		CASE(says_how_often),
		CASE(headlines),
		CASE(unknown_times_are_left_out),
		CASE(other_end_has_its_time),
		cmocka_unit_test(idle_until_the_failure),
		CASE(called_from),
		CASE(asked_wrongly),
	};

	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
