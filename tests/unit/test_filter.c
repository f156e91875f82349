/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sample_event.h"
#include "user/store/filter.h"

#define NOW (SAMPLE_TIME + 60 * USEC_PER_SEC)

static struct event ev;

static int setup(void **state)
{
	(void)state;
	sample_full(&ev, 10);
	return 0;
}

static int set(struct filter *f, const char *name, const char *value)
{
	char err[160] = "";
	int ret = filter_set(f, name, value, NOW, err, sizeof(err));

	if (ret == -EINVAL)
		assert_non_null(strstr(err, name));
	return ret;
}

/* Whether the sample matches with this one setting. */
static bool matches(const char *name, const char *value)
{
	struct filter f;

	filter_init(&f);
	assert_int_equal(set(&f, name, value), 0);
	return filter_match(&f, &ev);
}

static void demand_refused(const char *name, const char *value,
			   const char *line)
{
	char err[160] = "";
	struct filter f;

	filter_init(&f);
	assert_int_equal(filter_set(&f, name, value, NOW, err, sizeof(err)),
			 -EINVAL);
	assert_string_equal(err, line);
}

static void test_default(void **state)
{
	struct filter f;

	(void)state;
	filter_init(&f);
	assert_true(filter_match(&f, &ev));
	ev.verdict.benign = true;
	assert_false(filter_match(&f, &ev));
	assert_int_equal(set(&f, "benign", NULL), 0);
	assert_true(filter_match(&f, &ev));
}

static void test_time(void **state)
{
	(void)state;
	assert_true(matches("since", "1h"));
	assert_false(matches("since", "30s"));
	assert_true(matches("until", "30s"));
	assert_false(matches("until", "2h"));
}

static void test_process(void **state)
{
	(void)state;
	assert_true(matches("process", "node"));
	assert_false(matches("process", "nod"));
	assert_true(matches("pid", "4711"));
	assert_false(matches("pid", "4712"));
	assert_true(matches("unit", "shop.service"));
	assert_true(matches("unit", "shop"));
	assert_false(matches("unit", "shop.timer"));
	assert_true(matches("container", "aaaa"));
	assert_true(matches("container", "AA"));
	assert_false(matches("container", "ab"));
	assert_true(matches("host", "web1"));
	assert_false(matches("host", "web"));
	ev.process.known = false;
	assert_false(matches("process", "node"));
	assert_false(matches("container", "aaaa"));
}

/* The kernel cuts names; a person may give the whole one. */
static void test_process_long(void **state)
{
	(void)state;
	strcpy(ev.process.comm, "node-exporter-l");
	assert_true(matches("process", "node-exporter-long"));
}

static void test_peer(void **state)
{
	(void)state;
	assert_true(matches("peer", "2001:db8::2"));
	assert_true(matches("peer", "[2001:db8::2]:443"));
	assert_false(matches("peer", "[2001:db8::2]:80"));
	assert_true(matches("peer", "2001:db8::/32"));
	assert_true(matches("peer", "2001:db8::/127") ==
		    matches("peer", "2001:db8::1/127"));
	assert_false(matches("peer", "2001:db8::3"));
	assert_true(matches("peer", "::/0"));
	assert_false(matches("peer", "0.0.0.0/0"));
	assert_true(matches("port", "443"));
	assert_true(matches("port", "51234"));
	assert_false(matches("port", "80"));
}

static void test_peer_v4(void **state)
{
	(void)state;
	sample_bare(&ev, 10);
	assert_true(matches("peer", "10.0.0.2"));
	assert_true(matches("peer", "::ffff:10.0.0.2"));
	assert_true(matches("peer", "10.0.0.0/30"));
	assert_true(matches("peer", "10.0.0.2/31"));
	assert_false(matches("peer", "10.0.0.4/30"));
	assert_true(matches("peer", "10.0.0.2:40000"));
	assert_false(matches("peer", "::/0"));
}

static void test_names(void **state)
{
	(void)state;
	assert_true(matches("cause", "stale_keepalive"));
	assert_false(matches("cause", "unknown"));
	assert_true(matches("kind", "received"));
	assert_false(matches("kind", "sent"));
	assert_true(matches("syscall", "read"));
	assert_false(matches("syscall", "write"));
	ev.syscall.known = false;
	assert_false(matches("syscall", "read"));
}

static void test_after_id(void **state)
{
	struct filter f;

	(void)state;
	filter_init(&f);
	f.after_id = 9;
	assert_true(filter_match(&f, &ev));
	f.after_id = 10;
	assert_false(filter_match(&f, &ev));
}

