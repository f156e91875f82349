/* SPDX-License-Identifier: Apache-2.0 */
/* A failure on one line, for logs: what `rstscope ls` shows of it. */
#ifndef RSTSCOPE_EVENT_LINE_H
#define RSTSCOPE_EVENT_LINE_H

#include "user/store/event.h"

#define EVENT_LINE 256

/* "node[12] read ECONNRESET, peer 10.0.0.7:80: stale_keepalive 0.93" */
void event_line(const struct event *ev, char out[EVENT_LINE]);

#endif
