/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "user/base/base.h"
#include "user/cli/spread.h"
#include "user/cli/top_model.h"
#include "user/tell/groups.h"

/*
 * An event may still change for a while (later failures are folded into it, who
 * was told becomes known): those so young are read again each time, and all of
 * them now and then.
 */
#define SETTLED_US (30 * USEC_PER_SEC)
#define AGAIN_US   (60 * USEC_PER_SEC)
#define RATE_US	   (60 * USEC_PER_SEC)

const char *const top_keys[TOP_KEYS] = {
	"cause", "process", "peer", "port", "syscall",
};

struct name {
	char *text;
	UT_hash_handle hh;
};

struct seen {
	int64_t id, time_us, last_us, count;
	const struct name *name[TOP_KEYS];
};

struct top_model {
	const struct cli *cli;
	const struct group_key *key[TOP_KEYS];
	struct filter filter;
	int64_t length_us; /* of a window that moves on; NOT_KNOWN */
	int64_t read_us;   /* all before is settled; NOT_KNOWN: nothing read */
	int64_t all_read_us, end_us;
	struct connections connections;
	struct name *names;
	struct seen *seen; /* by time */
	size_t n, room;
};

const char *top_sort_name(enum top_sort sort)
{
	static const char *const names[TOP_SORTS] = {
		[TOP_BY_RATE] = "rate",
		[TOP_BY_COUNT] = "count",
		[TOP_BY_LAST] = "last",
		[TOP_BY_NAME] = "name",
	};

	return names[sort];
}

int top_new(struct top_model **out, const struct cli *cli,
	    const struct filter *filter)
{
	struct top_model *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->cli = cli;
	m->filter = *filter;
	m->read_us = m->length_us = NOT_KNOWN;
	m->connections.number = NOT_KNOWN;
	if (filter->until_us == NOT_KNOWN)
		m->length_us = cli->show.now_us - filter->since_us;
	for (size_t i = 0; i < TOP_KEYS; i++)
		m->key[i] = group_key_find(top_keys[i]);
	*out = m;
	return 0;
}

static void forget_names(struct top_model *m)
{
	struct name *name, *next;

	HASH_ITER (hh, m->names, name, next) {
		HASH_DEL(m->names, name);
		free(name->text);
		free(name);
	}
}

void top_free(struct top_model *m)
{
	if (!m)
		return;
	forget_names(m);
	free(m->seen);
	free(m);
}

/* One copy of each name, however many events have it. */
static const struct name *intern(struct top_model *m, const char *text)
{
	struct name *name;

	HASH_FIND_STR(m->names, text, name);
	if (name)
		return name;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	name->text = strdup(text);
	if (!name->text) {
		free(name);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, m->names, name->text, strlen(name->text), name);
	return name;
}

static struct seen *next_seen(struct top_model *m)
{
	size_t room = m->room ? 2 * m->room : 1024;
	struct seen *more;

	if (m->n < m->room)
		return &m->seen[m->n];
	more = reallocarray(m->seen, room, sizeof(*more));
	if (!more)
		return NULL;
	m->seen = more;
	m->room = room;
	return &m->seen[m->n];
}

static int see(const struct event *ev, void *ctx)
{
	struct top_model *m = ctx;
	struct seen *s = next_seen(m);
	char text[COLUMN_TEXT];

	if (!s)
		return -ENOMEM;
	s->id = ev->id;
	s->time_us = ev->time_us;
	s->last_us =
		ev->last_time_us > ev->time_us ? ev->last_time_us : ev->time_us;
	s->count = ev->count;
	for (size_t i = 0; i < TOP_KEYS; i++) {
		group_key_text(m->key[i], &m->cli->show, ev, text);
		s->name[i] = intern(m, text);
		if (!s->name[i])
			return -ENOMEM;
	}
	m->n++;
	return cli_stopped(m->cli);
}

/* Keeps what is in the window and settled. */
static void keep_settled(struct top_model *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->seen[i].time_us >= m->filter.since_us &&
		    m->seen[i].time_us < m->read_us)
			m->seen[kept++] = m->seen[i];
	m->n = kept;
	if (!kept)
		forget_names(m);
}

static void move_window(struct top_model *m, int64_t now_us)
{
	bool again = m->read_us == NOT_KNOWN || now_us < m->end_us ||
		     now_us - m->all_read_us >= AGAIN_US;

	m->end_us = now_us;
	if (m->length_us != NOT_KNOWN)
		m->filter.since_us = now_us - m->length_us;
	else if (m->filter.until_us < now_us)
		m->end_us = m->filter.until_us;
	if (again) {
		m->read_us = m->filter.since_us;
		m->all_read_us = now_us;
	}
	keep_settled(m);
}

int top_refresh(struct top_model *m, struct store *store, int64_t now_us,
		char *err, size_t err_size)
{
	struct filter young;
	int ret;

	move_window(m, now_us);
	young = m->filter;
	young.since_us = m->read_us;
	ret = store_query(store, &young, see, m, err, err_size);
	if (ret && ret != -EBADMSG) {
		m->read_us = NOT_KNOWN;
		return ret;
	}
	m->connections =
		connections_between(store, &m->filter, m->end_us,
				    m->n ? m->seen[0].time_us : NOT_KNOWN);
	m->read_us = m->end_us - SETTLED_US;
	if (m->read_us < m->filter.since_us)
		m->read_us = m->filter.since_us;
	return ret;
}

