/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope report: what is in it, and that no name becomes markup. */
#include <sys/stat.h>

#include "tests/unit/cli_case.h"

#define HOSTILE "<b>'\"&|`*"

static void put(struct cli_case *c, int64_t id, int64_t ago, enum cause cause)
{
	struct event ev = case_event(id, ago);
	struct verdict *v = &ev.verdict;

	v->cause = cause;
	v->evidences = 2;
	strcpy(v->evidence[0].fact, "what speaks for it");
	v->evidence[0].supports = true;
	strcpy(v->evidence[1].fact, "what speaks against it");
	v->fixes = 1;
	strcpy(v->fix[0], "change this to 5 s");
	case_put(c, &ev);
}

static void put_some(struct cli_case *c)
{
	for (int i = 0; i < 4; i++)
		put(c, 1 + i, 600 * i, CAUSE_STALE_KEEPALIVE);
	put(c, 5, 60, CAUSE_LINGER_ZERO);
}

static void put_hostile(struct cli_case *c)
{
	struct event ev = case_event(1, 60);

	strcpy(ev.process.comm, HOSTILE);
	strcpy(ev.process.unit, "<script>alert(1)</script>");
	strcpy(ev.host, "<i>\"'");
	strcpy(ev.verdict.timeout_component, "<u>&");
	ev.verdict.timeout_known = true;
	ev.verdict.evidences = 1;
	strcpy(ev.verdict.evidence[0].fact, "of <img src=x> @all http://x.y");
	ev.verdict.fixes = 1;
	strcpy(ev.verdict.fix[0], "[link](javascript:1) | \n# <a>");
	strcpy(ev.syscall.name, "<s>");
	case_put(c, &ev);
	ev.id = 2; /* so that groups by process and host are shown */
	ev.verdict.confidence = 0.5;
	strcpy(ev.process.comm, "node");
	strcpy(ev.host, "web1");
	case_put(c, &ev);
}

static void markdown(void **state)
{
	struct cli_case *c = *state;

	put_some(c);
	assert_int_equal(case_run(c, "report --process node"), 0);
	assert_has(c->out, "# Failed connections, 2026-11-24 05:00:00 to "
			   "2026-11-24 06:00:00 UTC\n");
	assert_has(c->out, "- 5 failures (5.0/h), 2 causes.\n");
	assert_has(c->out, "- Only: process node.\n");
	assert_has(c->out, "\n| stale_keepalive | 4 | 80.0% |  | "
			   "2026-11-24 06:00:00 |\n");
	assert_has(c->out, "\n### linger_zero: 1 failures\n");
	assert_has(c->out, "node\\[1234\\] read ECONNRESET (event 5, ");
	assert_has(c->out, "- for: what speaks for it\n"
			   "- against: what speaks against it\n");
	assert_has(c->out, "**Retry:** only if the request is idempotent");
	assert_has(c->out, "**Change:**\n\n- change this to 5 s\n");
	assert_has(c->out, "- no daemon has ever written to this store\n");
	assert_lacks(c->out, "## By process"); /* there is one only */
}

static void page(void **state)
{
	struct cli_case *c = *state;

	put_some(c);
	assert_int_equal(case_run(c, "report --html -"), 0);
	assert_has(c->out, "<!DOCTYPE html>");
	assert_has(c->out, "<p>5 failures (5.0/h), 2 causes.</p>");
	assert_has(c->out, "<title>05:59: 1 linger_zero</title>");
	assert_has(c->out, "<title>05:50: 1 stale_keepalive</title>");
	assert_has(c->out, "<code>node[1234] read ECONNRESET</code>");
	assert_has(c->out, "<li class=\"against\">what speaks against it</li>");
	assert_has(c->out, "prefers-color-scheme:dark");
	assert_has(c->out, "@media print");
	/* Nothing is fetched from anywhere. */
	assert_lacks(c->out, "://");
	assert_lacks(c->out, "url(");
	assert_lacks(c->out, "@import");
	assert_lacks(c->out, "src=");
	assert_lacks(c->out, "<script");
	assert_lacks(c->out, "<link");
}

static void hostile_names_in_html(void **state)
{
	struct cli_case *c = *state;

	put_hostile(c);
	assert_int_equal(case_run(c, "report --html -"), 0);
	assert_has(c->out, "&lt;b&gt;&#39;&quot;&amp;|`*[1234] read");
	assert_has(c->out, "unit &lt;script&gt;alert(1)&lt;/script&gt;");
	assert_has(c->out, "host &lt;i&gt;&quot;&#39;");
	assert_has(c->out, "&lt;img src=x&gt;");
	assert_has(c->out, "in &lt;s&gt;()");
	assert_lacks(c->out, "<b>");
	assert_lacks(c->out, "<i>");
	assert_lacks(c->out, "<u>");
	assert_lacks(c->out, "<s>");
	assert_lacks(c->out, "<a>");
	assert_lacks(c->out, "<img");
	assert_lacks(c->out, "<script");
}

