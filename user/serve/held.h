/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that wait until their verdict is final (see final.h), each under its
 * id with what was last said of it; then they are handed on, once. In a storm
 * one is pushed out early by the HELD_EVENTS-th after it.
 */
#ifndef RSTSCOPE_HELD_H
#define RSTSCOPE_HELD_H

#include "user/store/event.h"

#define HELD_EVENTS 4096

struct held;
typedef void (*held_fn)(const struct event *ev, void *ctx);

/* NULL: out of memory. */
struct held *held_new(held_fn fn, void *ctx);
void held_free(struct held *h);

/*
 * `fresh`: it is new; else it is amended, which counts as long as it waits.
 * Where it cannot be kept it is handed on at once.
 */
void held_put(struct held *h, const struct event *ev, bool fresh);
/* Hands on what is final by now_ns (CLOCK_MONOTONIC; UINT64_MAX: all). */
void held_advance(struct held *h, uint64_t now_ns);

#endif
