// SPDX-License-Identifier: Apache-2.0
/*
 * Scrapes in a storm: as many loopback resets (SO_LINGER 0) as two processes
 * make, once without and once with a scrape every 100 ms, text and OpenMetrics
 * in turn, alternating in one run. Before it 10,000 processes of as many names
 * fail once each, so that the table is full. Needs root.
 *   scrape_bench [RESETS [ROUNDS [NAMES]]]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/daemon.h"
#include "tests/e2e/scrape.h"

#define RESETS	    300000
#define ROUNDS	    3
#define NAMES	    10000
#define BATCH	    100
#define FEW	    500
#define SCRAPE_MS   100
#define SCRAPES_MAX 100000
#define LISTEN	    "127.0.0.1:9478"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- the traffic -----------------------------------------------------------
 */
static int listen_any(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*at);

	*at = (struct sockaddr_in){.sin_family = AF_INET};
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof(*at)) ||
	    listen(fd, 1024) || getsockname(fd, (struct sockaddr *)at, &size))
		die("listen");
	return fd;
}

static void reset_one(const struct sockaddr_in *to)
{
	struct linger linger = {1, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void be_told(int listener)
{
	char byte;
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		die("accept");
	if (read(fd, &byte, 1) >= 0 || errno != ECONNRESET)
		_exit(2);
	close(fd);
}

static void reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "the traffic failed, status %x\n", status);
		exit(1);
	}
}

static void fail_once(int i, const struct sockaddr_in *to)
{
	char name[32]; /* the kernel keeps 15 bytes */

	snprintf(name, sizeof(name), "worker-%d", i);
	prctl(PR_SET_NAME, name);
	reset_one(to);
	_exit(0);
}

static void fill_table(int names)
{
	struct sockaddr_in at;
	int listener = listen_any(&at);
	pid_t pids[BATCH];

	for (int i = 0; i < names; i += BATCH) {
		for (int k = 0; k < BATCH; k++) {
			pids[k] = fork();
			if (!pids[k])
				fail_once(i + k, &at);
		}
		for (int k = 0; k < BATCH; k++)
			be_told(listener);
		for (int k = 0; k < BATCH; k++)
			reap(pids[k]);
	}
	close(listener);
}

/* Resets a second. */
static double storm(int resets)
{
	struct sockaddr_in at;
	int listener = listen_any(&at);
	double start = now_s();
	pid_t server, client;

	fflush(NULL);
	server = fork();
	if (!server) {
		for (int i = 0; i < resets; i++)
			be_told(listener);
		_exit(0);
	}
	client = fork();
	if (!client) {
		for (int i = 0; i < resets; i++)
			reset_one(&at);
		_exit(0);
	}
	reap(client);
	reap(server);
	close(listener);
	return resets / (now_s() - start);
}

/* --- the scraper -----------------------------------------------------------
 */
static struct {
	atomic_bool stop;
	size_t n;
	double ms[SCRAPES_MAX];
} scraper;

static void *run_scraper(void *ctx)
{
	static const char *const accept[] = {
		"text/plain",
		"application/openmetrics-text; version=1.0.0",
	};
	(void)ctx;
	for (unsigned int i = 0; !scraper.stop; i++) {
		double start = now_s();
		char *text = scrape_as(LISTEN, accept[i % 2]);

		if (!text)
			die("no answer to a scrape");
		if (scraper.n < SCRAPES_MAX)
			scraper.ms[scraper.n++] = (now_s() - start) * 1000;
		free(text);
		usleep(SCRAPE_MS * 1000);
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* --- one round -------------------------------------------------------------
 */
struct sample {
	double rate, cpu_us; /* resets a second; the daemon's, per reset */
	double lost, counted;
};

static double sum_now(const char *name)
{
	char *text = scrape(LISTEN);
	double value = scrape_sum(text, name, "");

	if (!text)
		die("no answer to a scrape");
	free(text);
	return value;
}

/* What was left in the ring is worked off and reported (every 2 s). */
static void settle(void)
{
	double before, now = sum_now("rstscope_resets_total");

	do {
		before = now;
		sleep(3);
		now = sum_now("rstscope_resets_total");
	} while (now - before > FEW); /* the host has resets of its own */
}

static struct sample measure(int resets, bool scraped)
{
	double cpu = sum_now("process_cpu_seconds_total");
	double lost = sum_now("rstscope_events_lost_total");
	double counted = sum_now("rstscope_kernel_resets_total");
	struct sample s;
	pthread_t thread;

	scraper.stop = false;
	if (scraped && pthread_create(&thread, NULL, run_scraper, NULL))
		die("thread");
	s.rate = storm(resets);
	scraper.stop = true;
	if (scraped)
		pthread_join(thread, NULL);
	settle();
	s.cpu_us = (sum_now("process_cpu_seconds_total") - cpu) * 1e6 / resets;
	s.lost = sum_now("rstscope_events_lost_total") - lost;
	s.counted = sum_now("rstscope_kernel_resets_total") - counted;
	printf("%-8s %7.0f resets/s, daemon %5.2f us a reset, %.0f counted in "
	       "the kernel, %.0f lost\n",
	       scraped ? "scraped" : "alone", s.rate, s.cpu_us, s.counted,
	       s.lost);
	fflush(stdout);
	return s;
}

static size_t count_series(const char *text)
{
	size_t n = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		n += *line != '#';
	return n;
}

int main(int argc, char **argv)
{
	static const char *const listen[] = {"--listen", LISTEN, NULL};
	int resets = argc > 1 ? atoi(argv[1]) : RESETS;
	int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	int names = argc > 3 ? atoi(argv[3]) : NAMES;
	double rate[2] = {0, 0}, cpu[2] = {0, 0}, lost[2] = {0, 0};
	struct daemon *d;
	size_t n;
	char *text;

	if (resets < 1 || rounds < 1 || names < 1) {
		fprintf(stderr,
			"usage: scrape_bench [RESETS [ROUNDS [NAMES]]]\n");
		return 2;
	}
	d = daemon_start(listen);
	if (!d)
		return 1;
	fill_table(names);
	settle();
	text = scrape(LISTEN);
	if (!text)
		die("no answer to a scrape");
	printf("%d processes of as many names: %zu series, %zu bytes\n", names,
	       count_series(text), strlen(text));
	free(text);
	for (int i = 0; i < 2 * rounds; i++) {
		struct sample s = measure(resets, i % 2);

		rate[i % 2] += s.rate / rounds;
		cpu[i % 2] += s.cpu_us / rounds;
		lost[i % 2] += s.lost;
	}
	daemon_free(d);
	n = scraper.n;
	qsort(scraper.ms, n, sizeof(scraper.ms[0]), by_value);
	printf("scraped/alone: resets/s %.3f, daemon CPU %.3f; lost %.0f and "
	       "%.0f\n",
	       rate[1] / rate[0], cpu[1] / cpu[0], lost[1], lost[0]);
	printf("%zu scrapes in the storm: median %.2f ms, p99 %.2f ms, max "
	       "%.2f ms\n",
	       n, scraper.ms[n / 2], scraper.ms[n * 99 / 100],
	       scraper.ms[n - 1]);
	return 0;
}
