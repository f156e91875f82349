// SPDX-License-Identifier: Apache-2.0
/*
 * What observing resets costs: a storm of loopback connections, each ended by
 * one SO_LINGER 0 close, run bare, beside the daemon, beside it with --stacks
 * on, and beside tcpdump that writes the RSTs to a file, alternating, in one
 * go. CPU time from getrusage of the traffic's processes: steadier than the
 * wall clock. Needs root.
 *   reset_bench [RESETS [ROUNDS]]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/daemon.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/scrape.h"

#define RESETS	   100000
#define ROUNDS	   5
#define ROUNDS_MAX 50

enum mode { BARE, DAEMON, STACKS, TCPDUMP, MODES };
static const char *const mode_names[MODES] = {"bare", "rstscope", "+ stacks",
					      "tcpdump"};

/* Where events may get lost. */
enum { RING, QUEUE, STORE, STAGES };
static const char *const stages[STAGES] = {"stage=\"ring\"", "stage=\"queue\"",
					   "stage=\"store\""};

struct sample {
	double traffic_us; /* CPU of both ends, per reset */
	double watcher_us; /* CPU of the daemon or of tcpdump, per reset */
	double wall_s;
	double rss_kib;
	double rest_kib;
	double lost[STAGES], seen, unattributed; /* events of this round */
	bool known;				 /* those three */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the traffic -----------------------------------------------------------
 */
static void client_storm(int resets, const struct sockaddr_in *to)
{
	struct linger linger = {1, 0};

	for (int i = 0; i < resets; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 ||
		    connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			die("connect");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
	}
	_exit(0);
}

/* Each connection's read() is told ECONNRESET. */
static void server_storm(int resets, int listener)
{
	char byte;

	for (int i = 0; i < resets; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			die("accept");
		if (read(fd, &byte, 1) >= 0 || errno != ECONNRESET)
			_exit(2);
		close(fd);
	}
	_exit(0);
}

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

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

static double reap(pid_t pid)
{
	struct rusage usage;
	int status;

	if (wait4(pid, &status, 0, &usage) != pid || status) {
		fprintf(stderr, "the traffic failed, status %x\n", status);
		exit(1);
	}
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static double clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void storm(int resets, struct sample *s)
{
	struct sockaddr_in at;
	int listener = listen_any(&at);
	double start = clock_s(), cpu;
	pid_t server, client;

	fflush(NULL);
	server = fork();
	if (!server)
		server_storm(resets, listener);
	client = fork();
	if (!client)
		client_storm(resets, &at);
	cpu = reap(client) + reap(server);
	close(listener);
	s->wall_s = clock_s() - start;
	s->traffic_us = cpu * 1e6 / resets;
}

/* --- who watches -----------------------------------------------------------
 */
/* User and system time of a live process, seconds. */
static double process_cpu(pid_t pid)
{
	unsigned long user = 0, sys = 0;
	char path[64], text[1024] = "", *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		die(path);
	fclose(f);
	end = strrchr(text, ')');
	if (!end ||
	    sscanf(end + 2,
		   "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &sys) != 2)
		die(path);
	return (double)(user + sys) / sysconf(_SC_CLK_TCK);
}

/* With that of the process that names the functions of stacks. */
static double daemon_cpu(pid_t pid)
{
	char path[64];
	double cpu = process_cpu(pid);
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		cpu += process_cpu(child);
	if (f)
		fclose(f);
	return cpu;
}

static double process_rss_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %lf", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

/* CPU use has stopped: what the storm left in the ring is worked off. */
static void wait_quiet(pid_t pid)
{
	double before = process_cpu(pid), now;

	for (int i = 0; i < 60; i++) {
		usleep(500000);
		now = process_cpu(pid);
		if (now - before < 0.011)
			return;
		before = now;
	}
}

#define LISTEN "127.0.0.1:9478"

static double grown(const char *before, const char *after, const char *name,
		    const char *label)
{
	double was = scrape_sum(before, name, label);
	double is = scrape_sum(after, name, label);

	return is < 0 ? -1 : is - (was < 0 ? 0 : was);
}

static void watched_by_daemon(int resets, struct sample *s, struct daemon *d)
{
	char *before = scrape(LISTEN), *after;
	double cpu = daemon_cpu(daemon_pid(d));

	s->rest_kib = process_rss_kib(daemon_pid(d));
	storm(resets, s);
	wait_quiet(daemon_pid(d));
	s->watcher_us = (daemon_cpu(daemon_pid(d)) - cpu) * 1e6 / resets;
	s->rss_kib = process_rss_kib(daemon_pid(d));
	after = scrape(LISTEN);
	s->known = before && after;
	if (s->known) {
		for (int i = 0; i < STAGES; i++)
			s->lost[i] =
				grown(before, after,
				      "rstscope_events_lost_total", stages[i]);
		s->seen = grown(before, after, "rstscope_resets_total", "");
		s->unattributed =
			grown(before, after, "rstscope_unattributed_total", "");
	}
	free(before);
	free(after);
}

static void watched_by_tcpdump(int resets, struct sample *s)
{
	char file[] = "/tmp/rstscope-bench-XXXXXX";
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	close(mkstemp(file));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, STDERR_FILENO); /* its greeting */
		execlp("tcpdump", "tcpdump", "-q", "-Z", "root", "-i", "lo",
		       "-w", file, "tcp[tcpflags] & tcp-rst != 0", NULL);
		die("tcpdump");
	}
	sleep(1);
	if (waitpid(pid, NULL, WNOHANG))
		die("tcpdump ended at its start");
	storm(resets, s);
	sleep(1);
	s->watcher_us = process_cpu(pid) * 1e6 / resets;
	s->rss_kib = process_rss_kib(pid);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(file);
	close(fd);
}

/* --- the table -------------------------------------------------------------
 */
static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const struct sample *samples, int rounds, size_t field)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++)
		values[i] =
			*(const double *)((const char *)&samples[i] + field);
	qsort(values, rounds, sizeof(values[0]), by_value);
	return rounds % 2 ? values[rounds / 2]
			  : (values[rounds / 2 - 1] + values[rounds / 2]) / 2;
}
#define MEDIAN(m, field)                                                       \
	median(samples[m], rounds, offsetof(struct sample, field))

