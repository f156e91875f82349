/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a verdict is final, for those who hear of a failure once: the counters
 * and the exports. The store shows it from the start, as it stands.
 *
 * At once where the facts settle it, else after FINAL_NS: the pipeline has
 * second thoughts for 30 s. A call that is told later still, or a timer that
 * is learned, changes it nevertheless.
 */
#ifndef RSTSCOPE_FINAL_H
#define RSTSCOPE_FINAL_H

#include "user/base/base.h"
#include "user/store/event.h"

#define FINAL_CONFIDENCE 0.9
#define FINAL_NS	 (32 * NSEC_PER_SEC)

/* Whether its verdict will not change, as far as can be told. */
static inline bool final_at_once(const struct event *ev)
{
	return ev->verdict.confidence >= FINAL_CONFIDENCE && ev->syscall.known;
}

#endif
