/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as they come, for clients that stay: server-sent events. All clients
 * read one ring of the newest STREAM_RING events, each from its own place in
 * it. One that is too slow finds its place overwritten and is told how many
 * events it missed; nobody waits for it, and it costs no memory of its own.
 * An event that is amended comes again with the same id.
 */
#ifndef RSTSCOPE_STREAM_H
#define RSTSCOPE_STREAM_H

#include <sys/types.h>

#include "user/store/filter.h"

#define STREAM_RING    1024
#define STREAM_CLIENTS 16

struct stream;
struct stream_client;

struct stream *stream_new(void); /* NULL: out of memory */
void stream_free(struct stream *s);
/* The thread that wakes sleeping clients; -errno. */
int stream_start(struct stream *s);
/* Ends every client's stream and the thread. The HTTP server stops after it. */
void stream_stop(struct stream *s);

/* Copies the event; never blocks for long, and does nothing with no client. */
void stream_put(struct stream *s, const struct event *ev);

/*
 * A client from now on: 0, or -EBUSY with STREAM_CLIENTS there, -ENOMEM.
 * `connection` is put to sleep where there is nothing to send; NULL: none
 * (tests).
 */
int stream_join(struct stream *s, const struct filter *f, void *connection,
		struct stream_client **out);
/* For struct http_reader. */
ssize_t stream_read(void *client, uint64_t at, char *out, size_t size);
void stream_leave(void *client);

#endif