static void print_table(struct sample samples[MODES][ROUNDS_MAX], int rounds)
{
	double bare = MEDIAN(BARE, traffic_us);

	printf("\n%-10s %18s %12s %18s %12s %8s\n", "medians",
	       "traffic us/reset", "bare/with", "watcher us/reset", "RSS KiB",
	       "wall s");
	for (int m = 0; m < MODES; m++)
		printf("%-10s %18.2f %12.3f %18.2f %12.0f %8.2f\n",
		       mode_names[m], MEDIAN(m, traffic_us),
		       bare / MEDIAN(m, traffic_us), MEDIAN(m, watcher_us),
		       MEDIAN(m, rss_kib), MEDIAN(m, wall_s));
}

static void print_round(int round, enum mode mode, const struct sample *s)
{
	printf("round %d %-9s traffic %6.2f us, watcher %5.2f us a reset",
	       round, mode_names[mode], s->traffic_us, s->watcher_us);
	if (s->known)
		printf(", %.0f resets counted, lost %.0f in the ring, %.0f in "
		       "the queue, %.0f in the store, %.0f unattributed",
		       s->seen, s->lost[RING], s->lost[QUEUE], s->lost[STORE],
		       s->unattributed);
	printf("\n");
	fflush(stdout);
}

/* False: it could not be watched. */
static bool daemon_round(int resets, int round, enum mode mode,
			 struct sample *s)
{
	const char *const more[] = {"--listen", LISTEN, "--stacks",
				    mode == STACKS ? "on" : "off", NULL};
	struct daemon *d = daemon_start(more);

	if (!d)
		return false;
	watched_by_daemon(resets, s, d);
	print_round(round, mode, s);
	daemon_free(d);
	if (!s->known)
		fprintf(stderr, "the daemon's metrics are not there\n");
	return s->known;
}

int main(int argc, char **argv)
{
	static struct sample samples[MODES][ROUNDS_MAX];
	int resets = argc > 1 ? atoi(argv[1]) : RESETS;
	int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	double lost = 0;

	if (resets < 1 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: reset_bench [RESETS [ROUNDS]]\n");
		return 2;
	}
	printf("%d loopback resets (SO_LINGER 0), %d rounds\n", resets, rounds);
	for (int round = 0; round < rounds; round++) {
		storm(resets, &samples[BARE][round]);
		print_round(round, BARE, &samples[BARE][round]);
		for (enum mode m = DAEMON; m <= STACKS; m++) {
			if (!daemon_round(resets, round, m, &samples[m][round]))
				return 1;
			for (int i = 0; i < STAGES; i++)
				lost += samples[m][round].lost[i];
		}
		watched_by_tcpdump(resets, &samples[TCPDUMP][round]);
		print_round(round, TCPDUMP, &samples[TCPDUMP][round]);
	}
	print_table(samples, rounds);
	printf("daemon at rest: %.0f KiB; events lost: %.0f\n",
	       MEDIAN(DAEMON, rest_kib), lost);
	return lost > 0;
}
