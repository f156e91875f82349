/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/serve/listen.h"

#define BACKLOG 64

static bool is_loopback(const struct listen_address *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return a->family == 4 ? a->ip[0] == 127 : !memcmp(a->ip, one, 16);
}

static int parse_tcp(struct listen_address *a)
{
	char host[LISTEN_TEXT];
	const char *colon = strrchr(a->text, ':');
	size_t n = colon ? colon - a->text : 0;
	int64_t port;

	if (!n || parse_int(colon + 1, 0, 65535, &port))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)n, a->text);
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
		if (!strchr(host, ':'))
			return -EINVAL;
	} else if (strchr(host, ':')) {
		return -EINVAL; /* ::1:9477 may mean two things */
	}
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	if (parse_ip(host, &a->family, a->ip))
		return -EINVAL;
	a->kind = LISTEN_TCP;
	a->port = port;
	a->loopback = is_loopback(a);
	return 0;
}

static int parse_unix(struct listen_address *a, const char *path)
{
	if (!*path || strlen(path) >= sizeof(a->path))
		return -EINVAL;
	strcpy(a->path, path);
	a->kind = LISTEN_UNIX;
	a->loopback = true;
	return 0;
}

int listen_parse(const char *text, struct listen_address *out, char *err,
		 size_t err_size)
{
	struct listen_address a = {.kind = LISTEN_OFF, .loopback = true};
	int rc = 0;

	if (strlen(text) >= sizeof(a.text)) {
		snprintf(err, err_size, "the address to listen on is too long");
		return -EINVAL;
	}
	strcpy(a.text, text);
	if (!strncmp(text, "unix:", 5))
		rc = parse_unix(&a, text + 5);
	else if (strcmp(text, "off"))
		rc = parse_tcp(&a);
	if (rc) {
		snprintf(err, err_size,
			 "'%s' is no address to listen on: ADDR:PORT, "
			 "[ADDR]:PORT, unix:PATH (up to %zu bytes) or off",
			 text, sizeof(a.path) - 1);
		return rc;
	}
	*out = a;
	return 0;
}

int listen_check(const struct listen_address *a, bool insecure, char *err,
		 size_t err_size)
{
	if (a->loopback || insecure)
		return 0;
	snprintf(err, err_size,
		 "%s can be reached from other hosts, without a password or "
		 "encryption; add --token-file FILE, or --insecure-listen if "
		 "that is intended",
		 a->text);
	return -EACCES;
}

static socklen_t fill_tcp(const struct listen_address *a,
			  struct sockaddr_storage *ss)
{
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(a->port);
		memcpy(&in6->sin6_addr, a->ip, 16);
		return sizeof(*in6);
	}
}

static socklen_t fill_unix(const struct listen_address *a,
			   struct sockaddr_storage *ss)
{
	struct sockaddr_un *un = (struct sockaddr_un *)ss;

	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, a->path);
	return sizeof(*un);
}

/* Removes a socket file that a dead daemon left. -EADDRINUSE: one lives. */
static int clear_path(const struct listen_address *a,
		      const struct sockaddr_storage *ss, socklen_t size)
{
	struct stat st;
	int fd, rc;

	if (lstat(a->path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = connect(fd, (const struct sockaddr *)ss, size) ? -errno : 0;
	close(fd);
	if (rc != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(a->path) ? -errno : 0;
}

static void explain(const struct listen_address *a, int rc, char *err,
		    size_t err_size)
{
	if (rc == -EADDRINUSE)
		snprintf(err, err_size,
			 "%s is in use; is another rstscoped running? "
			 "--listen ADDR:PORT, unix:PATH or off",
			 a->text);
	else if (rc == -EEXIST)
		snprintf(err, err_size,
			 "%s is a file that is no socket; it was left alone",
			 a->path);
	else if (rc == -EADDRNOTAVAIL)
		snprintf(err, err_size, "no address of this host: %s", a->text);
	else
		snprintf(err, err_size, "cannot listen on %s: %s", a->text,
			 strerror(-rc));
}

static int bind_and_listen(int fd, const struct listen_address *a,
			   const struct sockaddr_storage *ss, socklen_t size)
{
	int one = 1;

	if (a->kind == LISTEN_TCP &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (bind(fd, (const struct sockaddr *)ss, size))
		return -errno;
	if (a->kind == LISTEN_UNIX && chmod(a->path, 0660))
		return -errno;
	return listen(fd, BACKLOG) ? -errno : 0;
}

int listen_open(const struct listen_address *a, char *err, size_t err_size)
{
	struct sockaddr_storage ss = {0};
	socklen_t size;
	int fd = -1, rc = 0;

	size = a->kind == LISTEN_UNIX ? fill_unix(a, &ss) : fill_tcp(a, &ss);
	if (a->kind == LISTEN_UNIX)
		rc = clear_path(a, &ss, size);
	if (rc)
		goto cleanup;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -errno : bind_and_listen(fd, a, &ss, size);
cleanup:
	if (!rc)
		return fd;
	explain(a, rc, err, err_size);
	if (fd >= 0)
		close(fd);
	return rc;
}
