// SPDX-License-Identifier: Apache-2.0
/*
 * Failures that a timer's softirq brings while it interrupts a process in the
 * very program that would tell of them: the kernel does not run that program
 * twice on a CPU (see bpf/stub.h). None may be missing all the same; beside
 * what is asserted here, each test ends with a look at the kernel's counters.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/event.h"
#include "tests/e2e/agree.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/hidden.h"
#include "tests/e2e/net.h"
#include "tests/e2e/route.h"
#include "tests/e2e/scrape.h"

#define ATTEMPTS  400
#define SPREAD_MS 1600 /* so that their timers fire at many moments */
#define ROUNDS	  6
#define LIMIT_MS  8000
#define PORT	  4001
#define BATCH	  20

/* --- one CPU ---------------------------------------------------------------
 */
static void unpin(void *mask)
{
	sched_setaffinity(0, sizeof(cpu_set_t), mask);
}

/* Everything happens on one CPU, and the timers fire there. */
static void pin(void)
{
	static cpu_set_t before;
	cpu_set_t one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(before), &before))
		harness_die("sched_getaffinity");
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		harness_die("sched_setaffinity");
	harness_defer(unpin, &before);
}

/* --- attempts whose timers fire meanwhile ----------------------------------
 */
struct attempts {
	long fd[ATTEMPTS];
	int made;
	int64_t start_ms;
};

static void begin_some(struct attempts *a, int family, int user_timeout_ms)
{
	int64_t now = harness_now_ms() - a->start_ms;

	while (a->made < ATTEMPTS &&
	       now >= (int64_t)a->made * SPREAD_MS / ATTEMPTS) {
		long fd = do_connect_start(family, HOST_LOOPBACK, PORT,
					   user_timeout_ms);

		assert_true(fd >= 0);
		a->fd[a->made++] = fd;
	}
}

static bool all_failed(struct attempts *a)
{
	for (int i = a->made - 1; i >= 0; i--) {
		struct pollfd p = {.fd = a->fd[i]};

		if (poll(&p, 1, 0) != 1)
			return false;
	}
	return a->made == ATTEMPTS;
}

/* Attempts begin and fail while `busy` is called; takes a few seconds. */
static void fail_meanwhile(int family, int user_timeout_ms,
			   void (*busy)(long listener), long listener)
{
	struct attempts a = {.start_ms = harness_now_ms()};

	while (!all_failed(&a)) {
		if (harness_now_ms() - a.start_ms > harness_ms(LIMIT_MS))
			harness_die("the attempts do not end");
		begin_some(&a, family, user_timeout_ms);
		busy(listener);
	}
	for (int i = 0; i < ATTEMPTS; i++)
		close((int)a.fd[i]);
}

/* --- what the kernel skipped -----------------------------------------------
 */
/* Of the programs whose names begin so, whosever they are; -1: not told. */
static int64_t skipped_runs(const char *name)
{
	int64_t sum = -1;
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) &&
		    !strncmp(info.name, name, strlen(name)) &&
		    size > offsetof(struct bpf_prog_info, recursion_misses))
			sum = (sum < 0 ? 0 : sum) +
			      (int64_t)info.recursion_misses;
		close(fd);
	}
	return sum;
}

/* Answers to segments of no socket that a kprobe should have seen. */
static int64_t skipped_answers(void)
{
	int cpus = libbpf_num_possible_cpus();
	__u32 id = 0, row = TALLY_ANSWER_SKIPPED;
	int64_t sum = 0;

	while (!bpf_map_get_next_id(id, &id)) {
		int fd = bpf_map_get_fd_by_id(id);
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);
		__u64 values[cpus];

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) &&
		    !strcmp(info.name, "tallies") &&
		    !bpf_map_lookup_elem(fd, &row, values))
			for (int i = 0; i < cpus; i++)
				sum += (int64_t)values[i];
		close(fd);
	}
	return sum;
}

static int64_t skipped_resets(void)
{
	int64_t runs = skipped_runs("send_reset");

	return runs < 0 ? runs : runs + skipped_answers();
}

/* --- tests -----------------------------------------------------------------
 */
static int64_t count_of(struct world *w, const char *kind)
{
	json_t *events = events_of(w), *e;
	int64_t sum = 0;
	size_t i;

	json_array_foreach(
		events, i,
		e) if (!strcmp(json_string_value(json_object_get(e, "kind")),
			       kind)) sum +=
		json_integer_value(json_object_get(e, "count"));
	json_decref(events);
	return sum;
}

