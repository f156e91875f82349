/* SPDX-License-Identifier: Apache-2.0 */
/* The failure in the words of the program's own runtime: what its log has. */
#ifndef RSTSCOPE_WORDS_H
#define RSTSCOPE_WORDS_H

#include "user/store/event.h"

#define WORDS_TEXT 200

/*
 * As its common library for HTTP or its sockets say it; "" where the program
 * was told nothing: it sent the RST itself, or no call met the failure.
 */
void words_of(const struct event *ev, char out[WORDS_TEXT]);

#endif
