// SPDX-License-Identifier: Apache-2.0
/*
 * What this kernel gives: each program's instructions, those that the verifier
 * went through, and the bytes of its whole log; the method that serves each
 * hook, and the records of four failures. Lines that begin with "program",
 * "probe" and "record" are for tests/vm/kernels. RSTSCOPE_KERNEL: the column of
 * tests/vm/methods that must come out; its modules are in /modules.
 *   survey PROGRAM     the verifier's whole log of one program, and no test
 */
#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/e2e/route.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "rstscope.skel.h"
#include "user/observe/kernel_names.h"
#include "user/observe/plan.h"

#define LOG_BYTES   (64u << 20)
#define LEVEL_STATS 4
#define LEVEL_ALL   (2 | LEVEL_STATS)
#define LIMIT_MS    20000
#define COLUMNS	    16

/* --- programs ------------------------------------------------------------- */

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
	return 0;
}

static bool is_reason(const char *line)
{
	return strncmp(line, "processed ", 10) != 0 &&
	       strncmp(line, "verification time ", 18) != 0 &&
	       strncmp(line, "stack depth ", 12) != 0 && *line != ';';
}

/* The last line that is neither a statistic nor source. */
static const char *refusal(char *log)
{
	const char *last = "what it hangs on is not there";

	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		if (is_reason(line))
			last = line;
	return last;
}

static bool has_in_btf(const char *name, uint32_t kind, void *btf)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

static bool takes(const struct plan_method *m, const char *program)
{
	for (size_t i = 0; i < PLAN_PROGRAMS && m->programs[i]; i++)
		if (!strcmp(m->programs[i], program))
			return true;
	return false;
}

/* Whether the plan would not use it on this kernel. */
static bool left_out(const struct plan_hook *hook, const struct plan_method *m,
		     const char *section, struct btf *btf)
{
	const char *function = strchr(section, '/') + 1;

	return !plan_section_possible(section, has_in_btf, btf) ||
	       (hook->needs && !has_in_btf(hook->needs, BTF_KIND_ENUM, btf)) ||
	       (m->args && kernel_function_args(btf, function) < (int)m->args);
}

/* A canary is no program of a method: it may be refused anywhere. */
static bool may_be_refused(const char *program, const char *section,
			   struct btf *btf)
{
	for (size_t i = 0; i < plan_hooks_count; i++) {
		const struct plan_hook *hook = &plan_hooks[i];

		for (size_t j = 0; j < PLAN_METHODS && hook->methods[j].method;
		     j++)
			if (takes(&hook->methods[j], program))
				return left_out(hook, &hook->methods[j],
						section, btf);
	}
	return true;
}

/* False: the verifier looked at it and refused. One whose hook is not there, or
 * not allowed, it does not look at: the table of methods tells of that. */
static bool verify_alone(const char *name, char *log, bool whole)
{
	struct rstscope *skel = rstscope__open();
	struct bpf_program *prog;
	const char *stats;
	int err, verified = 0;
	size_t log_bytes;

	assert_non_null(skel);
	log[0] = '\0';
	bpf_map__set_max_entries(skel->maps.conns, 1024);
	prog = bpf_object__find_program_by_name(skel->obj, name);
	bpf_program__set_autoload(prog, true);
	bpf_program__set_log_level(prog, LEVEL_ALL);
	bpf_program__set_log_buf(prog, log, LOG_BYTES);
	err = rstscope__load(skel);
	log_bytes = strlen(log);
	stats = strstr(log, "\nprocessed ");
	if (stats)
		sscanf(stats, "\nprocessed %d", &verified);
	if (whole)
		fputs(log, stdout); /* cmocka prints 1 KiB at most */
	print_message("program %-32s %6zu %8d %9zu %s\n", name,
		      bpf_program__insn_cnt(prog), verified, log_bytes,
		      err ? refusal(log) : "loads");
	rstscope__destroy(skel);
	return !err || !stats;
}

/* All of them, or the one of that name; how many are refused for no reason. */
static unsigned int load_each(const char *only)
{
	struct rstscope *all = rstscope__open();
	struct btf *btf = btf__load_vmlinux_btf();
	char *log = malloc(LOG_BYTES);
	struct bpf_program *prog;
	unsigned int refused = 0;

	assert_non_null(all);
	assert_non_null(btf);
	assert_non_null(log);
	libbpf_set_print(silent);
	bpf_object__for_each_program(prog, all->obj)
	{
		const char *name = bpf_program__name(prog);

		if (only && strcmp(only, name) != 0)
			continue;
		if (verify_alone(name, log, only != NULL) ||
		    may_be_refused(name, bpf_program__section_name(prog), btf))
			continue;
		print_error("%s is refused, and the plan does not say so\n",
			    name);
		refused++;
	}
	rstscope__destroy(all);
	btf__free(btf);
	free(log);
	return refused;
}

static void test_programs(void **state)
{
	(void)state;
	assert_int_equal(load_each(NULL), 0);
}

/* --- methods -------------------------------------------------------------- */