const struct connections *top_connections(const struct top_model *m)
{
	return &m->connections;
}

void top_window(const struct top_model *m, int64_t *since_us, int64_t *end_us)
{
	*since_us = m->filter.since_us;
	*end_us = m->end_us;
}

/* --- rows ----------------------------------------------------------------- */

static void count_recent(const struct top_model *m, const struct seen *s,
			 struct top_row *row, double *all_per_second)
{
	double recent;

	if (s->last_us <= m->end_us - TOP_SPARKS * TOP_SPARK_US)
		return;
	for (int i = 0; i < TOP_SPARKS; i++) {
		int64_t to = m->end_us - (TOP_SPARKS - 1 - i) * TOP_SPARK_US;

		row->spark[i] += s->count * spread_part(s->time_us, s->last_us,
							to - TOP_SPARK_US, to);
	}
	recent = s->count * spread_part(s->time_us, s->last_us,
					m->end_us - RATE_US, m->end_us);
	row->per_second += recent * USEC_PER_SEC / RATE_US;
	*all_per_second += recent * USEC_PER_SEC / RATE_US;
}

static void count_row(const struct seen *s, struct top_row *row)
{
	row->count += s->count;
	if (s->time_us < row->first_us)
		row->first_us = s->time_us;
	if (s->last_us > row->last_us)
		row->last_us = s->last_us;
	if (s->time_us >= row->newest_us) {
		row->newest_us = s->time_us;
		row->newest_id = s->id;
	}
}

/* Which row a name has. */
struct place {
	const struct name *name;
	struct top_row row;
	UT_hash_handle hh;
};

static struct place *place_of(struct place **places, const struct name *name)
{
	struct place *p;

	HASH_FIND_PTR(*places, &name, p);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->name = name;
	p->row.name = *name->text ? name->text : "-";
	p->row.first_us = INT64_MAX;
	p->row.last_us = p->row.newest_us = INT64_MIN;
	HASH_ADD_PTR(*places, name, p);
	return p;
}

static int compare_rows(const void *a, const void *b, void *ctx)
{
	const struct top_view *view = ctx;
	const struct top_row *x = a, *y = b;
	double dx = 0, dy = 0;

	if (view->sort == TOP_BY_RATE)
		dx = x->per_second, dy = y->per_second;
	if (view->sort == TOP_BY_LAST)
		dx = x->last_us, dy = y->last_us;
	if (dx != dy)
		return dx < dy ? 1 : -1;
	if (view->sort != TOP_BY_NAME && x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* New: not in the window before the minutes of the sparkline, or its end. */
static void mark_fresh(const struct top_model *m, struct top_row *row)
{
	int64_t length = m->end_us - m->filter.since_us, tail = length / 4;

	if (tail > TOP_SPARKS * TOP_SPARK_US)
		tail = TOP_SPARKS * TOP_SPARK_US;
	row->fresh = row->first_us > m->end_us - tail;
}

static int collect(const struct top_model *m, const struct top_view *view,
		   struct place *places, struct top_rows *rows)
{
	struct place *p, *next;

	rows->row = calloc(HASH_COUNT(places) + 1, sizeof(*rows->row));
	if (!rows->row)
		return -ENOMEM;
	HASH_ITER (hh, places, p, next) {
		if (!strcasestr(p->row.name, view->find))
			continue;
		mark_fresh(m, &p->row);
		rows->row[rows->n++] = p->row;
	}
	qsort_r(rows->row, rows->n, sizeof(*rows->row), compare_rows,
		(void *)view);
	return 0;
}

int top_make_rows(const struct top_model *m, const struct top_view *view,
		  struct top_rows *rows)
{
	struct place *places = NULL, *p, *next;
	int ret = 0;

	memset(rows, 0, sizeof(*rows));
	for (size_t i = 0; !ret && i < m->n; i++) {
		const struct seen *s = &m->seen[i];

		p = place_of(&places, s->name[view->key]);
		if (!p) {
			ret = -ENOMEM;
			break;
		}
		count_row(s, &p->row);
		count_recent(m, s, &p->row, &rows->per_second);
		rows->total += s->count;
	}
	if (!ret)
		ret = collect(m, view, places, rows);
	HASH_ITER (hh, places, p, next) {
		HASH_DEL(places, p);
		free(p);
	}
	return ret;
}

void top_spark_text(const struct top_row *row, char out[TOP_SPARK_TEXT])
{
	static const char ascii[] = "_.-=+*%#";
	bool wide = MB_CUR_MAX > 1;
	double most = 0;

	for (int i = 0; i < TOP_SPARKS; i++)
		if (row->spark[i] > most)
			most = row->spark[i];
	for (int i = 0; i < TOP_SPARKS; i++) {
		int height = most > 0 ? (int)(row->spark[i] / most * 7.99) : 0;

		if (row->spark[i] <= 0)
			*out++ = ' ';
		else if (!wide)
			*out++ = ascii[height];
		else
			out += sprintf(out, "\xe2\x96%c", 0x81 + height);
	}
	*out = '\0';
}
