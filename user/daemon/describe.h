/* SPDX-License-Identifier: Apache-2.0 */
/* From the facts of a failure and its verdict to the event that is kept. */
#ifndef RSTSCOPE_DESCRIBE_H
#define RSTSCOPE_DESCRIBE_H

#include "user/attribute/process.h"
#include "user/store/event.h"

/*
 * Whose failure it is, best evidence first: the task that was told or acted,
 * the one that opened or closed the socket, the listener's, one found by a
 * scan. NULL: nobody is known.
 */
const struct fact_task *describe_whose(const struct facts *f, enum via *via);

/* Fills all of the event but id, host and verdict. */
void describe_event(const struct facts *f, struct processes *processes,
		    struct event *ev);

#endif
