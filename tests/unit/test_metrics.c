/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_case.h"

#include <pthread.h>
#include <unistd.h>

#include "user/serve/metrics_host.h"

static void test_series_from_the_start(void **state)
{
	struct metrics *m = new_metrics(50);
	char *text = render(m, METRICS_TEXT);

	(void)state;
	assert_int_equal(count_lines(text, "rstscope_resets_total{"),
			 2 * CAUSES * BLAMES);
	assert_int_equal(count_lines(text, "rstscope_failures_total{"),
			 3 * CAUSES);
	assert_true(sample_in(text, STALE) == 0);
	assert_true(sample_in(text, "rstscope_retry_unsafe_total"
				    "{retry=\"unsafe\"}") == 0);
	assert_true(sample_in(text, "rstscope_events_lost_total"
				    "{stage=\"ring\"}") == 0);
	assert_true(sample_in(text, "rstscope_build_info{version=\"1.2\","
				    "revision=\"abc\",kernel=\"6.18\"}") == 1);
	/* Gauges of what was never sampled are absent, not 0. */
	assert_true(sample_in(text, "rstscope_store_bytes") == -1);
	assert_true(sample_in(text, "rstscope_sockets_seeded") == -1);
	assert_true(sample_in(text, "process_resident_memory_bytes") > 0);
	assert_true(sample_in(text, "process_start_time_seconds") > 1e9);
	assert_true(sample_in(text, "process_open_fds") >= 3);
	free(text);
	metrics_free(m);
}

