/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a verdict comes about.
 *
 * 1. What one event settles (settled.c, sent.c, other_end.c): the kernel's own
 *    reason for a RST of ours, the errno and state of a timeout, the other end
 *    where it is on this host. A table or a short decision gives the name and
 *    its confidence; a wider cause that this host knows goes before the
 *    mechanism, which stays as evidence and as the alternative.
 * 2. Everything else, received and hangup, is weighed (score.c): each cause
 *    starts with a prior in log-odds, per kind (rule_priors). Each rule is one
 *    observation; where it holds, it adds its log-odds to the causes that it
 *    speaks for or against. Rules about the same observation are split so that
 *    what is added twice is meant twice. A softmax over the candidates, of
 *    which `unknown` is one, makes shares of the sums; the largest is the
 *    verdict, the next ones the alternatives. A best share under 0.28 is
 *    called unknown.
 * 3. Confidence is that share, held below 0.8 unless a rule marked decisive
 *    spoke for the cause: one that hardly anything else can bring about.
 *
 * The weights are log likelihood ratios by estimate: 1 is weak, 2.5 strong, 5
 * close to a proof.
 */
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/advice.h"
#include "user/explain/engine.h"
#include "user/explain/history.h"
#include "user/explain/news.h"
#include "user/explain/score.h"
#include "user/explain/settled.h"
#include "user/explain/timer.h"
#include "user/explain/view.h"

#define FAST_MIN	  0.85
#define ALTERNATIVE_SHARE 0.6 /* of what the verdict leaves */

struct engine {
	struct timeouts *timeouts;
	struct history *history;
};

struct engine *engine_new(void)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->timeouts = timeouts_new();
	e->history = history_new(0);
	if (!e->timeouts || !e->history) {
		engine_free(e);
		return NULL;
	}
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	timeouts_free(e->timeouts);
	history_free(e->history);
	free(e);
}

int engine_add_timeouts(struct engine *e, const char *path, char *err,
			size_t err_size)
{
	return timeouts_add_file(e->timeouts, path, err, err_size);
}

static void fill_settled(const struct settled *s, const struct view *view,
			 struct verdict *v)
{
	v->cause = s->cause;
	v->confidence = s->confidence;
	for (unsigned int i = 0; i < s->texts; i++)
		verdict_add(v, view, s->text[i], true);
	if (!v->evidences)
		verdict_add(v, view,
			    "the state of the socket fits no known way to "
			    "send a RST",
			    true);
	if (s->instead == CAUSE_UNKNOWN || s->instead == s->cause)
		return;
	v->alternatives = 1;
	v->alternative[0].cause = s->instead;
	v->alternative[0].confidence = (1 - s->confidence) * ALTERNATIVE_SHARE;
}

void engine_explain(const struct engine *e, const struct facts *f,
		    struct verdict *v)
{
	struct settled settled = {.timer_ms = NOT_KNOWN};
	struct view view;

	memset(v, 0, sizeof(*v));
	view_init(&view, f, e->history, e->timeouts);
	if (settle(f, e->history, e->timeouts, &settled))
		fill_settled(&settled, &view, v);
	else
		score(&view, v);
	timer_fill(&view, settled.timer_ms, e->timeouts, v);
	advise(&view, v);
}

int engine_cause_fast(const struct engine *e, const struct facts *f)
{
	struct settled settled;

	if (!settle(f, e->history, e->timeouts, &settled) ||
	    settled.confidence < FAST_MIN)
		return -1;
	return (int)settled.cause;
}

enum cause engine_cause(const struct engine *e, const struct facts *f,
			double *confidence)
{
	struct settled settled;
	struct view view;

	if (settle(f, e->history, e->timeouts, &settled)) {
		*confidence = settled.confidence;
		return settled.cause;
	}
	view_init(&view, f, e->history, e->timeouts);
	return score_cause(&view, confidence);
}

uint64_t engine_stamp(const struct engine *e, const struct facts *f)
{
	return history_stamp(e->history, f);
}

void engine_news(const struct engine *e, const struct facts *f, uint64_t stamp,
		 char *text, size_t size)
{
	news_tell(e->history, f, stamp, text, size);
}

void engine_learn(struct engine *e, const struct facts *f,
		  const struct verdict *v)
{
	history_learn(e->history, f, v);
}

void engine_learn_exit(struct engine *e, const struct fact_task *task,
		       int64_t time_us)
{
	history_exit(e->history, task, time_us);
}

void engine_get_stats(const struct engine *e, struct engine_stats *stats)
{
	struct history_stats h;

	history_get_stats(e->history, &h);
	stats->places = h.places;
	stats->peers = h.peers;
	stats->evicted = h.evicted;
	stats->timeouts = timeouts_count(e->timeouts);
}
