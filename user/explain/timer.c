/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "user/base/base.h"
#include "user/explain/timer.h"

#define LEARNED_MIN 2 /* said with their number, so that it can be judged */
#define MATCH_MIN   0.5

static bool about_idle(enum cause cause)
{
	return cause == CAUSE_STALE_KEEPALIVE || cause == CAUSE_DB_POOL_IDLE ||
	       cause == CAUSE_LB_IDLE_TIMEOUT;
}

static void set(struct view *view, struct verdict *v, double seconds,
		const char *component, bool learned)
{
	v->timeout_known = true;
	v->timeout_learned = learned;
	v->timeout_seconds = seconds;
	snprintf(v->timeout_component, sizeof(v->timeout_component), "%s",
		 component);
	view->timer_s = seconds;
	view->component = v->timeout_component;
}

static void set_learned(struct view *view, struct verdict *v,
			const struct cluster *c, const char *row)
{
	char component[sizeof(v->timeout_component)];

	if (row)
		snprintf(component, sizeof(component), "%s", row);
	else
		snprintf(component, sizeof(component),
			 "this destination, from %u failures", c->n);
	set(view, v, c->seconds, component, true);
}

static void set_row(struct view *view, struct verdict *v,
		    const struct timeout_row *row)
{
	set(view, v, row->low, row->component, false);
}

static const struct timeout_row *row_near(const struct view *view,
					  const struct timeouts *t, int64_t ms)
{
	unsigned int endings =
		1u << END_FIN | 1u << END_FIN_AFTER | 1u << END_RST;
	struct timeout_match m =
		timeouts_match(t, (double)ms / 1000, 1u << MEASURE_IDLE,
			       endings, facts_service_port(view->f));

	return m.score >= MATCH_MIN ? m.row : NULL;
}

/* An end whose moment shows the timer itself, not only that it had passed. */
static bool shows_timer(const struct view *view)
{
	return view->fin_first || (!view->solicited && view->paused);
}

static void fill_idle(struct view *view, struct verdict *v)
{
	const struct timeout_row *row = view->idle_match.score >= MATCH_MIN
						? view->idle_match.row
						: NULL;
	int64_t ms = view->waited && view->reply_ms > view->idle_ms
			     ? view->reply_ms
			     : view->idle_ms;

	if (view->past.idle.n >= LEARNED_MIN)
		set_learned(view, v, &view->past.idle,
			    row ? row->component : NULL);
	else if (row)
		set_row(view, v, row);
	else if (ms >= PAUSE_MS && (shows_timer(view) || whole_seconds(ms)))
		set(view, v, (double)ms / 1000, "not in the table, observed",
		    false);
}

static void fill_fired(struct view *view, int64_t ms, const struct timeouts *t,
		       struct verdict *v)
{
	const struct timeout_row *row = row_near(view, t, ms);

	if (row)
		set_row(view, v, row);
	else
		set(view, v, (double)ms / 1000, "not in the table, observed",
		    false);
}

static void fill_age(struct view *view, struct verdict *v)
{
	if (view->past.age.n >= LEARNED_MIN)
		set_learned(view, v, &view->past.age, NULL);
	else if (view->whole_age)
		set(view, v, (double)view->f->age_ms / 1000,
		    "not in the table, observed", false);
}

void timer_fill(struct view *view, int64_t fired_ms, const struct timeouts *t,
		struct verdict *v)
{
	if (fired_ms != NOT_KNOWN)
		fill_fired(view, fired_ms, t, v);
	else if (about_idle(v->cause))
		fill_idle(view, v);
	else if (v->cause == CAUSE_VPN_PROXY_LIMIT)
		fill_age(view, v);
	else if (v->cause == CAUSE_FIREWALL_IDLE_DROP &&
		 view->idle_match.score >= MATCH_MIN)
		set_row(view, v, view->idle_match.row);
	else if (v->cause == CAUSE_USER_TIMEOUT && view->f->user_timeout_ms > 0)
		set(view, v, (double)view->f->user_timeout_ms / 1000,
		    "TCP_USER_TIMEOUT", false);
}
