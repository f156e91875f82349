/* SPDX-License-Identifier: Apache-2.0 */
/* How processes and failures are written for people, everywhere alike. */
#ifndef RSTSCOPE_EVENT_TEXT_H
#define RSTSCOPE_EVENT_TEXT_H

#include "user/store/event.h"

/* The call and what it was told, in one: "read ECONNRESET", "close sent RST".
 */
void event_failure_text(const struct event *ev, char *out, size_t size);
/* "node[123]" */
void event_process_text(const struct event *ev, char *out, size_t size);

/* "3.2/min": in the unit in which it is at least one. */
void event_rate_text(double per_second, char *out, size_t size);

/*
 * How far the connection had come: "syn", "no_data" (handshake done),
 * "first_request" (it or its answer is under way), "later"; "" not known.
 */
const char *event_stage(const struct event *ev);

#define COLOR_OFF     "\033[0m"
#define COLOR_DIM     "\033[2m"
#define COLOR_BOLD    "\033[1m"
#define COLOR_RED     "\033[31m"
#define COLOR_GREEN   "\033[32m"
#define COLOR_YELLOW  "\033[33m"
#define COLOR_BLUE    "\033[34m"
#define COLOR_MAGENTA "\033[35m"
#define COLOR_CYAN    "\033[36m"
/* By kind: received red, sent yellow ... */
const char *kind_color(enum failure_kind kind);

#endif
