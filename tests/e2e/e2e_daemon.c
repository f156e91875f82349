// SPDX-License-Identifier: Apache-2.0
/*
 * The two programs where something is wrong: one clear line, the exit status
 * of the manual, nothing overwritten; and what must survive a hard end.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/outcome.h"

static const char *daemon_path(void)
{
	return program_path("rstscoped");
}

/* --- usage -----------------------------------------------------------------
 */
static void test_wrong_options(void **state)
{
	(void)state;
	refused_with(USAGE, "nonsense", "%s --nonsense", daemon_path());
	refused_with(USAGE, "retain-age", "%s --retain-age soon",
		     daemon_path());
	refused_with(USAGE, "retain-size", "%s --retain-size=-1",
		     daemon_path());
	refused_with(USAGE, "syscalls", "%s --syscalls maybe", daemon_path());
	refused_with(USAGE, "once", "%s --once 0", daemon_path());
	refused_with(USAGE, "listen", "%s --listen 127.0.0.1", daemon_path());
	refused_with(USAGE, "surplus", "%s surplus", daemon_path());
	refused_with(USAGE, "nonsense", "%s nonsense", cli());
	refused_with(USAGE, "nonsense", "%s ls --nonsense", cli());
}

static void test_wrong_filters(void **state)
{
	static const char *const wrong[][2] = {
		{"since", "yesterday-ish"},
		{"until", "25:99"},
		{"pid", "x"},
		{"pid", "-4"},
		{"peer", "10.0.0"},
		{"peer", "10.0.0.0/33"},
		{"port", "65536"},
		{"cause", "gremlins"},
		{"kind", "nonsense"},
		{"syscall", "fly"},
		{"limit", "-1"},
		{"container", "../x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused_with(USAGE, wrong[i][0], "%s ls --%s=%s", cli(),
			     wrong[i][0], wrong[i][1]);
	refused_with(USAGE, "nonsense", "%s ls -o id,nonsense", cli());
}

static void test_configuration_file(void **state)
{
	const char *dir = scratch();

	(void)state;
	must_in(-1, "printf 'listen = off\\ncolour = blue\\n' >%s/key", dir);
	refused_with(USAGE, "colour", "%s --config %s/key --store %s/e.db",
		     daemon_path(), dir, dir);
	must_in(-1, "printf 'listen = off\\nretain-age = soon\\n' >%s/value",
		dir);
	refused_with(USAGE, "retain-age", "%s --config %s/value", daemon_path(),
		     dir);
	refused_with(USAGE, "missing.conf", "%s --config %s/missing.conf",
		     daemon_path(), dir);
	must_in(-1,
		"printf 'listen = off\\nonce = 1\\nstore = %s/c.db\\n' "
		">%s/good",
		dir, dir);
	must_in(-1, "%s --config %s/good 2>/dev/null", daemon_path(), dir);
	must_in(-1, "test -s %s/c.db", dir);
}

static void test_timeouts_file(void **state)
{
	const char *dir = scratch();

	(void)state;
	must_in(-1, "printf '# mine\\n\\nsoon\\tx\\n' >%s/bad.tsv", dir);
	refused_with(USAGE, "bad.tsv:3: ",
		     "%s --listen off --store %s/t.db --timeouts %s/bad.tsv",
		     daemon_path(), dir, dir);
	must_in(-1, "test ! -e %s/t.db", dir); /* nothing was started */
	refused_with(USAGE, "missing.tsv",
		     "%s --listen off --store %s/t.db --timeouts "
		     "%s/missing.tsv",
		     daemon_path(), dir, dir);
	must_in(-1,
		"printf '47\\tour proxy\\tx\\tidle\\trst\\t\\tuser\\n' "
		">%s/good.tsv",
		dir);
	must_in(-1,
		"%s --listen off --once 1 --store %s/t.db --timeouts "
		"%s/good.tsv 2>&1 | grep -q 'timers added from .*/good.tsv: 1'",
		daemon_path(), dir, dir);
}

static void test_help_and_version(void **state)
{
	(void)state;
	must_in(-1, "%s --help | grep -q -- --separate-netns", daemon_path());
	must_in(-1, "%s --version | grep -q rstscope", daemon_path());
	must_in(-1, "%s --help | grep -q doctor", cli());
	must_in(-1, "%s ls --help | grep -q -- --since", cli());
	must_in(-1, "%s --version | grep -q rstscope", cli());
}

/* --- privileges, ports, stores ---------------------------------------------
 */
static void test_no_privileges(void **state)
{
	(void)state;
	refused_with(KERNEL, "CAP_",
		     "setpriv --bounding-set=-all --inh-caps=-all "
		     "%s --listen off --store %s/e.db",
		     daemon_path(), scratch());
}

static void test_port_taken(void **state)
{
	struct actor *other = actor_new("e2e-other", 0);
	long port = act(other, do_port, act(other, do_listen, AF_INET, 8));

	(void)state;
	refused_with(FAILED, "in use",
		     "%s --once 2 --listen 127.0.0.1:%ld --store %s/e.db",
		     daemon_path(), port, scratch());
}

static void test_store_missing(void **state)
{
	(void)state;
	refused_with(FAILED, "missing.db", "%s ls --store %s/missing.db", cli(),
		     scratch());
	refused_with(FAILED, "no/such",
		     "%s --listen off --store %s/no/such/e.db", daemon_path(),
		     scratch());
}

static void test_not_a_store(void **state)
{
	const char *dir = scratch();

	(void)state;
	must_in(-1, "echo 'the only copy of a letter' >%s/letter", dir);
	must_in(-1, "cp %s/letter %s/copy", dir, dir);
	refused_with(FAILED, "letter", "%s --listen off --store %s/letter",
		     daemon_path(), dir);
	refused_with(FAILED, "letter", "%s ls --store %s/letter", cli(), dir);
	must_in(-1, "cmp %s/letter %s/copy", dir, dir);
	if (!have_program("sqlite3"))
		return;
	must_in(-1, "sqlite3 %s/other.db 'create table t(x)'", dir);
	must_in(-1, "cp %s/other.db %s/copy", dir, dir);
	refused_with(FAILED, "other.db", "%s --listen off --store %s/other.db",
		     daemon_path(), dir);
	must_in(-1, "cmp %s/other.db %s/copy", dir, dir);
}

static void test_read_only_directory(void **state)
{
	(void)state;
	refused_with(FAILED, "ead-only",
		     "unshare -m sh -c 'mount -t tmpfs none %s && "
		     "mount -o remount,ro %s && "
		     "exec %s --listen off --store %s/e.db'",
		     scratch(), scratch(), daemon_path(), scratch());
}

static void test_full_disk_at_start(void **state)
{
	(void)state;
	refused_with(FAILED, "full",
		     "unshare -m sh -c 'mount -t tmpfs -o size=64k none %s && "
		     "head -c 1m /dev/zero >%s/fill 2>/dev/null; "
		     "exec %s --listen off --store %s/e.db'",
		     scratch(), scratch(), daemon_path(), scratch());
	/* room for the file, not for the index of its WAL */
	refused_with(FAILED, "space",
		     "unshare -m sh -c 'mount -t tmpfs -o size=72k none %s && "
		     "exec %s --listen off --store %s/e.db'",
		     scratch(), daemon_path(), scratch());
}

static void unmount(void *dir)
{
	shell_in(-1, "umount -l '%s'", (const char *)dir);
}

/* It goes on, says so once, and stores what it kept when there is room. */
static void test_full_disk_while_running(void **state)
{
	static char dir[128];
	struct world *w = *state;
	struct pair p = pair_new(w->family);

	snprintf(dir, sizeof(dir), "%s/disk", scratch());
	must_in(-1, "mkdir %s && mount -t tmpfs -o size=2m none %s", dir, dir);
	harness_defer(unmount, dir);
	w->daemon = daemon_start_on(dir, NULL);
	if (!w->daemon)
		harness_die("a daemon on a small disk");
	harness_defer((void (*)(void *))daemon_free, w->daemon);
	expect_start(w);
	shell_in(-1, "head -c 4m /dev/zero >%s/fill 2>/dev/null", dir);
	for (int i = 0; i < 2000; i++) {
		if (i)
			pair_connect(w->family, &p);
		act(p.server, do_linger, p.s);
		act(p.server, do_close, p.s);
		act(p.client, do_close, p.c);
	}
	harness_sleep(1500);
	must_in(-1, "grep -c -i -e full -e space %s/log | grep -qx 1", dir);
	must_in(-1, "rm %s/fill", dir);
	one_reset(w, NULL);
	assert_int_equal(daemon_stop(w->daemon), 0);
}

static void test_output_to_a_full_disk(void **state)
{
	struct world *w = *state;

	own_daemon(w, NULL);
	must_in(-1, "%s ls --store %s >/dev/null", cli(),
		daemon_store(w->daemon));
	refused_with(FAILED, "space", "%s --help >/dev/full", cli());
}

static void test_second_daemon(void **state)
{
	struct world *w = *state;

	refused_with(FAILED, "another", "%s --once 2 --listen off --store %s",
		     daemon_path(), daemon_store(w->daemon));
}

static void test_no_such_event(void **state)
{
	struct world *w = *state;

	refused_with(NO_EVENT, "987654321", "%s why 987654321 --store %s",
		     cli(), daemon_store(w->daemon));
}

/* --- life ------------------------------------------------------------------
 */
static void test_once(void **state)
{
	int64_t start = harness_now_ms();

	(void)state;
	must_in(-1, "%s --once 1 --listen off --store %s/e.db 2>/dev/null",
		daemon_path(), scratch());
	assert_true(harness_now_ms() - start >= 1000);
	must_in(-1, "%s ls --store %s/e.db >/dev/null", cli(), scratch());
}

static void test_term_is_a_good_end(void **state)
{
	struct world *w = *state;
	struct daemon *d = own_daemon(w, NULL);

	one_reset(w, NULL);
	assert_int_equal(daemon_stop(d), 0);
	expect_nothing_else(w);
}

/* An unclean end loses at most the last second; the ids go on. */
static void test_events_survive_kill(void **state)
{
	struct world *w = *state;
	struct daemon *d = own_daemon(w, NULL), *again;
	json_t *events;
	int64_t last;

	one_reset(w, NULL);
	harness_sleep(1100);
	daemon_kill(d);
	events = events_of(w);
	assert_int_equal(json_array_size(events), 2);
	json_decref(events);
	last = daemon_last_id(d);
	again = daemon_start_on(daemon_dir(d), NULL);
	if (!again)
		harness_die("a daemon on the store of one that was killed");
	harness_defer((void (*)(void *))daemon_free, again);
	one_reset(w, NULL);
	assert_true(daemon_last_id(again) > last);
	expect_nothing_else(w);
}

static void test_doctor(void **state)
{
	struct world *w = *state;
	struct daemon *d = own_daemon(w, NULL);
	char *out = NULL;
	const char *const argv[] = {cli(), "doctor", "--store", daemon_store(d),
				    NULL};

	if (run_program(argv, OUTCOME_LIMIT_MS, &out, NULL)) {
		print_error("%s", out);
		fail();
	}
	assert_non_null(strstr(out, "tcp_receive_reset"));
	assert_non_null(strstr(out, "tcp_send_reset"));
	free(out);
	daemon_stop(d);
	assert_int_equal(run_program(argv, OUTCOME_LIMIT_MS, &out, NULL),
			 FAILED);
	free(out);
}

/* --- metrics ---------------------------------------------------------------
 */
static char *http_get(const char *path)
{
	char url[128], *out = NULL;
	const char *const argv[] = {"curl", "-sS", "--fail", "--max-time",
				    "5",    url,   NULL};

	snprintf(url, sizeof(url), "http://127.0.0.1:9477%s", path);
	assert_int_equal(run_program(argv, OUTCOME_LIMIT_MS, &out, NULL), 0);
	return out;
}

static void test_metrics(void **state)
{
	static const char *const listen[] = {"--listen", "127.0.0.1:9477",
					     NULL};
	struct world *w = *state;
	char *text;

	if (!have_program("curl"))
		harness_skip("curl is not installed");
	own_daemon(w, listen);
	one_reset(w, NULL);
	text = http_get("/metrics");
	assert_non_null(strstr(text, "rstscope_resets_total{"));
	assert_non_null(strstr(text, "cause=\"firewall_idle_drop\""));
	assert_non_null(strstr(text, "rstscope_probe_up{"));
	assert_non_null(strstr(text, "rstscope_build_info{"));
	free(text);
	free(http_get("/healthz"));
}

int main(void)
{
	const struct CMUnitTest daemon[] = {
		IPV4(test_wrong_options),
		IPV4(test_wrong_filters),
		IPV4(test_configuration_file),
		IPV4(test_timeouts_file),
		IPV4(test_help_and_version),
		IPV4(test_no_privileges),
		IPV4(test_port_taken),
		IPV4(test_store_missing),
		IPV4(test_not_a_store),
		IPV4(test_read_only_directory),
		IPV4(test_full_disk_at_start),
		IPV4(test_full_disk_while_running),
		IPV4(test_output_to_a_full_disk),
		IPV4(test_second_daemon),
		IPV4(test_no_such_event),
		IPV4(test_once),
		IPV4(test_term_is_a_good_end),
		IPV4(test_events_survive_kill),
		IPV4(test_doctor),
		IPV4(test_metrics),
	};

	return run_table(daemon);
}
