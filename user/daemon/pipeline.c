// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/pipeline.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/daemon/describe.h"
#include "user/daemon/ends.h"
#include "user/daemon/given.h"
#include "user/daemon/oom.h"

#define PROCESSES_CAPACITY 8192

struct pipeline {
	struct pipeline_config config;
	struct join *join;
	struct processes *processes;
	struct engine *engine;
	struct fold *fold;
	int64_t next_id;
	struct oom_victims oom;
	struct pipeline_stats stats;
	uint64_t now_ns, reviewed_ns;
	struct event event; /* scratch: it is large */
};

struct pipeline *pipeline_new(const struct pipeline_config *config)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p) {
		engine_free(config->engine);
		return NULL;
	}
	p->config = *config;
	p->next_id = config->first_id > 0 ? config->first_id : 1;
	p->join = join_new(0, config->separate_netns);
	p->processes = processes_new(config->proc_root, PROCESSES_CAPACITY);
	p->engine = config->engine ? config->engine : engine_new();
	p->fold = fold_new(0);
	if (p->join && p->processes && p->engine && p->fold)
		return p;
	pipeline_free(p);
	return NULL;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	join_free(p->join);
	processes_free(p->processes);
	engine_free(p->engine);
	fold_free(p->fold);
	free(p);
}

/* --- deaths --------------------------------------------------------------- */

static void feed_exit(struct pipeline *p, const struct rec_exit *rec)
{
	int64_t time_us = record_time_us(rec->head.time_ns, p->config.context);
	struct fact_task task;

	record_task(&rec->task, &task);
	oom_mark(&p->oom, &task);
	processes_exit(p->processes, &task, time_us);
	engine_learn_exit(p->engine, &task, time_us);
}

/* --- the verdict and the event -------------------------------------------- */

static void to_event(struct pipeline *p, const struct failure *f,
		     struct event *ev)
{
	describe_event(&f->facts, p->processes, ev);
	engine_explain(p->engine, &f->facts, &ev->verdict);
	ev->id = f->event;
	snprintf(ev->host, sizeof(ev->host), "%s", p->config.host);
}

/*
 * The event stands for others too, and keeps their count; false where that is
 * no longer at hand.
 */
static bool carry_count(struct pipeline *p, struct event *ev)
{
	struct event *kept = fold_kept(p->fold, ev->id);

	if (!kept)
		return false;
	ev->count = kept->count;
	ev->last_time_us = kept->last_time_us;
	*kept = *ev;
	return true;
}

/*
 * Something about a failure that was handed over became known: `came`, or ""
 * where the history alone has grown.
 */
static void amend(struct pipeline *p, struct failure *f, const char *came)
{
	if (!f->settled || f->folded)
		return;
	to_event(p, f, &p->event);
	given_again(f, p->engine, came, &p->event.verdict);
	if (f->stands && !carry_count(p, &p->event))
		return;
	p->stats.amended++;
	p->config.on_event(&p->event, 0, p->config.ctx);
}

/* The sender's event named nobody at the other end: now it is known who. */
static void tell_sender(struct pipeline *p, struct failure *hit)
{
	struct failure *sender;

	if (hit->facts.kind != KIND_RECEIVED || !hit->settled)
		return;
	sender = join_other_end(p->join, hit);
	if (!sender || !sender->settled || sender->facts.other.known)
		return;
	ends_from_receiver(sender, hit);
	amend(p, sender, "word of the other end");
}

/* /proc is read while the process is still there: it may die before settling.
 */
static void meet(struct pipeline *p, const struct fact_task *task)
{
	if (task->pid != NOT_KNOWN && !task->exiting)
		processes_get(p->processes, task);
}

/* --- records that join a failure ------------------------------------------ */

static void feed_told(struct pipeline *p, const struct rec_told *rec)
{
	struct failure *f = join_find(p->join, rec->head.failure);
	struct facts *facts;

	if (!f) {
		join_count_unmatched(p->join);
		return;
	}
	facts = &f->facts;
	if (facts->told.pid != NOT_KNOWN &&
	    (facts->call.errno_nr != NOT_KNOWN || facts->kind == KIND_HANGUP))
		return;
	record_task(&rec->task, &facts->told);
	meet(p, &facts->told);
	record_call(&rec->task, p->config.context, &facts->call);
	if (!facts->call.known) { /* a kernel thread: NFS, iSCSI ... */
		facts->call.known = true;
		text_copy(facts->call.name, sizeof(facts->call.name), "kernel");
	}
	facts->call.class = rec->sending ? CALL_WRITE : CALL_READ;
	facts->call.errno_nr = rec->ret < 0 ? -(int64_t)rec->ret : NOT_KNOWN;
	facts->call.delay_us = NOT_KNOWN;
	if (rec->head.time_ns >= rec->failed_ns)
		facts->call.delay_us =
			(int64_t)((rec->head.time_ns - rec->failed_ns) / 1000);
	amend(p, f, "the call that was told");
	tell_sender(p, f);
}

