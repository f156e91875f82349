/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack of an event as it is stored and shown: a JSON array of frames,
 * innermost first, `stack` of event.schema.json.
 */
#ifndef RSTSCOPE_STACK_JSON_H
#define RSTSCOPE_STACK_JSON_H

#include <jansson.h>

#include "user/attribute/stack.h"
#include "user/store/store.h"

/* malloc'd; NULL: out of memory. */
char *stack_text(const struct stack *st);
/* The array of that event, a new reference; NULL where there is none. */
json_t *stack_of(struct store *s, int64_t id);
/* Puts it into the event's JSON, where there is one. */
void stack_add(struct store *s, int64_t id, json_t *event);

#endif
