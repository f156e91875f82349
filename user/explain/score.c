/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/rules.h"
#include "user/explain/score.h"

#define FIRED_MOST	64
#define EVIDENCE_MOST	9 /* leaves room for what the engine adds */
#define ALTERNATIVE_MIN 0.03
#define NEGLIGIBLE	20 /* log-odds behind the best: no share */
#define NAME_MIN	0.28 /* below it the best name is no better than a guess */

struct scores {
	double odds[CAUSES]; /* log-odds; NOT_A_CANDIDATE: cannot be */
	double share[CAUSES];
	bool decisive[CAUSES];
	const struct rule *fired[FIRED_MOST];
	size_t n;
};

static void start(struct scores *s, enum failure_kind kind)
{
	memset(s, 0, sizeof(*s));
	for (int i = 0; i < CAUSES; i++)
		s->odds[i] = NOT_A_CANDIDATE;
	for (size_t i = 0; i < rule_prior_count; i++)
		s->odds[rule_priors[i].cause] =
			kind == KIND_HANGUP ? rule_priors[i].hangup
					    : rule_priors[i].received;
}

static void apply(struct scores *s, const struct rule *rule)
{
	for (int i = 0; i < RULE_EFFECTS; i++) {
		const struct effect *e = &rule->effect[i];

		if (e->log_odds == 0)
			break;
		if (s->odds[e->cause] <= NOT_A_CANDIDATE)
			continue;
		s->odds[e->cause] += (double)e->log_odds;
		if (rule->decisive && e->log_odds > 0)
			s->decisive[e->cause] = true;
	}
	if (s->n < FIRED_MOST)
		s->fired[s->n++] = rule;
}

static void run(struct scores *s, const struct view *view,
		const struct rule *rule, size_t n)
{
	unsigned int kind = KIND_BIT(view->f->kind);

	for (size_t i = 0; i < n; i++)
		if ((rule[i].kinds & kind) && rule[i].when(view))
			apply(s, &rule[i]);
}

/* Softmax over the candidates; the best one. */
static enum cause share_out(struct scores *s)
{
	enum cause best = CAUSE_UNKNOWN;
	double sum = 0;

	for (int i = 0; i < CAUSES; i++)
		if (s->odds[i] > s->odds[best])
			best = (enum cause)i;
	for (int i = 0; i < CAUSES; i++) {
		if (s->odds[i] < s->odds[best] - NEGLIGIBLE)
			continue;
		s->share[i] = exp(s->odds[i] - s->odds[best]);
		sum += s->share[i];
	}
	for (int i = 0; i < CAUSES; i++)
		s->share[i] /= sum;
	return s->share[best] < NAME_MIN ? CAUSE_UNKNOWN : best;
}

static double weight_for(const struct rule *rule, enum cause cause)
{
	for (int i = 0; i < RULE_EFFECTS && rule->effect[i].log_odds != 0; i++)
		if (rule->effect[i].cause == cause)
			return (double)rule->effect[i].log_odds;
	return 0;
}

void verdict_add(struct verdict *v, const struct view *view, const char *text,
		 bool supports)
{
	struct evidence *e;

	if (!text || v->evidences == VERDICT_EVIDENCE)
		return;
	e = &v->evidence[v->evidences++];
	tell(view, text, e->fact, sizeof(e->fact));
	e->supports = supports;
}

/* The weightiest first. Where the name is unknown, all that was seen. */
static void add_evidence(struct scores *s, const struct view *view,
			 struct verdict *v)
{
	bool told[FIRED_MOST] = {false};

	while (v->evidences < EVIDENCE_MOST) {
		double best = 0;
		size_t at = s->n;

		for (size_t i = 0; i < s->n; i++) {
			double w = weight_for(s->fired[i], v->cause);

			if (v->cause == CAUSE_UNKNOWN)
				w = 1;
			if (told[i] || !s->fired[i]->text || fabs(w) <= best)
				continue;
			best = fabs(w);
			at = i;
		}
		if (at == s->n)
			break;
		told[at] = true;
		verdict_add(v, view, s->fired[at]->text,
			    v->cause == CAUSE_UNKNOWN ||
				    weight_for(s->fired[at], v->cause) > 0);
	}
	if (!v->evidences)
		verdict_add(v, view,
			    view->f->kind == KIND_HANGUP
				    ? "the peer's FIN came while an answer was "
				      "due"
				    : "a RST ended the connection; no timer, "
				      "burst or refusal goes with it",
			    true);
}

static void add_alternatives(struct scores *s, struct verdict *v)
{
	s->share[v->cause] = 0;
	while (v->alternatives < VERDICT_ALTERNATIVES) {
		int best = CAUSE_UNKNOWN;

		for (int i = 0; i < CAUSE_UNKNOWN; i++)
			if (s->share[i] > s->share[best] ||
			    (best == CAUSE_UNKNOWN && s->share[i] > 0))
				best = i;
		if (best == CAUSE_UNKNOWN || s->share[best] < ALTERNATIVE_MIN)
			return;
		v->alternative[v->alternatives].cause = (enum cause)best;
		v->alternative[v->alternatives++].confidence = s->share[best];
		s->share[best] = 0;
	}
}

static enum cause weigh(struct scores *s, const struct view *view,
			double *confidence)
{
	enum cause cause;
	double most;

	start(s, view->f->kind);
	run(s, view, rules_idle, rules_idle_count);
	run(s, view, rules_ended, rules_ended_count);
	run(s, view, rules_young, rules_young_count);
	run(s, view, rules_sudden, rules_sudden_count);
	run(s, view, rules_served, rules_served_count);
	run(s, view, rules_death, rules_death_count);
	run(s, view, rules_path, rules_path_count);
	run(s, view, rules_tls, rules_tls_count);
	cause = share_out(s);
	most = s->decisive[cause] ? CONFIDENCE_MOST : CONFIDENCE_WEAK;
	*confidence = s->share[cause] < most ? s->share[cause] : most;
	return cause;
}

enum cause score_cause(const struct view *view, double *confidence)
{
	struct scores s;

	return weigh(&s, view, confidence);
}

void score(const struct view *view, struct verdict *v)
{
	struct scores s;

	v->cause = weigh(&s, view, &v->confidence);
	add_evidence(&s, view, v);
	add_alternatives(&s, v);
}