/* Closed without having been told: that task had the socket. */
static void feed_closed(struct pipeline *p, const struct rec_told *rec)
{
	struct failure *f = join_find(p->join, rec->head.failure);

	if (!f) {
		join_count_unmatched(p->join);
		return;
	}
	if (f->facts.told.pid != NOT_KNOWN)
		return;
	if (f->facts.call.known && f->facts.call.class == CALL_CONNECT)
		return; /* connect() was told */
	record_task(&rec->task, &f->facts.owner);
	f->facts.owner.how = HOW_CLOSE;
	amend(p, f, "the call that closed it");
	tell_sender(p, f);
}

/* Which event a stack belongs to is known when its failure is settled. */
static void settle_stack(struct pipeline *p, const struct failure *f)
{
	bool own = !f->folded && !f->voided;

	if (f->stacked)
		stacks_settle(p->config.stacks, f->facts.failure,
			      own ? f->event : 0);
}

/* The first one counts: that of the call that was told. */
static void feed_stack(struct pipeline *p, const struct rec_stack *rec)
{
	struct failure *f = join_find(p->join, rec->head.failure);

	if (!f || f->stacked || f->folded || f->voided || !p->config.stacks)
		return;
	f->stacked = true;
	stacks_take(p->config.stacks, rec);
	if (f->settled)
		settle_stack(p, f);
}

static void void_false_reset(struct pipeline *p, uint64_t failure)
{
	struct failure *f = join_find(p->join, failure);

	if (!f || f->settled || f->facts.kind != KIND_RECEIVED)
		return;
	f->voided = true;
	p->stats.voided++;
}

/* A RST for a connection whose hang-up was told already: one failure. */
static bool joins_earlier(struct pipeline *p, const struct rec_failure *rec)
{
	struct failure *f;

	if (rec->head.kind != REC_RECEIVED || !(rec->flags & SOCKF_AGAIN))
		return false;
	f = join_find(p->join, rec->voids);
	return f && !f->voided && f->facts.kind == KIND_HANGUP;
}

/*
 * The peer goes on with a connection that a RST in its name had ended here: our
 * own RST answers it. A peer that had sent that RST would be silent.
 */
static void note_peer_after_rst(struct pipeline *p, const struct facts *f)
{
	struct failure *was;

	if (f->kind != KIND_SENT || f->sock_known || !f->skb_known ||
	    (f->skb_flags & TH_SYN))
		return;
	was = join_reset_before(p->join, f);
	if (!was || was->facts.peer_after_rst == TRI_YES ||
	    !ends_go_on(&was->facts, f))
		return;
	was->facts.peer_after_rst = TRI_YES;
	amend(p, was, "more of the peer, which knew of no RST");
}

static void feed_failure(struct pipeline *p, const struct rec_failure *rec)
{
	struct failure *f;

	if (rec->head.kind == REC_SENT && rec->voids)
		void_false_reset(p, rec->voids);
	if (joins_earlier(p, rec))
		return;
	f = join_new_failure(p->join);
	if (!f)
		return;
	record_facts(rec, p->config.context, &f->facts);
	oom_mark(&p->oom, &f->facts.task);
	oom_mark(&p->oom, &f->facts.closer.task);
	oom_mark(&p->oom, &f->facts.other.task);
	note_peer_after_rst(p, &f->facts);
	meet(p, &f->facts.task);
	meet(p, &f->facts.owner);
	join_add(p->join, f);
}

void pipeline_feed(struct pipeline *p, const void *record, size_t size)
{
	const struct rec_head *head = record;

	p->stats.records++;
	if (record_check(record, size)) {
		p->stats.bad_records++;
		return;
	}
	switch (head->kind) {
	case REC_TOLD:
		feed_told(p, record);
		break;
	case REC_CLOSED:
		feed_closed(p, record);
		break;
	case REC_EXIT:
		feed_exit(p, record);
		break;
	case REC_OOM:
		oom_note(&p->oom, ((const struct rec_exit *)record)->task.tgid);
		break;
	case REC_STACK:
		feed_stack(p, record);
		break;
	default:
		feed_failure(p, record);
	}
}

/* --- settling ------------------------------------------------------------- */

/* Folded: the kept event stands for it; what is measured is its own. */
static void count_folded(struct pipeline *p, struct failure *f,
			 struct event *kept)
{
	int64_t idle_ms = kept->idle_ms, age_ms = kept->age_ms;
	int64_t delay_us = kept->syscall.delay_us;

	f->folded = true;
	f->event = kept->id;
	kept->idle_ms = f->facts.idle_ms;
	kept->age_ms = f->facts.age_ms;
	kept->syscall.delay_us = f->facts.call.delay_us;
	p->config.on_folded(kept, f->facts.count, p->config.ctx);
	kept->idle_ms = idle_ms;
	kept->age_ms = age_ms;
	kept->syscall.delay_us = delay_us;
}

/*
 * Those that are folded need no verdict in words: the evidence is written for
 * the events that are kept.
 */
