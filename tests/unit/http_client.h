/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as they stand on the wire, for tests of the server. */
#ifndef RSTSCOPE_HTTP_CLIENT_H
#define RSTSCOPE_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static inline int dial_tcp(uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static inline int dial_unix(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(to.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Sends the text as it is; the whole answer until the server closes. */
static inline char *ask_fd(int fd, const char *text)
{
	struct timeval limit = {5, 0};
	size_t size = 0, room = 1 << 20;
	char *answer = malloc(room);
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
	while ((n = recv(fd, answer + size, room - 1 - size, 0)) > 0)
		size += n;
	answer[size] = '\0';
	close(fd);
	return answer;
}

static inline int status_of(const char *answer)
{
	int status = 0;

	sscanf(answer, "HTTP/1.%*d %d", &status);
	return status;
}

#endif
