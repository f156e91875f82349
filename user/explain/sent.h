/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a RST of this host proves by itself: the kernel's reason where it gives
 * one, else the state it left. The mechanism only; a wider cause (an idle
 * timer, a limit) is the engine's affair.
 */
#ifndef RSTSCOPE_SENT_H
#define RSTSCOPE_SENT_H

#include "user/explain/verdict.h"
#include "user/observe/facts.h"

struct sent {
	enum cause cause;
	double confidence;
	const char *text; /* evidence, with the placeholders of tell.h */
};

/* For kind sent. CAUSE_UNKNOWN with a low confidence where nothing decides. */
struct sent sent_decide(const struct facts *f);

/* The kernel's reason is `name`, written with or without "TCP_". */
bool facts_reason_is(const struct facts *f, const char *name);

#endif