/* An array of what doctor says of the daemon; the caller's. */
static json_t *doctor_says(const struct daemon *d, const char *name)
{
	const char *const argv[] = {
		program_path("rstscope"), "doctor", "--json", "--store",
		daemon_store(d),	  NULL};
	json_t *all, *said;
	char *out = NULL;

	assert_int_equal(run_program(argv, harness_ms(LIMIT_MS), &out, NULL),
			 0);
	all = json_loads(out, 0, NULL);
	free(out);
	said = json_object_get(json_object_get(all, "daemon"), name);
	assert_true(json_is_array(said));
	json_incref(said);
	json_decref(all);
	return said;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

/* Words of a line of the table; how many. */
static size_t split(char *line, char *cells[COLUMNS])
{
	size_t n = 0;

	for (char *c = strtok(line, " \t\n"); c && n < COLUMNS;
	     c = strtok(NULL, " \t\n"))
		cells[n++] = c;
	return n;
}

static json_t *read_expected(const char *kernel)
{
	FILE *in = fopen("tests/vm/methods", "re");
	json_t *expected = json_object();
	size_t column = 0;
	char line[512];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		char *cells[COLUMNS];
		size_t n = *line == '#' ? 0 : split(line, cells);

		for (size_t i = 1; !column && i < n; i++)
			if (!strcmp(cells[i], kernel))
				column = i;
		if (column && column < n)
			json_object_set_new(expected, cells[0],
					    json_string(cells[column]));
	}
	fclose(in);
	if (!column)
		fail_msg("tests/vm/methods has no column %s", kernel);
	return expected;
}

/* A hook that the table does not name must be served, by whatever method. */
static unsigned int compare(const json_t *expected, const char *hook,
			    const char *method, const char *why)
{
	const char *want = text_of(expected, hook);

	if (*want ? !strcmp(want, method) : strcmp(method, "none") != 0)
		return 0;
	print_error("%s: %s, where tests/vm/methods says %s%s%s\n", hook,
		    method, *want ? want : "nothing", *why ? ": " : "", why);
	return 1;
}

static void test_methods(void **state)
{
	const char *kernel = getenv("RSTSCOPE_KERNEL");
	struct world *w = *state;
	json_t *probes = doctor_says(w->daemon, "probes"), *p;
	json_t *expected = kernel ? read_expected(kernel) : NULL;
	unsigned int wrong = 0;
	size_t i;

	json_array_foreach(probes, i, p)
	{
		const char *hook = text_of(p, "hook");
		const char *method = text_of(p, "method");
		const char *why = text_of(p, "why");

		print_message("probe %s %s\n", hook, method);
		if (expected)
			wrong += compare(expected, hook, method, why);
		else if (json_is_true(json_object_get(p, "required")))
			wrong += !json_is_true(json_object_get(p, "up"));
	}
	json_decref(expected);
	json_decref(probes);
	assert_int_equal(wrong, 0);
}

static bool is_said_of(const json_t *spots, const char *hook)
{
	json_t *spot;
	size_t i;

	json_array_foreach(spots, i, spot)
	{
		const char *text = json_string_value(spot);

		if (strstr(text, "not counted") && strstr(text, hook))
			return true;
	}
	return false;
}

/* Kprobes may be skipped, which nothing counts: doctor names them all. */
static void test_kprobes_may_be_skipped(void **state)
{
	struct world *w = *state;
	json_t *spots = doctor_says(w->daemon, "blind_spots");
	json_t *probes = doctor_says(w->daemon, "probes"), *p;
	size_t i;

	json_array_foreach(probes, i, p)
		assert_int_equal(!strcmp(text_of(p, "method"), "kprobe"),
				 is_said_of(spots, text_of(p, "hook")));
	json_decref(spots);
	json_decref(probes);
}

/* --- records -------------------------------------------------------------- */

static void four_failures(struct world *w)
{
	struct pair p = pair_new(w->family);

	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	pair_connect(w->family, &p);
	act(p.client, do_write, p.c, 100);
	harness_sleep(50);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	pair_connect(w->family, &p);
	act(p.client, do_write, p.c, 100);
	harness_sleep(50);
	actor_kill(p.server, SIGKILL);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	assert_int_equal(
		act(p.client, do_connect, w->family, HOST_LOOPBACK, p.port),
		-ECONNREFUSED);
}

static void test_records(void **state)
{
	struct world *w = *state;
	char path[128], line[4096];
	const char *const more[] = {"--record", path, NULL};
	unsigned int lines = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/records", scratch());
	w->daemon = daemon_start(more);
	assert_non_null(w->daemon);
	harness_defer((void (*)(void *))daemon_free, w->daemon);
	four_failures(w);
	harness_sleep(1500);
	assert_int_equal(daemon_stop(w->daemon), 0);
	in = fopen(path, "re");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		print_message("record %s", line);
		lines++;
	}
	fclose(in);
	assert_true(lines > 4);
}

/* --- modules -------------------------------------------------------------- */

/* In the order in which they need each other. */
#define REJECT_MODULES                                                         \
	"nf_reject_ipv4 nf_reject_ipv6 nft_reject nft_reject_ipv4 "            \
	"nft_reject_ipv6 nft_reject_inet"

