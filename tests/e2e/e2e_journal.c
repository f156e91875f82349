// SPDX-License-Identifier: Apache-2.0
/* Each failure in the journal of a real journald. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/scrape.h"

#define LIMIT_MS 15000
#define JOURNALD "/lib/systemd/systemd-journald"
#define SOCKET	 "/run/systemd/journal/socket"

static const char *const journal_on[] = {"--journal", "on", NULL};

/*
 * In a /run of its own, which is this process's until it goes back; the
 * kernel's log and its auditing are left alone.
 */
static pid_t start_journald(void)
{
	char *argv[] = {JOURNALD, NULL};
	int64_t end = harness_now_ms() + harness_ms(LIMIT_MS);
	pid_t pid;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/run", "tmpfs", 0, NULL))
		harness_die("a /run of its own: %s", strerror(errno));
	must_in(-1,
		"mkdir -p /run/systemd/journald.conf.d && printf "
		"'[Journal]\\nStorage=volatile\\nAudit=no\\nReadKMsg=no\\n"
		"RuntimeMaxUse=16M\\n' >/run/systemd/journald.conf.d/e2e.conf");
	pid = spawn("/dev/null", argv);
	while (access(SOCKET, F_OK)) {
		if (harness_now_ms() > end)
			harness_die("journald does not start");
		usleep(20000);
	}
	return pid;
}

/* Its entries with that field, as `journalctl -o json` has them, or "". */
static char *entries(pid_t journald, const char *field)
{
	char dir[64], *out = NULL;
	const char *const argv[] = {"journalctl", "-q",	  "-D",	 dir,
				    "-o",	  "json", field, NULL};

	snprintf(dir, sizeof(dir), "/proc/%d/root/run/log/journal", journald);
	run_program(argv, LIMIT_MS, &out, NULL);
	return out;
}

static json_t *entry(pid_t journald, const char *field)
{
	int64_t end = harness_now_ms() + harness_ms(LIMIT_MS);
	char *text = entries(journald, field);
	json_t *found;

	while (!*text && harness_now_ms() < end) {
		free(text);
		usleep(100000);
		text = entries(journald, field);
	}
	found = json_loads(text, 0, NULL); /* one line, and no other */
	if (!found)
		fail_msg("%s: '%s'", field, text);
	free(text);
	return found;
}

static void has(const json_t *entry, const char *key, const char *want)
{
	const char *have = json_string_value(json_object_get(entry, key));

	if (!have || strcmp(have, want))
		fail_msg("%s: '%s', not '%s'", key, have ? have : "", want);
}

static void test_journal(void **state)
{
	int before = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int here = open(".", O_PATH | O_CLOEXEC); /* setns() leads to / */
	char field[64], pid[16], *all;
	struct world *w = *state;
	struct actor *client;
	pid_t journald;
	json_t *found;
	int64_t id;

	if (access(JOURNALD, X_OK) || !have_program("journalctl") ||
	    access("/etc/machine-id", F_OK))
		harness_skip("journald is not installed");
	journald = start_journald();
	own_daemon(w, journal_on);
	assert_int_equal(setns(before, CLONE_NEWNS), 0);
	assert_int_equal(fchdir(here), 0);
	close(before);
	close(here);
	expect_start(w);
	client = one_reset(w, &id);
	snprintf(field, sizeof(field), "RSTSCOPE_ID=%lld", (long long)id);
	found = entry(journald, field);
	snprintf(pid, sizeof(pid), "%d", (int)actor_pid(client));
	has(found, "RSTSCOPE_CAUSE", "linger_zero");
	has(found, "RSTSCOPE_KIND", "received");
	has(found, "RSTSCOPE_PID", pid);
	has(found, "PRIORITY", "4");
	has(found, "_COMM", "rstscoped");
	assert_non_null(
		strstr(json_string_value(json_object_get(found, "MESSAGE")),
		       "] read ECONNRESET, peer 127.0.0.1:"));
	json_decref(found);
	/* as the man page has it */
	all = entries(journald, "RSTSCOPE_CAUSE=linger_zero");
	assert_true(*all);
	free(all);
	all = entries(journald, "RSTSCOPE_CAUSE=no_such");
	assert_string_equal(all, "");
	free(all);
	assert_int_equal(daemon_stop(w->daemon), 0);
}

static void test_journal_that_is_away(void **state)
{
	struct world *w = *state;
	char log[128], *text;
	int64_t id;
	double lost;

	if (!access(SOCKET, F_OK))
		harness_skip("journald runs here");
	own_daemon(w, journal_on);
	expect_start(w);
	snprintf(log, sizeof(log), "%s/log", daemon_dir(w->daemon));
	file_wait_for(log, "journald is not there", LIMIT_MS);
	one_reset(w, &id);
	harness_sleep(3000); /* the metrics are of 2 s before */
	text = scrape(daemon_listen(w->daemon));
	lost = scrape_sum(text, "rstscope_events_lost_total",
			  "stage=\"export\"");
	free(text);
	assert_true(lost >= 2);
	assert_int_equal(daemon_stop(w->daemon), 0);
}

int main(void)
{
	const struct CMUnitTest journal[] = {
		IPV4(test_journal),
		IPV4(test_journal_that_is_away),
	};

	return run_table(journal);
}
