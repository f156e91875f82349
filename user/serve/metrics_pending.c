/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/metrics_pending.h"
#include "user/serve/metrics_state.h"

static struct pending_row *slot(struct pending *p, int64_t id)
{
	return &p->row[(uint64_t)id % PENDING_ROWS];
}

struct pending_row *pending_find(struct pending *p, int64_t id)
{
	struct pending_row *row = slot(p, id);

	return id > 0 && row->id == id ? row : NULL;
}

struct pending_row *pending_add(struct pending *p, int64_t id)
{
	if (!p->oldest || id < p->oldest)
		p->oldest = id;
	if (id > p->newest)
		p->newest = id;
	return slot(p, id);
}

struct pending_row *pending_next_due(struct pending *p, uint64_t now_ns)
{
	for (; p->oldest && p->oldest <= p->newest; p->oldest++) {
		struct pending_row *row = slot(p, p->oldest);

		if (row->id != p->oldest || row->counted)
			continue;
		return row->due_ns <= now_ns ? row : NULL;
	}
	return NULL;
}

void pending_describe(struct pending_row *row, const struct event *ev)
{
	row->kind = ev->kind;
	row->cause = ev->verdict.cause;
	row->blame = ev->verdict.blame;
	row->retry = ev->verdict.retry;
	row->call = ev->syscall.known ? (int)ev->syscall.class : CALL_NONE;
	row->process_known = ev->process.known;
	text_copy(row->comm, sizeof(row->comm), ev->process.comm);
}