static void load_rejects(void)
{
	must_in(-1, "cd /modules && for m in " REJECT_MODULES
		    "; do insmod $m.ko || exit 1; done");
}

static void unload_rejects(void)
{
	must_in(-1, "rmmod nft_reject_bridge 2>/dev/null; "
		    "for m in $(echo " REJECT_MODULES
		    " | tr ' ' '\\n' | tac); do rmmod $m || exit 1; done");
}

static struct actor *client_new(struct world *w)
{
	int other = netns_new();

	netns_link(netns_home(), "a", host_address(w->family, HOST_A), other,
		   "b", host_address(w->family, HOST_B));
	return actor_new_in(other, "e2e-client", 0);
}

static void expect_reject_seen(struct world *w, struct actor *client)
{
	nft(-1, "input", "tcp dport 4001 reject with tcp reset");
	assert_int_equal(act(client, do_connect, w->family, HOST_A, 4001),
			 -ECONNREFUSED);
	expect(w, .kind = "refused", .by = client, .via = "syscall",
	       .class = "connect", .call = "connect", .error = "ECONNREFUSED",
	       .cause = "firewall_reject", .role = "client", .any_other = true);
	expect(w, .kind = "sent", .class = NULL, .cause = "firewall_reject",
	       .any_other = true);
	must_in(-1, "nft delete table inet e2e");
}

/* The probes do not hold a module, and find it when it comes (again). */
static void test_late_modules(void **state)
{
	const char *const more[] = {NULL};
	struct world *w = *state;
	struct actor *client;

	if (access("/sys/module/nf_reject_ipv4/refcnt", F_OK))
		harness_skip("nf_send_reset is built in, or its module is not "
			     "loaded");
	if (!probe_is_up(w, "nf_send_reset"))
		harness_skip("this kernel or --methods has no kprobes");
	client = client_new(w);
	unload_rejects();
	load_rejects();
	expect_reject_seen(w, client);
	unload_rejects();
	own_daemon(w, more);
	assert_true(probe_is_up(w, "nf_send_reset"));
	load_rejects();
	expect_reject_seen(w, client);
	expect_nothing_else(w);
}

/* --- what the probes leave in tracefs --------------------------------------
 */

#define TRACEFS "/sys/kernel/tracing"

static bool has_events(const char *tracefs, pid_t pid)
{
	char path[64], group[32];

	snprintf(path, sizeof(path), "%s/kprobe_events", tracefs);
	snprintf(group, sizeof(group), "p:rstscope_%d/", (int)pid);
	return file_has(path, group);
}

static void need_events(struct world *w)
{
	if (!probe_is_up(w, "nf_send_reset"))
		harness_skip("this kernel or --methods has no kprobes");
}

/* A daemon of the test's own, whose events are there. */
static pid_t daemon_with_events(struct world *w)
{
	const char *const more[] = {NULL};
	pid_t pid;

	need_events(w);
	pid = daemon_pid(own_daemon(w, more));
	assert_true(has_events(TRACEFS, pid));
	return pid;
}

static void test_killed_daemon_is_swept(void **state)
{
	struct world *w = *state;
	pid_t killed = daemon_with_events(w);

	daemon_kill(w->daemon);
	assert_true(has_events(TRACEFS, killed));
	daemon_with_events(w);
	assert_false(has_events(TRACEFS, killed));
}

static void test_stopped_daemon_leaves_no_event(void **state)
{
	struct world *w = *state;
	pid_t stopped = daemon_with_events(w);

	assert_int_equal(daemon_stop(w->daemon), 0);
	assert_false(has_events(TRACEFS, stopped));
}

static void leave_mounts(void *home)
{
	if (setns(*(int *)home, CLONE_NEWNS))
		print_error("setns: %s\n", strerror(errno));
	close(*(int *)home);
}

/* Nobody else sees the daemon's own mount. */
static void test_tracefs_not_mounted(void **state)
{
	const char *const more[] = {NULL};
	struct world *w = *state;
	static int home;
	char dir[32];
	int tracefs;

	need_events(w);
	tracefs = open(TRACEFS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	assert_true(tracefs >= 0 && home >= 0);
	harness_defer(leave_mounts, &home);
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2(TRACEFS, MNT_DETACH))
		harness_die("umount " TRACEFS ": %s", strerror(errno));
	own_daemon(w, more);
	assert_true(probe_is_up(w, "nf_send_reset"));
	assert_false(file_has("/proc/self/mounts", TRACEFS));
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", tracefs);
	assert_true(has_events(dir, daemon_pid(w->daemon)));
	close(tracefs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		IPV4(test_methods),
		IPV4(test_kprobes_may_be_skipped),
		IPV4(test_records),
		BOTH(test_late_modules),
		IPV4(test_killed_daemon_is_swept),
		IPV4(test_stopped_daemon_leaves_no_event),
		IPV4(test_tracefs_not_mounted),
	};

	if (argc > 1)
		return load_each(argv[1]) ? 1 : 0;
	return run_table(tests);
}