static void hostile_names_in_markdown(void **state)
{
	struct cli_case *c = *state;

	put_hostile(c);
	assert_int_equal(case_run(c, "report --md -"), 0);
	assert_has(c->out, "| &#60;b&#62;'\"&#38;\\|\\`\\* | 1 |");
	assert_has(c->out, "of &#60;img src=x&#62; &#64;all http&#58;//x.y");
	assert_has(c->out, "- \\[link\\](javascript:1) \\| ?&#35; &#60;a&#62;");
	assert_lacks(c->out, "<b>");
	assert_lacks(c->out, "<a>");
	assert_lacks(c->out, "@all");
}

/* One bar may hold what was folded over several. */
static void folded_ones_are_spread(void **state)
{
	struct cli_case *c = *state;
	struct event ev = case_event(1, 120);

	ev.count = 120;
	ev.last_time_us = CASE_NOW_US - 60 * USEC_PER_SEC;
	case_put(c, &ev);
	assert_int_equal(case_run(c, "report --since 5m --html -"), 0);
	assert_has(c->out, "<title>05:58:00: 10 stale_keepalive</title>");
	assert_has(c->out, "<title>05:58:55: 10 stale_keepalive</title>");
	assert_lacks(c->out, "<title>05:57:55");
	assert_lacks(c->out, "<title>05:59:05");
}

static void files(void **state)
{
	struct cli_case *c = *state;
	char line[256], path[128];
	struct stat st;

	put_some(c);
	snprintf(line, sizeof(line),
		 "report --html %s/report.html --md %s/report.md", c->dir,
		 c->dir);
	assert_int_equal(case_run(c, line), 0);
	assert_string_equal(c->out, "");
	snprintf(path, sizeof(path), "%s/report.html", c->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 5000);
	snprintf(path, sizeof(path), "%s/report.md", c->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(case_run(c, "report --html /nonexistent/x"), -EIO);
	assert_has(c->err, "/nonexistent/x: No such file");
	assert_int_equal(case_run(c, "report --html /dev/full"), -EIO);
	assert_has(c->err, "cannot write /dev/full: No space left");
	assert_int_equal(case_run(c, "report --json"), -EINVAL);
	assert_int_equal(case_run(c, "report --since 1h --until 2h"), -EINVAL);
}

static void empty(void **state)
{
	struct cli_case *c = *state;

	assert_int_equal(case_run(c, "report --html -"), 0);
	assert_has(c->out, "<p>0 failures (0.0/d), 0 causes.</p>");
	assert_lacks(c->out, "<svg");
	assert_int_equal(case_run(c, "report"), 0);
	assert_has(c->out, "## What was lost or not seen\n");
}

static void losses(void **state)
{
	struct store_connections connections = {
		.from_us = CASE_NOW_US - 3000 * USEC_PER_SEC,
		.until_us = CASE_NOW_US,
		.client = 900,
		.server = 100,
	};
	struct cli_case *c = *state;
	char note[512];

	put_some(c);
	assert_int_equal(store_put_connections(c->store, &connections), 0);
	snprintf(note, sizeof(note),
		 "{\"host\":\"other\",\"pid\":1,\"started_us\":%lld,"
		 "\"updated_us\":%lld,\"lost\":{\"ring\":7,\"queue\":0,"
		 "\"store\":0},\"probes\":[{\"hook\":\"x\",\"up\":true}],"
		 "\"blind_spots\":[\"no <TTL>\"]}",
		 (long long)(CASE_NOW_US - 3000 * USEC_PER_SEC),
		 (long long)CASE_NOW_US);
	assert_int_equal(store_set_note(c->store, "daemon", note), 0);
	assert_int_equal(case_run(c, "report"), 0);
	assert_has(c->out, "- That is 0.500% of the connections established "
			   "in this time (1000).\n");
	assert_has(c->out, "- 7 records were lost: the ring was full\n");
	assert_has(c->out, "- The daemon was started at 2026-11-24 05:10:00 "
			   "UTC, within this time");
	assert_has(c->out, "- no &#60;TTL&#62;\n");
	assert_lacks(c->out, "No record and no event was lost");
}

#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, case_setup, case_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(markdown),
		CASE(page),
		CASE(hostile_names_in_html),
		CASE(hostile_names_in_markdown),
		CASE(folded_ones_are_spread),
		CASE(files),
		CASE(empty),
		CASE(losses),
	};

	return cmocka_run_group_tests_name("report page", tests, NULL, NULL);
}
