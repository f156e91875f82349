/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/given.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NEWS_MOST 140
#define SURER	  0.05 /* what differs less is the same verdict */

static bool same(double confidence, double other)
{
	return fabs(confidence - other) < SURER;
}

bool given_differs(const struct failure *f, enum cause cause, double confidence)
{
	return (int)cause != f->cause || !same(confidence, f->confidence);
}

static void give(struct failure *f, const struct verdict *v)
{
	f->cause = (int)v->cause;
	f->confidence = v->confidence;
}

void given_first(struct failure *f, const struct engine *e,
		 const struct verdict *v)
{
	give(f, v);
	f->first_cause = f->cause;
	f->first_confidence = f->confidence;
	f->first_stamp = f->stamp = engine_stamp(e, &f->facts);
}

static void keep_news(struct failure *f, const struct engine *e,
		      const char *came)
{
	char news[NEWS_MOST], *text;

	engine_news(e, &f->facts, f->first_stamp, news, sizeof(news));
	if (!*came && !*news)
		came = "what the history no longer holds";
	if (asprintf(&text, "%s%s%s", came, *came && *news ? ", and " : "",
		     news) < 0)
		return;
	free(f->changed);
	f->changed = text;
}

void given_again(struct failure *f, const struct engine *e, const char *came,
		 struct verdict *v)
{
	struct evidence *what;

	if (given_differs(f, v->cause, v->confidence)) {
		keep_news(f, e, came);
		give(f, v);
	}
	if (!f->changed || v->evidences == VERDICT_EVIDENCE ||
	    ((int)v->cause == f->first_cause &&
	     same(v->confidence, f->first_confidence)))
		return;
	what = &v->evidence[v->evidences++];
	snprintf(what->fact, sizeof(what->fact),
		 "at first %s (%.2f); then came %s",
		 cause_name((enum cause)f->first_cause), f->first_confidence,
		 f->changed);
	what->supports = true;
}

enum stay given_stays(const struct failure *f)
{
	bool later;

	if (f->folded || f->voided)
		return STAY_NOT;
	if (f->facts.kind == KIND_SENT && f->hit && !f->facts.other.known)
		return STAY_LONG;	/* it may learn whom it hit */
	if (f->facts.kind == KIND_SENT) /* the begin of a scan */
		return f->cause == CAUSE_PORT_CLOSED ? STAY_BRIEFLY : STAY_NOT;
	later = f->facts.kind == KIND_RECEIVED ||
		f->facts.kind == KIND_HANGUP ||
		f->facts.call.errno_nr == NOT_KNOWN;
	return later ? STAY_LONG : STAY_NOT;
}