/* Pages go back in the order of lists: by time, then by id. */
static void test_before(void **state)
{
	struct filter f;

	(void)state;
	filter_init(&f);
	f.before_us = ev.time_us;
	f.before_id = ev.id + 1;
	assert_true(filter_match(&f, &ev));
	f.before_id = ev.id;
	assert_false(filter_match(&f, &ev));
	f.before_us = ev.time_us + 1;
	assert_true(filter_match(&f, &ev));
	f.before_us = ev.time_us - 1;
	f.before_id = ev.id + 1;
	assert_false(filter_match(&f, &ev));
}

static void test_refuses(void **state)
{
	(void)state;
	demand_refused("peer", "1.2.3", "--peer: '1.2.3' is not an address");
	demand_refused("peer", "", "--peer: '' is not an address");
	demand_refused("port", "65536",
		       "--port: '65536' is not a number of 0 to 65535");
	demand_refused("pid", "12x",
		       "--pid: '12x' is not a number of 1 to 4194304");
	demand_refused("limit", "0",
		       "--limit: '0' is not a number of 1 to 2147483647");
	demand_refused("since", "yesterdayish",
		       "--since: 'yesterdayish' is no time (1h, 2026-11-24 "
		       "06:40, ...)");
	demand_refused("cause", "stale_keepaliv",
		       "--cause: 'stale_keepaliv' is no cause; did you mean "
		       "'stale_keepalive'?");
	demand_refused("kind", "recieved",
		       "--kind: 'recieved' is no kind; did you mean "
		       "'received'?");
	demand_refused("kind", "potato", "--kind: 'potato' is no kind");
	demand_refused("syscall", "reads",
		       "--syscall: 'reads' is no class of system calls; did "
		       "you mean 'read'?");
	demand_refused("container", "xyz",
		       "--container: 'xyz' is no container id (hex digits)");
	demand_refused("process", "", "--process: '' is empty");
	demand_refused("kind", "a\nb\x1b", "--kind: 'a?b?' is no kind");
	demand_refused("cause", NULL, "--cause: NAME is missing");
}

static void test_unknown_name(void **state)
{
	struct filter f;

	(void)state;
	filter_init(&f);
	assert_int_equal(set(&f, "colour", "red"), -ENOENT);
	assert_int_equal(set(&f, "", ""), -ENOENT);
}

/* A setting that is refused leaves the filter as it was. */
static void test_refused_changes_nothing(void **state)
{
	struct filter f, before;
	char junk[300];

	(void)state;
	memset(junk, 'x', sizeof(junk) - 1);
	junk[sizeof(junk) - 1] = '\0';
	filter_init(&f);
	before = f;
	for (const struct filter_option *o = filter_options; o->name; o++)
		if (o->argument && strcmp(o->name, "process"))
			assert_int_equal(set(&f, o->name, junk), -EINVAL);
	assert_memory_equal(&f, &before, sizeof(f));
}

static void test_default_window(void **state)
{
	struct filter f;

	(void)state;
	filter_init(&f);
	filter_default_window(&f, NOW);
	assert_true(f.since_us == NOW - 3600 * USEC_PER_SEC);
	filter_init(&f);
	f.until_us = NOW - 7200 * USEC_PER_SEC;
	filter_default_window(&f, NOW);
	assert_true(f.since_us == NOW - 10800 * USEC_PER_SEC);
	assert_false(f.benign);
	f.cause = CAUSE_PORT_SCAN;
	filter_default_window(&f, NOW);
	assert_true(f.benign);
}

int main(void)
{
	const struct CMUnitTest filter[] = {
		cmocka_unit_test_setup(test_default, setup),
		cmocka_unit_test_setup(test_time, setup),
		cmocka_unit_test_setup(test_process, setup),
		cmocka_unit_test_setup(test_process_long, setup),
		cmocka_unit_test_setup(test_peer, setup),
		cmocka_unit_test_setup(test_peer_v4, setup),
		cmocka_unit_test_setup(test_names, setup),
		cmocka_unit_test_setup(test_after_id, setup),
		cmocka_unit_test_setup(test_before, setup),
		cmocka_unit_test_setup(test_default_window, setup),
		cmocka_unit_test_setup(test_refuses, setup),
		cmocka_unit_test_setup(test_unknown_name, setup),
		cmocka_unit_test_setup(test_refused_changes_nothing, setup),
	};

	return cmocka_run_group_tests(filter, NULL, NULL);
}