/* None is missing but those that the host hides. */
static void expect_count(struct world *w, const char *kind, int64_t count)
{
	int64_t end = harness_now_ms() + harness_ms(LIMIT_MS);
	struct hidden hidden = hidden_read();

	agree_allow(hidden.attempts, hidden.resets);
	while (count_of(w, kind) < count && harness_now_ms() < end)
		harness_sleep(100);
	assert_in_range(count_of(w, kind), count - hidden.attempts, count);
}

/* A listener that comes and goes takes no place for good. */
static void expect_room(const struct world *w)
{
	char *text = scrape(daemon_listen(w->daemon));

	assert_true(scrape_sum(text, "rstscope_connections_untracked_total",
			       "") == 0);
	free(text);
}

static double missed_state_changes(const struct world *w)
{
	char *text = scrape(daemon_listen(w->daemon));
	double missed = scrape_sum(text, "rstscope_probe_missed_runs_total",
				   "probe=\"inet_sock_set_state\"");

	free(text);
	return missed;
}

/* The daemon reads the kernel's counters now and then. */
static void expect_missed(const struct world *w)
{
	int64_t end = harness_now_ms() + harness_ms(LIMIT_MS);

	while (missed_state_changes(w) <= 0 && harness_now_ms() < end)
		harness_sleep(200);
	assert_true(missed_state_changes(w) > 0);
}

/* A change of state in a process, much of the time. */
static void listen_and_stop(long listener)
{
	for (int i = 0; i < BATCH; i++) {
		listen((int)listener, 1);
		shutdown((int)listener, SHUT_RD);
	}
}

static void test_timeouts(void **state)
{
	struct world *w = *state;
	int64_t before = skipped_runs("set_state"), skipped = before;
	long listener = do_listen(w->family, 1, 0, 0);
	int rounds = 0;

	if (before < 0)
		harness_skip("this kernel does not tell what it skips");
	nft(-1, "input", "tcp dport 4001 drop");
	hidden_watch();
	pin();
	for (; rounds < ROUNDS && skipped == before; rounds++) {
		fail_meanwhile(w->family, 100, listen_and_stop, listener);
		skipped = skipped_runs("set_state");
	}
	close((int)listener);
	expect_count(w, "timeout", (int64_t)rounds * ATTEMPTS);
	expect_room(w);
	if (skipped == before)
		harness_skip("the kernel skipped no run in %d rounds", rounds);
	expect_missed(w);
}

/*
 * A RST that leaves in a process, much of the time. Where ksoftirqd brings it,
 * the other end must not close before: its FIN would be answered by a second
 * RST, which is counted and makes no event.
 */
static void connect_and_abort(long listener)
{
	long port = do_port(listener, 0, 0, 0);
	long c = do_connect(AF_INET, HOST_LOOPBACK, port, 0);
	long s = do_accept(listener, 0, 0, 0);

	do_linger(c, 0, 0, 0);
	close((int)c);
	do_read(s, 1, 0, 0);
	close((int)s);
}

/* The daemon is to keep up with them on a busy machine, too. */
static void abort_some(long listener)
{
	for (int i = 0; i < BATCH; i++)
		connect_and_abort(listener);
	harness_sleep(1);
}

/* The first SYN is lost, a RST answers the one that a timer repeats. */
static void lose_first_syn(void)
{
	if (shell_in(-1, "nft add table inet e2e 2>/dev/null"))
		harness_skip("nft: this kernel or machine has no nf_tables");
	must_in(-1, "nft 'add set inet e2e seen "
		    "{ type inet_service; size 65535; flags dynamic; }'");
	nft(-1, "input",
	    "tcp dport 4001 tcp sport != @seen add @seen { tcp sport } drop");
}

static void test_resets(void **state)
{
	struct world *w = *state;
	int64_t before = skipped_resets(), skipped = before;
	long listener = do_listen(AF_INET, 16, 0, 0);
	int rounds = 0;

	if (before < 0)
		harness_skip("this kernel does not tell what it skips");
	lose_first_syn();
	hidden_watch();
	pin();
	for (; rounds < ROUNDS && skipped == before; rounds++) {
		fail_meanwhile(AF_INET, 0, abort_some, listener);
		skipped = skipped_resets();
	}
	close((int)listener);
	expect_count(w, "refused", (int64_t)rounds * ATTEMPTS);
	if (skipped == before)
		harness_skip("the kernel skipped no run in %d rounds", rounds);
}

int main(void)
{
	const struct CMUnitTest skipped[] = {
		BOTH(test_timeouts),
		IPV4(test_resets),
	};

	return run_table(skipped);
}
