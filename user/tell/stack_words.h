/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of an event's `stack` in words. */
#ifndef RSTSCOPE_STACK_WORDS_H
#define RSTSCOPE_STACK_WORDS_H

#include <jansson.h>
#include <stddef.h>

/* "read_answer (backend)", "libssl.so.3+0x1f2e0", "0x7f12...". */
void stack_frame_words(const json_t *frame, char *out, size_t size);
/* What is to be said of the whole; "" where nothing is. */
const char *stack_remark(const json_t *stack);

#endif
