// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/scrape.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (2 << 20)

static int dial(const char *listen)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	bool is_unix = !strncmp(listen, "unix:", 5);
	const char *port = strrchr(listen, ':') + 1;
	struct timeval limit = {10, 0};
	int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
			0);
	int rc;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(atoi(port));
	rc = is_unix ? connect(fd, (struct sockaddr *)&un, sizeof(un))
		     : connect(fd, (struct sockaddr *)&in, sizeof(in));
	if (!rc)
		return fd;
	close(fd);
	return -1;
}

char *scrape(const char *listen)
{
	return scrape_as(listen, "text/plain");
}

char *scrape_as(const char *listen, const char *accept)
{
	int fd = dial(listen);
	char *all, *body = NULL, *at, ask[200];
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return NULL;
	all = calloc(1, ANSWER_MAX);
	snprintf(ask, sizeof(ask),
		 "GET /metrics HTTP/1.0\r\nAccept: %s\r\n\r\n", accept);
	if (all && write(fd, ask, strlen(ask)) == (ssize_t)strlen(ask))
		while ((n = read(fd, all + size, ANSWER_MAX - 1 - size)) > 0)
			size += n;
	close(fd);
	at = all ? strstr(all, "\r\n\r\n") : NULL;
	if (at && !strncmp(all + strcspn(all, " "), " 200 ", 5))
		body = strdup(at + 4);
	free(all);
	return body;
}

static bool has_label(const char *line, const char *label)
{
	const char *found = strstr(line, label), *end = strchr(line, '\n');

	return found && (!end || found < end);
}

double scrape_sum(const char *text, const char *name, const char *label)
{
	size_t size = strlen(name);
	double sum = 0;
	bool found = false;

	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, name, size) ||
		    (line[size] != '{' && line[size] != ' ') ||
		    !has_label(line, label))
			continue;
		sum += atof(line + size + strcspn(line + size, " "));
		found = true;
	}
	return found ? sum : -1;
}
