/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of each cause, for `rstscope causes`. */
#ifndef RSTSCOPE_KNOWLEDGE_H
#define RSTSCOPE_KNOWLEDGE_H

#include "user/explain/verdict.h"

#define KNOWLEDGE_LINES 6

struct cause_info {
	const char *kinds;		      /* "received, hangup" */
	const char *summary;		      /* what happened */
	const char *told_by[KNOWLEDGE_LINES]; /* NULL-terminated */
	const char *mimics[KNOWLEDGE_LINES];
	const char *fixes[KNOWLEDGE_LINES];
};

/* Never NULL; that of `unknown` for anything else. */
const struct cause_info *cause_info(enum cause cause);

#endif
