/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event in few bytes: what waits in the writer's queue and what the store
 * keeps as the event itself. struct event is 7 KB, nearly all of it room for
 * evidence; packed it is some hundred bytes.
 *
 * A version byte, then fields: a key (tag << 1 | is_bytes) and a value, either
 * a zigzag varint or a varint length with that many bytes. What is not known
 * is left out. Tags are never reused and unknown ones are skipped, so that a
 * store outlives its schema. Causes stand there by name, other enums by number
 * (asserted in event_pack.c).
 */
#ifndef RSTSCOPE_EVENT_PACK_H
#define RSTSCOPE_EVENT_PACK_H

#include "user/store/event.h"

/* Enough for any event. */
#define EVENT_PACK_MAX 8192

/*
 * Bytes written; -ENOSPC where size does not suffice, -EINVAL for an event with
 * a number that is in no enum.
 */
int event_pack(const struct event *ev, uint8_t *out, size_t size);
/*
 * The part that groups and pictures ask for, in the same form: what a walk
 * through many events reads of each. Without pid and program, evidence, advice
 * and most numbers; fields marked FIELD_BRIEF (event_fields.h), and of the
 * verdict cause, confidence, blame, benign, retry.
 */
#define EVENT_BRIEF_MAX 1024
int event_pack_brief(const struct event *ev, uint8_t *out, size_t size);
/* 0, or -EBADMSG for anything that these did not write. */
int event_unpack(struct event *ev, const uint8_t *in, size_t size);

#endif
