/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What speaks for and against each cause where a pattern has to decide: for
 * the kinds received and hangup. A row is one observation with its words and
 * the log-odds that it adds to the causes.
 */
#ifndef RSTSCOPE_RULES_H
#define RSTSCOPE_RULES_H

#include <stddef.h>

#include "user/explain/verdict.h"
#include "user/explain/view.h"

#define RULE_EFFECTS 12

#define KIND_BIT(kind) (1u << (kind))
#define ON_RECEIVED    KIND_BIT(KIND_RECEIVED)
#define ON_HANGUP      KIND_BIT(KIND_HANGUP)
#define ON_BOTH	       (ON_RECEIVED | ON_HANGUP)

struct rule {
	unsigned int kinds;
	bool (*when)(const struct view *v);
	const char *text; /* see tell(); NULL: weighs, but says nothing */
	/* Strong enough by itself to carry a verdict above CONFIDENCE_WEAK. */
	bool decisive;
	struct effect {
		enum cause cause;
		float log_odds; /* 0 ends the list */
	} effect[RULE_EFFECTS];
};

extern const struct rule rules_idle[]; /* what we came back to */
extern const size_t rules_idle_count;
extern const struct rule rules_ended[]; /* what lay idle, or took too long */
extern const size_t rules_ended_count;
extern const struct rule rules_young[]; /* new ones that were not served */
extern const size_t rules_young_count;
extern const struct rule rules_sudden[]; /* transfers broken off */
extern const size_t rules_sudden_count;
extern const struct rule rules_served[]; /* complete exchanges, probes */
extern const size_t rules_served_count;
extern const struct rule rules_death[]; /* what ends many at once */
extern const size_t rules_death_count;
extern const struct rule rules_path[]; /* what the RST looks like */
extern const size_t rules_path_count;
extern const struct rule rules_tls[]; /* handshakes */
extern const size_t rules_tls_count;

/* Log-odds before any fact, of causes that can be given to that kind. */
struct prior {
	enum cause cause;
	float received, hangup; /* NOT_A_CANDIDATE */
};
#define NOT_A_CANDIDATE (-1000.0f)
extern const struct prior rule_priors[];
extern const size_t rule_prior_count;

#endif