static void keep_or_fold(struct pipeline *p, struct failure *f, int cause)
{
	struct fold_key key;
	struct event *kept;

	fold_key_of(&f->facts, cause, &key);
	kept = fold_count(p->fold, &key, f->facts.time_us, f->facts.count);
	if (kept) {
		engine_learn(p->engine, &f->facts, &kept->verdict);
		count_folded(p, f, kept);
		return;
	}
	to_event(p, f, &p->event);
	f->settled_ns = p->now_ns;
	engine_learn(p->engine, &f->facts, &p->event.verdict);
	given_first(f, p->engine, &p->event.verdict);
	f->stands = fold_keep(p->fold, &key, &p->event);
	p->config.on_event(&p->event, f->facts.count, p->config.ctx);
}

/* --- second thoughts ------------------------------------------------------ */

/*
 * What comes later (a burst, refusals, the death of the owner, a second failure
 * with the same idle time) may change a verdict for YOUNG_NS; looked at once in
 * REVIEW_NS.
 */
#define YOUNG_NS  (30 * NSEC_PER_SEC)
#define REVIEW_NS (NSEC_PER_SEC / 2)

static void review(struct pipeline *p, struct failure *f)
{
	uint64_t stamp = engine_stamp(p->engine, &f->facts);
	double confidence;
	enum cause cause;

	if (stamp == f->stamp || f->folded || f->voided)
		return;
	f->stamp = stamp;
	cause = engine_cause(p->engine, &f->facts, &confidence);
	if (given_differs(f, cause, confidence))
		amend(p, f, "");
}

static void review_young(struct pipeline *p, enum stay stay, uint64_t now_ns)
{
	struct failure *f, *older;

	for (f = join_youngest(p->join, stay); f; f = older) {
		older = f->older;
		if (now_ns != UINT64_MAX && f->settled_ns + YOUNG_NS < now_ns)
			return;
		review(p, f);
	}
}

static void review_due(struct pipeline *p, uint64_t now_ns)
{
	if (now_ns - p->reviewed_ns < REVIEW_NS)
		return;
	p->reviewed_ns = now_ns;
	review_young(p, STAY_LONG, now_ns);
	review_young(p, STAY_BRIEFLY, now_ns);
}

static void settle(struct pipeline *p, struct failure *f, struct failure *other)
{
	double confidence;
	int cause;

	f->hit = other && f->facts.kind == KIND_SENT;
	if (f->hit)
		ends_from_receiver(f, other);
	else if (other)
		ends_from_sender(f, other,
				 engine_cause_fast(p->engine, &other->facts));
	cause = engine_cause_fast(p->engine, &f->facts);
	if (cause < 0)
		cause = (int)engine_cause(p->engine, &f->facts, &confidence);
	keep_or_fold(p, f, cause);
	f->settled = true;
	settle_stack(p, f);
}

/*
 * The sender goes first, since it settles what the receiver's event says. Where
 * the receiver is folded it has the id of another event, which is what the
 * sender's has to name.
 */
static void settle_both(struct pipeline *p, struct failure *sender,
			struct failure *hit)
{
	settle(p, sender, hit);
	settle(p, hit, sender);
	if (!hit->folded || sender->facts.other.event == NOT_KNOWN)
		return;
	sender->facts.other.event = hit->event;
	amend(p, sender, "word of the other end");
}

/* Both ends get their ids first, so that each event can name the other. */
static void settle_due(struct pipeline *p, struct failure *f)
{
	struct failure *other;

	if (f->voided) {
		settle_stack(p, f);
		join_settled(p->join, f, STAY_NOT);
		return;
	}
	other = join_other_end(p->join, f);
	if (f->event == NOT_KNOWN)
		f->event = p->next_id++;
	if (other && !other->settled) {
		if (other->event == NOT_KNOWN)
			other->event = p->next_id++;
		if (other->facts.kind == KIND_SENT)
			settle_both(p, other, f);
		else
			settle_both(p, f, other);
		join_settled(p->join, other, given_stays(other));
	} else {
		settle(p, f, other);
	}
	join_settled(p->join, f, given_stays(f));
}

void pipeline_advance(struct pipeline *p, uint64_t now_ns)
{
	struct failure *f;

	p->now_ns = now_ns;
	while ((f = join_next_due(p->join, now_ns)))
		settle_due(p, f);
	review_due(p, now_ns);
}

uint64_t pipeline_due_ns(const struct pipeline *p)
{
	return join_next_due_ns(p->join);
}

static void hand_over_folded(const struct event *ev, void *ctx)
{
	struct pipeline *p = ctx;

	p->config.on_event(ev, 0, p->config.ctx);
}

void pipeline_flush(struct pipeline *p)
{
	fold_flush(p->fold, hand_over_folded, p);
}

void pipeline_get_stats(const struct pipeline *p, struct pipeline_stats *stats)
{
	*stats = p->stats;
	join_get_stats(p->join, &stats->join);
	fold_get_stats(p->fold, &stats->fold);
	processes_get_stats(p->processes, &stats->processes);
}
