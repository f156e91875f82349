/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "user/daemon/journal.h"

static struct event sample(void)
{
	struct event ev;

	event_init(&ev);
	ev.id = 18;
	ev.kind = KIND_RECEIVED;
	ev.process.known = true;
	ev.process.pid = 4711;
	strcpy(ev.process.comm, "no\nde");
	ev.syscall.known = true;
	ev.syscall.class = CALL_READ;
	ev.syscall.errno_nr = 104;
	ev.family = 4;
	memcpy(ev.peer.ip, "\x0a\0\0\x07", 4);
	ev.peer.port = 5432;
	ev.verdict.cause = CAUSE_STALE_KEEPALIVE;
	ev.verdict.confidence = 0.934;
	return ev;
}

static void has(const struct journal_entry *e, const char *field)
{
	for (int i = 0; i < e->n; i++)
		if (e->iov[i].iov_len == strlen(field) &&
		    !memcmp(e->iov[i].iov_base, field, strlen(field)))
			return;
	fail_msg("no field '%s'", field);
}

static void test_fields(void **state)
{
	struct event ev = sample();
	struct journal_entry e;

	(void)state;
	journal_fill(&e, &ev);
	assert_int_equal(e.n, 9);
	has(&e, "MESSAGE=no?de[4711] read ECONNRESET, peer 10.0.0.7:5432: "
		"stale_keepalive 0.93");
	has(&e, "PRIORITY=4");
	has(&e, "RSTSCOPE_ID=18");
	has(&e, "RSTSCOPE_KIND=received");
	has(&e, "RSTSCOPE_CAUSE=stale_keepalive");
	has(&e, "RSTSCOPE_CONFIDENCE=0.93");
	has(&e, "RSTSCOPE_PEER=10.0.0.7:5432");
	has(&e, "RSTSCOPE_PID=4711");
	has(&e, "RSTSCOPE_COMM=no?de");
}

static void test_nobody_and_benign(void **state)
{
	struct event ev = sample();
	struct journal_entry e;

	(void)state;
	ev.process.known = false;
	ev.verdict.benign = true;
	journal_fill(&e, &ev);
	assert_int_equal(e.n, 7); /* neither pid nor name */
	has(&e, "PRIORITY=6");
	has(&e, "MESSAGE=no process read ECONNRESET, peer 10.0.0.7:5432: "
		"stale_keepalive 0.93");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_nobody_and_benign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
