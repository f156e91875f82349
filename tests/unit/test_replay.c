/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "tests/unit/cli_case.h"
#include "user/observe/record.h"

#define START_NS (1000 * NSEC_PER_SEC)

/* Out of nothing, 47 s after the answer. */
static struct rec_failure received(uint64_t failure, uint64_t time_ns)
{
	struct rec_failure rec = {
		.head =
			{
				.kind = REC_RECEIVED,
				.size = sizeof(rec),
				.time_ns = time_ns,
				.failure = failure,
			},
		.known = KNOWN_TUPLE | KNOWN_SOCK | KNOWN_BIRTH | KNOWN_ASKED,
		.netns = 7,
		.family = 4,
		.state = 1,
		.role = ROLE_CLIENT,
		.lport = 40000,
		.rport = 3000,
		.laddr = {10, 0, 0, 5},
		.raddr = {10, 0, 0, 9},
		.established_ns = time_ns - 48 * NSEC_PER_SEC,
		.answered = 1,
		.sock =
			{
				.bytes_sent = 150,
				.bytes_acked = 151,
				.bytes_received = 260,
				.since_send_jiffies = 47000 / 4,
				.since_receive_jiffies = 47000 / 4,
				.since_ack_jiffies = 47000 / 4,
			},
	};

	rec.lport += failure;
	return rec;
}

static struct rec_told told(uint64_t failure, uint64_t time_ns)
{
	struct rec_told rec = {
		.head =
			{
				.kind = REC_TOLD,
				.size = sizeof(rec),
				.time_ns = time_ns,
				.failure = failure,
			},
		.failed_ns = START_NS,
		.task =
			{
				.tgid = 1234,
				.tid = 1234,
				.nr = SYS_recvfrom,
				.flags = TASK_NR,
				.how = HOW_CURRENT,
				.comm = "node",
			},
		.ret = -ECONNRESET,
	};

	return rec;
}

/* The path of a recording in the directory of the case. */
static const char *recording(struct cli_case *c, const char *tail)
{
	static char path[96];
	struct record_context context = {
		.jiffy_ms = 4,
		.unix_offset_ns = CASE_NOW_US * 1000 - START_NS,
		.kernel = "6.18",
	};
	union record rec = {0};
	struct utsname machine;
	FILE *out;

	assert_int_equal(uname(&machine), 0);
	snprintf(context.arch, sizeof(context.arch), "%.15s", machine.machine);
	snprintf(path, sizeof(path), "%s/records", c->dir);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(record_write_header(out, &context), 0);
	rec.failure = received(1, START_NS);
	assert_int_equal(record_write(out, &rec), 0);
	rec.failure = received(2, START_NS + NSEC_PER_SEC);
	assert_int_equal(record_write(out, &rec), 0);
	/* An hour later: the event exists for long and is amended. */
	memset(&rec, 0, sizeof(rec));
	rec.told = told(1, START_NS + 3600 * NSEC_PER_SEC);
	assert_int_equal(record_write(out, &rec), 0);
	fputs(tail, out);
	fclose(out);
	return path;
}

static int replay(struct cli_case *c, const char *options, const char *tail)
{
	char args[256];

	snprintf(args, sizeof(args), "replay%s%s %s", *options ? " " : "",
		 options, recording(c, tail));
	return case_run(c, args);
}

static void events_as_they_were_in_the_end(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(replay(c, "-o time,process,failure,peer,local", ""),
			 0);
	assert_string_equal(
		c->out,
		"TIME                        PROCESS    FAILURE            "
		"PEER          LOCAL\n"
		"2026-11-24T06:00:00.000000Z node[1234] read ECONNRESET    "
		"10.0.0.9:3000 10.0.0.5:40001\n"
		"2026-11-24T06:00:01.000000Z -          received, not told "
		"10.0.0.9:3000 10.0.0.5:40002\n");
}

static void filtered_and_json(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(replay(c, "--json --process node", ""), 0);
	assert_int_equal(lines_of(c->out), 1);
	assert_has(c->out, "\"ECONNRESET\"");
}

static const char *timers(struct cli_case *c, const char *text)
{
	static char path[96];
	FILE *out;

	snprintf(path, sizeof(path), "%s/timers", c->dir);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return path;
}

static int replay_with_timers(struct cli_case *c, const char *text)
{
	char options[128];

	snprintf(options, sizeof(options), "--json --timeouts %s",
		 timers(c, text));
	return replay(c, options, "");
}

static void own_timers(void **state)
{
	static const char row[] = "47\tour own proxy\tx\tidle\trst\t\tuser\n";
	struct cli_case *c = *state;

	assert_int_equal(replay(c, "--json", ""), 0);
	assert_null(strstr(c->out, "our own proxy"));
	assert_int_equal(replay_with_timers(c, row), 0);
	assert_has(c->out, "our own proxy");
}

static void wrong_timers(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(replay_with_timers(c, "# mine\nsoon\tx\n"), -EINVAL);
	assert_has(c->err, "/timers:2: ");
	assert_int_equal(lines_of(c->err), 1);
	assert_string_equal(c->out, "");
	assert_int_equal(replay(c, "--timeouts /no/such", ""), -EINVAL);
	assert_has(c->err, "/no/such: No such file");
}

static void wrong_files(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(case_run(c, "replay"), -EINVAL);
	assert_int_equal(case_run(c, "replay /nonexistent"), -EIO);
	assert_has(c->err, "/nonexistent: No such file");
	assert_int_equal(case_run(c, "replay /dev/null"), -EIO);
	assert_int_equal(lines_of(c->err), 1);
	assert_int_equal(replay(c, "", "garbage\n"), -EIO);
	assert_int_equal(lines_of(c->err), 1);
	assert_string_equal(c->out, "");
	assert_int_equal(replay(c, "--limit 3", ""), -EINVAL);
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(events_as_they_were_in_the_end),
		CASE(filtered_and_json),
		CASE(own_timers),
		CASE(wrong_timers),
		CASE(wrong_files),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
