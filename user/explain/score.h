/* SPDX-License-Identifier: Apache-2.0 */
/* Weighing the patterns: see engine.c for how. */
#ifndef RSTSCOPE_SCORE_H
#define RSTSCOPE_SCORE_H

#include "user/explain/verdict.h"
#include "user/explain/view.h"

/* Without something decisive a verdict stays below what people act on. */
#define CONFIDENCE_WEAK 0.79
#define CONFIDENCE_MOST 0.95

/* Fills cause, confidence, evidence and alternatives of v. */
void score(const struct view *view, struct verdict *v);

/* The cause and its confidence alone: no words. */
enum cause score_cause(const struct view *view, double *confidence);

/* Adds one piece of evidence, as far as there is room. */
void verdict_add(struct verdict *v, const struct view *view, const char *text,
		 bool supports);

#endif
