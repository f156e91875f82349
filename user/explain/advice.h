/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from a verdict: who is to blame, may it be retried, what helps.
 */
#ifndef RSTSCOPE_ADVICE_H
#define RSTSCOPE_ADVICE_H

#include "user/explain/verdict.h"
#include "user/explain/view.h"

/* Fills blame, benign, retry and fixes of v, whose cause and timer are set. */
void advise(const struct view *view, struct verdict *v);

/* The parts. */
enum blame blame_for(const struct view *view, enum cause cause);
enum retry retry_for(const struct view *view, enum cause cause);
void fixes_for(const struct view *view, struct verdict *v);

#endif
