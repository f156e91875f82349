/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "user/base/base.h"
#include "user/daemon/status.h"

/* By enum rec_kind; NULL: no kind of record. */
static const char *const record_names[REC_KINDS] = {
	[REC_RECEIVED] = "received", [REC_SENT] = "sent",
	[REC_ERROR] = "error",	     [REC_HANGUP] = "hangup",
	[REC_TOLD] = "told",	     [REC_CLOSED] = "closed",
	[REC_EXIT] = "exit",	     [REC_OOM] = "oom",
	[REC_STACK] = "stack",
};

/* Text of outside origin may be no UTF-8, which JSON does not allow. */
static json_t *text(const char *s)
{
	char safe[256];

	format_safe(s ? s : "", safe, sizeof(safe));
	return json_string(safe);
}

static json_t *number(int64_t n)
{
	return n == NOT_KNOWN ? json_null() : json_integer(n);
}

static json_t *probes(const struct status *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->n_probes; i++) {
		const struct probe_status *p = &s->probes[i];

		json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:b, s:b, s:o, s:o}", "hook",
				  text(p->hook), "method", text(p->method),
				  "up", p->up, "required", p->required, "why",
				  text(p->why), "missed_runs",
				  number(p->missed_known ? (int64_t)p->missed
							 : NOT_KNOWN)));
	}
	return list;
}

static json_t *blind_spots(const struct status *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->n_blind_spots; i++)
		json_array_append_new(list, text(s->blind_spots[i].text));
	return list;
}

static json_t *counts(const struct status *s)
{
	json_t *all = json_object();
	size_t i;

	for (i = 0; i < REC_KINDS; i++) {
		const struct rec_count *c = &s->counts.kind[i];

		if (!record_names[i])
			continue;
		json_object_set_new(all, record_names[i],
				    json_pack("{s:I, s:I, s:I, s:I}", "seen",
					      (json_int_t)c->seen, "submitted",
					      (json_int_t)c->submitted,
					      "dropped", (json_int_t)c->dropped,
					      "folded", (json_int_t)c->folded));
	}
	return all;
}

static json_t *lost(const struct status *s)
{
	json_int_t ring = 0;
	size_t i;

	for (i = 0; i < REC_KINDS; i++)
		ring += s->counts.kind[i].dropped;
	return json_pack("{s:I, s:I, s:I}", "ring", ring, "queue",
			 (json_int_t)s->store.lost_queue, "store",
			 (json_int_t)s->store.lost_store);
}

static json_t *connections(const struct status *s)
{
	const uint64_t *tally = s->counts.tally;

	return json_pack("{s:I, s:I, s:I}", "client",
			 (json_int_t)tally[TALLY_ESTABLISHED_CLIENT], "server",
			 (json_int_t)tally[TALLY_ESTABLISHED_SERVER],
			 "table_full", (json_int_t)tally[TALLY_CONN_FULL]);
}

static json_t *ignored(const struct status *s)
{
	const uint64_t *tally = s->counts.tally;

	if (!s->counts.ignored_known)
		return json_null();
	return json_pack(
		"{s:I, s:I, s:I}", "out_of_window",
		(json_int_t)tally[TALLY_IGNORED_SEQUENCE], "challenged",
		(json_int_t)tally[TALLY_IGNORED_CHALLENGED], "no_socket",
		(json_int_t)tally[TALLY_IGNORED_NO_SOCKET]);
}

static json_t *processes(const struct status *s)
{
	const struct processes_stats *p = &s->processes;

	return json_pack(
		"{s:I, s:I, s:I, s:I}", "cached", (json_int_t)p->cached,
		"looked_up", (json_int_t)p->looked_up, "evicted",
		(json_int_t)p->evicted, "missed", (json_int_t)p->missed);
}

static json_t *stacks(const struct status *s)
{
	const struct stacks_stats *k = &s->stacks;

	return json_pack("{s:b, s:I, s:I, s:I, s:I}", "on", k->on, "taken",
			 (json_int_t)k->taken, "named", (json_int_t)k->named,
			 "bare", (json_int_t)k->bare, "lost",
			 (json_int_t)k->lost);
}

char *status_json(const struct status *s)
{
	json_t *all;
	char *out;

	all = json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:o}", "pid",
			(json_int_t)s->pid, "version", text(s->version),
			"revision", text(s->revision), "kernel",
			text(s->kernel), "host", text(s->host), "started_us",
			(json_int_t)s->started_us, "updated_us",
			(json_int_t)s->updated_us, "ended", s->ended, "listen",
			text(s->listen));
	if (!all)
		return NULL;
	json_object_set_new(all, "probes", probes(s));
	json_object_set_new(all, "blind_spots", blind_spots(s));
	json_object_set_new(all, "counts", counts(s));
	json_object_set_new(all, "lost", lost(s));
	json_object_set_new(all, "connections", connections(s));
	json_object_set_new(all, "ignored", ignored(s));
	json_object_set_new(all, "sockets_seeded", number(s->sockets_seeded));
	json_object_set_new(all, "processes", processes(s));
	json_object_set_new(all, "stacks", stacks(s));
	out = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(all);
	return out;
}
