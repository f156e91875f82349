/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict that was given for a failure: the first one, and the last. */
#ifndef RSTSCOPE_GIVEN_H
#define RSTSCOPE_GIVEN_H

#include "user/attribute/join.h"
#include "user/explain/engine.h"

/* Its first verdict; the engine has learned the failure. */
void given_first(struct failure *f, const struct engine *e,
		 const struct verdict *v);
/* Another verdict than the last one: it is worth an amendment. */
bool given_differs(const struct failure *f, enum cause cause,
		   double confidence);
/*
 * The verdict is given now; if another was given before, its evidence says
 * which and what changed it: `came`, or "" where the history alone has grown.
 */
void given_again(struct failure *f, const struct engine *e, const char *came,
		 struct verdict *v);

/* Whether something may still come that would change its event. */
enum stay given_stays(const struct failure *f);

#endif
