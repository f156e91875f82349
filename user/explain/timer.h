/* SPDX-License-Identifier: Apache-2.0 */
/* Which timer a verdict is about: a known one, a learned one, one observed. */
#ifndef RSTSCOPE_TIMER_H
#define RSTSCOPE_TIMER_H

#include "user/explain/verdict.h"
#include "user/explain/view.h"

/*
 * Fills the timeout_* fields of v, and {timer} and {component} of the view.
 * fired_ms: a timer that is known to have fired, NOT_KNOWN where none is.
 */
void timer_fill(struct view *view, int64_t fired_ms, const struct timeouts *t,
		struct verdict *v);

#endif
