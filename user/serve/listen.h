/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the daemon listens: "ADDR:PORT", "[ADDR]:PORT", "localhost:PORT",
 * "unix:PATH" or "off".
 */
#ifndef RSTSCOPE_LISTEN_H
#define RSTSCOPE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LISTEN_DEFAULT "127.0.0.1:9477"
#define LISTEN_TEXT    128

enum listen_kind { LISTEN_OFF, LISTEN_TCP, LISTEN_UNIX };

struct listen_address {
	enum listen_kind kind;
	char text[LISTEN_TEXT]; /* as given */
	bool loopback;		/* reachable from this host alone */
	uint8_t family;		/* 4 or 6 */
	uint8_t ip[16];
	uint16_t port; /* 0: the kernel chooses */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* 0; -EINVAL with one line in err. */
int listen_parse(const char *text, struct listen_address *out, char *err,
		 size_t err_size);

/* -EACCES with one line in err: other hosts reach it, and `insecure` is off. */
int listen_check(const struct listen_address *a, bool insecure, char *err,
		 size_t err_size);

/*
 * A listening socket, or -errno with one line in err: -EADDRINUSE where
 * another process has it. A socket file that nobody serves is replaced, any
 * other file is left alone. A unix socket gets mode 0660.
 */
int listen_open(const struct listen_address *a, char *err, size_t err_size);

#endif
