// SPDX-License-Identifier: Apache-2.0
/*
 * What a connection that is well pays for being watched: loopback traffic with
 * no failure in it, bare, beside the daemon, and beside ones with --packet on
 * and --stacks on, alternating in one run. CPU of the traffic's processes by
 * getrusage; the ratio of the medians is the answer.
 *   short: connect, a request, an answer, close        kept: one connection
 * Needs root.   healthy_bench [ROUNDS]
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/daemon.h"

#define ROUNDS	    5
#define ROUNDS_MAX  25
#define CONNECTIONS 20000
#define EXCHANGES   200000

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void must(ssize_t got)
{
	if (got <= 0)
		die("the traffic failed");
}

static void serve(int listener, int connections, int exchanges)
{
	char buffer[256];

	for (int i = 0; i < connections; i++) {
		int fd = accept(listener, NULL, NULL);

		for (int k = 0; k < exchanges; k++) {
			must(read(fd, buffer, sizeof(buffer)));
			must(write(fd, answer, sizeof(answer) - 1));
		}
		if (read(fd, buffer, sizeof(buffer)) != 0)
			die("no end of the connection");
		close(fd);
	}
	_exit(0);
}

static void ask(const struct sockaddr_in *to, int connections, int exchanges)
{
	char buffer[256];

	for (int i = 0; i < connections; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			die("connect");
		for (int k = 0; k < exchanges; k++) {
			must(write(fd, request, sizeof(request) - 1));
			must(read(fd, buffer, sizeof(buffer)));
		}
		close(fd);
	}
	_exit(0);
}

static double children_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* CPU of both ends, microseconds an exchange. */
static double traffic(int connections, int exchanges)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;
	double before = children_s();
	pid_t pids[2];

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&at, &size))
		die("listen");
	fflush(NULL);
	if (!(pids[0] = fork()))
		serve(fd, connections, exchanges);
	if (!(pids[1] = fork()))
		ask(&at, connections, exchanges);
	for (int i = 0; i < 2; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i] || status)
			die("the traffic failed");
	}
	close(fd);
	return (children_s() - before) * 1e6 / connections / exchanges;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	return values[n / 2];
}

struct mode {
	const char *name;
	const char *options[8]; /* of the daemon; none: there is no daemon */
	double us[ROUNDS_MAX];
};

static void measure(struct mode *m, int round, int connections, int exchanges)
{
	struct daemon *d = NULL;

	if (m->options[0]) {
		d = daemon_start(m->options);
		if (!d)
			die("the daemon does not start");
	}
	m->us[round] = traffic(connections, exchanges);
	if (!d)
		return;
	daemon_stop(d);
	daemon_free(d);
}

static void compare(const char *name, int rounds, int connections,
		    int exchanges)
{
	struct mode modes[] = {
		{"bare", {NULL}, {0}},
		{"watched", {"--listen", "off", NULL}, {0}},
		{"--packet on",
		 {"--listen", "off", "--packet", "on", NULL},
		 {0}},
		{"--stacks on",
		 {"--listen", "off", "--stacks", "on", NULL},
		 {0}},
	};
	size_t n = sizeof(modes) / sizeof(modes[0]);
	double bare;

	for (int i = 0; i < rounds; i++)
		for (size_t k = 0; k < n; k++)
			measure(&modes[k], i, connections, exchanges);
	bare = median(modes[0].us, rounds);
	printf("%-6s bare %7.2f us an exchange", name, bare);
	for (size_t k = 1; k < n; k++) {
		double us = median(modes[k].us, rounds);

		printf(", %s %7.2f (bare/it %.3f)", modes[k].name, us,
		       bare / us);
	}
	putchar('\n');
}

int main(int argc, char *argv[])
{
	int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	compare("short", rounds, CONNECTIONS, 1);
	compare("kept", rounds, 1, EXCHANGES);
	return 0;
}