/* Written, or removed: text NULL. */
static void host_file(const char *dir, const char *name, const char *text)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!text) {
		unlink(path);
		return;
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_host_counters(void **state)
{
	static const char snmp[] =
		"Ip: Forwarding DefaultTTL\nIp: 1 64\n"
		"Tcp: RtoMin ActiveOpens PassiveOpens AttemptFails EstabResets "
		"OutRsts\n"
		"Tcp: 200 11 12 13 14 18446744073709551615\n";
	static const char netstat[] =
		"TcpExt: SyncookiesSent EmbryonicRsts TCPChallengeACK\n"
		"TcpExt: 1 2 3\n"
		"IpExt: InNoRoutes\nIpExt: 4\n";
	char dir[] = "/tmp/rstscope-net-XXXXXX", *text = NULL;
	struct exposition *x = exposition_new(METRICS_TEXT);
	size_t size;

	(void)state;
	assert_non_null(mkdtemp(dir));
	host_file(dir, "snmp", snmp);
	host_file(dir, "netstat", netstat);
	metrics_host_render(x, dir);
	metrics_host_render(x, "/nonexistent");
	host_file(dir, "snmp", NULL);
	host_file(dir, "netstat", NULL);
	rmdir(dir);
	assert_int_equal(exposition_finish(x, &text, &size), 0);
#define HOST "rstscope_host_tcp_total{counter="
	assert_int_equal(count_lines(text, HOST), 7);
	assert_true(sample_in(text, HOST "\"EmbryonicRsts\"}") == 2);
	assert_true(sample_in(text, HOST "\"TCPChallengeACK\"}") == 3);
	assert_true(sample_in(text, HOST "\"ActiveOpens\"}") == 11);
	assert_true(sample_in(text, HOST "\"EstabResets\"}") == 14);
	assert_non_null(strstr(text, HOST "\"OutRsts\"} "
					  "18446744073709551615\n"));
	free(text);
}

static void test_count_reset(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = reset_event("node");
	char *text;

	(void)state;
	metrics_count(m, &ev, 3);
	metrics_advance(m, UINT64_MAX);
	text = render(m, METRICS_TEXT);
	assert_true(sample_in(text, STALE) == 3);
	assert_true(sample_in(text, "rstscope_process_failures_total{process="
				    "\"node\",kind=\"received\",syscall="
				    "\"read\"}") == 3);
	assert_true(sample_in(text, "rstscope_retry_unsafe_total"
				    "{retry=\"unsafe\"}") == 3);
#define IDLE "rstscope_reset_idle_seconds_"
	assert_true(sample_in(text, IDLE "bucket{direction=\"received\","
					 "le=\"5.0\"}") == 0);
	assert_true(sample_in(text, IDLE "bucket{direction=\"received\","
					 "le=\"6.0\"}") == 3);
	assert_true(sample_in(text, IDLE "bucket{direction=\"received\","
					 "le=\"+Inf\"}") == 3);
	assert_true(sample_in(text, IDLE "count{direction=\"received\"}") == 3);
	assert_float_equal(sample_in(text, IDLE "sum{direction=\"received\"}"),
			   3 * 5.002, 1e-9);
	assert_true(sample_in(text, "rstscope_notice_seconds_bucket{syscall="
				    "\"read\",le=\"0.01\"}") == 3);
	assert_true(sample_in(text, "rstscope_notice_seconds_bucket{syscall="
				    "\"read\",le=\"0.001\"}") == 0);
	assert_true(sample_in(text, "rstscope_unattributed_total"
				    "{what=\"process\"}") == 0);
	free(text);
	metrics_free(m);
}

static void test_count_unknowns(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = reset_event(NULL);
	char *text;

	(void)state;
	ev.kind = KIND_HANGUP;
	ev.syscall.known = false;
	ev.idle_ms = ev.age_ms = NOT_KNOWN;
	ev.verdict.cause = CAUSE_UNKNOWN;
	metrics_count(m, &ev, 2);
	ev.kind = KIND_SENT;
	metrics_count(m, &ev, 1);
	metrics_advance(m, UINT64_MAX);
	text = render(m, METRICS_TEXT);
	assert_true(sample_in(text, "rstscope_failures_total{kind=\"hangup\","
				    "cause=\"unknown\"}") == 2);
	assert_true(sample_in(text, "rstscope_unattributed_total"
				    "{what=\"process\"}") == 3);
	assert_true(sample_in(text, "rstscope_unattributed_total"
				    "{what=\"syscall\"}") == 3);
	assert_true(sample_in(text, "rstscope_unattributed_total"
				    "{what=\"cause\"}") == 3);
	assert_true(sample_in(text, IDLE "count{direction=\"sent\"}") == 0);
	assert_int_equal(count_lines(text, "rstscope_process_failures_total{"),
			 0);
	free(text);
	metrics_free(m);
}

static void test_nonsense_is_not_counted(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = reset_event("node");

	(void)state;
	metrics_count(m, &ev, 0);
	metrics_count(m, &ev, -5);
	ev.verdict.cause = CAUSES + 7;
	metrics_count(m, &ev, 1);
	ev = reset_event("node");
	ev.kind = -1;
	metrics_count(m, &ev, 1);
	assert_true(sample(m, STALE) == 0);
	metrics_free(m);
}

static void test_openmetrics(void **state)
{
	struct metrics *m = new_metrics(50);
	struct event ev = reset_event("node");
	char *text;
	size_t n;

	(void)state;
	metrics_count(m, &ev, 1);
	metrics_advance(m, UINT64_MAX);
	text = render(m, METRICS_OPENMETRICS);
	n = strlen(text);
	assert_true(n > 6 && !strcmp(text + n - 6, "# EOF\n"));
	assert_non_null(strstr(text, "# TYPE rstscope_resets counter\n"));
	assert_non_null(strstr(text, STALE " 1 # {event_id=\"42\"} 1 "
					   "1764000000.123\n"));
	assert_non_null(strstr(text, "le=\"6.0\"} 1 # {event_id=\"42\"} 5.002 "
				     "1764000000.123\n"));
	free(text);
	text = render(m, METRICS_TEXT);
	assert_null(strstr(text, "event_id"));
	assert_null(strstr(text, "# EOF"));
	assert_non_null(strstr(text, "# TYPE rstscope_resets_total counter\n"));
	free(text);
	metrics_free(m);
}

static struct metrics_sample *full_sample(void)
{
	struct metrics_sample *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->kernel_known = s->store_known = s->processes_known = true;
	s->counts.kind[REC_SENT] = (struct rec_count){10, 7, 2, 1};
	s->counts.kind[REC_TOLD] = (struct rec_count){5, 4, 1, 0};
	s->counts.tally[TALLY_RECEIVED] = 11;
	s->counts.tally[TALLY_ESTABLISHED_CLIENT] = 100;
	s->counts.tally[TALLY_SEEDED] = 6;
	s->counts.ignored_known = s->counts.rejected_known = true;
	s->counts.tally[TALLY_REJECTED] = 9;
	s->counts.tally[TALLY_IGNORED_SEQUENCE] = 3;
	s->counts.tally[TALLY_IGNORED_NO_SOCKET] = 5;
	s->counts.tally[TALLY_SENT_FIRST] = 1;
	s->counts.tally[TALLY_SENT_FIRST + 11] = 4;
	s->counts.tally[TALLY_SENT_FIRST + 30] = 2;
	strcpy(s->reasons[0], "NOT_SPECIFIED");
	strcpy(s->reasons[11], "TCP_ABORT_ON_CLOSE");
	s->n_probes = 2;
	strcpy(s->probes[0].hook, "tcp_send_reset");
	strcpy(s->probes[0].method, "raw_tp");
	s->probes[0].up = s->probes[0].missed_known = true;
	strcpy(s->probes[1].hook, "kfree_skb");
	strcpy(s->probes[1].method, "none");
	s->store = (struct writer_stats){
		.queued = 20,
		.written = 18,
		.lost_queue = 3,
		.lost_store = 2,
		.bytes = 4096,
		.events = 18,
	};
	s->folded = 5;
	return s;
}

static void test_sample(void **state)
{
	struct metrics *m = new_metrics(50);
	struct metrics_sample *s = full_sample();
	char *text;
	size_t i;
	static const struct {
		const char *series;
		double value;
	} want[] = {
		{"rstscope_kernel_resets_total{direction=\"received\","
		 "reason=\"none\"}",
		 11},
		{"rstscope_kernel_resets_total{direction=\"sent\","
		 "reason=\"NOT_SPECIFIED\"}",
		 1},
		{"rstscope_kernel_resets_total{direction=\"sent\","
		 "reason=\"TCP_ABORT_ON_CLOSE\"}",
		 4},
		{"rstscope_kernel_resets_total{direction=\"sent\","
		 "reason=\"number_30\"}",
		 2},
		{"rstscope_kernel_resets_total{direction=\"sent\","
		 "reason=\"netfilter_reject\"}",
		 9},
		{"rstscope_resets_ignored_total{why=\"out_of_window\"}", 3},
		{"rstscope_resets_ignored_total{why=\"challenged\"}", 0},
		{"rstscope_resets_ignored_total{why=\"no_socket\"}", 5},
		{"rstscope_connections_total{role=\"client\"}", 100},
		{"rstscope_connections_total{role=\"server\"}", 0},
		{"rstscope_sockets_seeded", 6},
		{"rstscope_events_seen_total{stage=\"ring\"}", 15},
		{"rstscope_events_lost_total{stage=\"ring\"}", 3},
		{"rstscope_events_seen_total{stage=\"queue\"}", 23},
		{"rstscope_events_lost_total{stage=\"queue\"}", 3},
		{"rstscope_events_seen_total{stage=\"store\"}", 20},
		{"rstscope_events_lost_total{stage=\"store\"}", 2},
		{"rstscope_events_folded_total", 6},
		{"rstscope_probe_up{probe=\"tcp_send_reset\","
		 "method=\"raw_tp\"}",
		 1},
		{"rstscope_probe_up{probe=\"kfree_skb\",method=\"none\"}", 0},
		{"rstscope_probe_missed_runs_total{probe=\"tcp_send_reset\"}",
		 0},
		/* the kernel does not tell */
		{"rstscope_probe_missed_runs_total{probe=\"kfree_skb\"}", -1},
		{"rstscope_store_bytes", 4096},
		{"rstscope_store_events", 18},
		/* bpf_stats_enabled is off: not known, so not there */
		{"rstscope_probe_runs_total{probe=\"tcp_send_reset\"}", -1},
	};

	(void)state;
	metrics_update(m, s);
	text = render(m, METRICS_TEXT);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		double got = sample_in(text, want[i].series);

		if (got != want[i].value)
			fail_msg("%s is %g", want[i].series, got);
	}
	free(text);
	s->counts.ignored_known = false; /* not seen: not there */
	s->probes[0].missed = 7;
	s->probes[0].runs = 1000;
	s->probes[0].run_ns = 2500000;
	metrics_update(m, s);
	assert_true(sample(m, "rstscope_probe_runs_total{probe="
			      "\"tcp_send_reset\"}") == 1000);
	assert_float_equal(sample(m, "rstscope_probe_run_seconds_total{probe="
				     "\"tcp_send_reset\"}"),
			   0.0025, 1e-12);
	assert_true(sample(m, "rstscope_probe_missed_runs_total{probe="
			      "\"tcp_send_reset\"}") == 7);
	assert_true(sample(m, "rstscope_resets_ignored_total{why="
			      "\"no_socket\"}") == -1);
	free(s);
	metrics_free(m);
}

static void *count_many(void *ctx)
{
	struct event ev = reset_event("node");
	int i;

	for (i = 0; i < 20000; i++)
		metrics_count(ctx, &ev, 1);
	return NULL;
}

/* What a scrape shows never goes back, and at the end nothing is missing. */
static void test_scrape_while_counting(void **state)
{
	struct metrics *m = new_metrics(50);
	double before = 0, now;
	pthread_t thread;
	int i;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, count_many, m), 0);
	for (i = 0; i < 5; i++) {
		now = sample(m, STALE);
		assert_true(now >= before);
		before = now;
	}
	pthread_join(thread, NULL);
	assert_true(sample(m, STALE) == 20000);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_series_from_the_start),
		cmocka_unit_test(test_host_counters),
		cmocka_unit_test(test_count_reset),
		cmocka_unit_test(test_count_unknowns),
		cmocka_unit_test(test_nonsense_is_not_counted),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_scrape_while_counting),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
