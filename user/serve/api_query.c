/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/api_query.h"

#include <errno.h>
#include <string.h>

#include "user/base/base.h"

void api_query_init(struct api_query *q, unsigned int takes, int64_t now_us)
{
	memset(q, 0, sizeof(*q));
	filter_init(&q->filter);
	q->now_us = now_us;
	q->takes = takes;
	q->top = API_GROUPS;
}

static int set_key(struct api_query *q, const char *name, size_t length,
		   char *err, size_t err_size)
{
	char safe[32];

	for (const struct group_key *k = group_keys; k->name; k++) {
		if (strlen(k->name) != length || strncmp(k->name, name, length))
			continue;
		if (q->keys == GROUP_KEYS_MOST) {
			snprintf(err, err_size, "by: more than %d keys",
				 GROUP_KEYS_MOST);
			return -EINVAL;
		}
		q->key[q->keys++] = k;
		return 0;
	}
	format_safe(name, safe,
		    length < sizeof(safe) ? length + 1 : sizeof(safe));
	snprintf(err, err_size, "by: no key '%s'", safe);
	return -EINVAL;
}

static int set_by(struct api_query *q, const char *list, char *err,
		  size_t err_size)
{
	size_t length;
	int ret;

	for (;; list += length + 1) {
		length = strcspn(list, ",");
		ret = set_key(q, list, length, err, err_size);
		if (ret || !list[length])
			return ret;
	}
}

void api_cursor(const struct event *ev, char out[API_CURSOR_TEXT])
{
	snprintf(out, API_CURSOR_TEXT, "%lld-%lld", (long long)ev->time_us,
		 (long long)ev->id);
}

static int set_cursor(struct api_query *q, const char *text, char *err,
		      size_t err_size)
{
	char time[API_CURSOR_TEXT];
	const char *id = strchr(text, '-');
	int64_t before_us, before_id;

	if (id && (size_t)(id - text) < sizeof(time)) {
		snprintf(time, sizeof(time), "%.*s", (int)(id - text), text);
		if (!parse_int(time, 0, INT64_MAX, &before_us) &&
		    !parse_int(id + 1, 1, INT64_MAX, &before_id)) {
			q->filter.before_us = before_us;
			q->filter.before_id = before_id;
			return 0;
		}
	}
	snprintf(err, err_size, "cursor: not one that an answer's `next` gave");
	return -EINVAL;
}

static int set_number(const char *name, const char *value, int64_t max,
		      int64_t *out, char *err, size_t err_size)
{
	if (!parse_int(value, 1, max, out))
		return 0;
	snprintf(err, err_size, "%s: not a number of 1 to %lld", name,
		 (long long)max);
	return -EINVAL;
}

/* As HTML forms and people write a flag; -EINVAL: neither yes nor no. */
static int flag(const char *value)
{
	if (!value || !*value || !strcmp(value, "1") || !strcmp(value, "true"))
		return 1;
	return !strcmp(value, "0") || !strcmp(value, "false") ? 0 : -EINVAL;
}

static int set_benign(struct api_query *q, const char *value, char *err,
		      size_t err_size)
{
	int on = flag(value);

	if (on < 0)
		snprintf(err, err_size, "benign: true or false");
	else
		q->filter.benign = on;
	return on < 0 ? on : 0;
}

static int unknown(const char *name, char *err, size_t err_size)
{
	char safe[32];

	format_safe(name, safe, sizeof(safe));
	snprintf(err, err_size, "no parameter '%s' here", safe);
	return -EINVAL;
}

static int set_filter(struct api_query *q, const char *name, const char *value,
		      char *err, size_t err_size)
{
	char text[256];
	int ret = filter_set(&q->filter, name, value, q->now_us, text,
			     sizeof(text));

	if (ret == -ENOENT)
		return unknown(name, err, err_size);
	if (ret) /* without the dashes of the command line */
		snprintf(err, err_size, "%s",
			 text + (strncmp(text, "--", 2) ? 0 : 2));
	return ret;
}

static int note_given(struct api_query *q, const char *name, char *err,
		      size_t err_size)
{
	char safe[32];

	for (size_t i = 0; i < q->n_given; i++) {
		if (strcmp(q->given[i], name))
			continue;
		format_safe(name, safe, sizeof(safe));
		snprintf(err, err_size, "%s: given twice", safe);
		return -EINVAL;
	}
	if (q->n_given == API_PARAMETERS) {
		snprintf(err, err_size, "too many parameters");
		return -EINVAL;
	}
	q->given[q->n_given++] = name;
	return 0;
}

int api_query_set(struct api_query *q, const char *name, const char *value,
		  char *err, size_t err_size)
{
	bool page = q->takes & API_TAKES_PAGE;
	bool groups = q->takes & API_TAKES_GROUPS;
	const char *text = value ? value : "";
	int ret = note_given(q, name, err, err_size);

	if (ret)
		return ret;
	if (!strcmp(name, "benign"))
		return set_benign(q, value, err, err_size);
	if (page && !strcmp(name, "limit"))
		return set_number(name, text, API_LIMIT_MAX, &q->filter.limit,
				  err, err_size);
	if (page && !strcmp(name, "cursor"))
		return set_cursor(q, text, err, err_size);
	if (groups && !strcmp(name, "by"))
		return set_by(q, text, err, err_size);
	if (groups && !strcmp(name, "top"))
		return set_number(name, text, API_LIMIT_MAX, &q->top, err,
				  err_size);
	if (!strcmp(name, "limit"))
		return unknown(name, err, err_size);
	return set_filter(q, name, value, err, err_size);
}

void api_query_finish(struct api_query *q)
{
	filter_default_window(&q->filter, q->now_us);
	if (q->takes & API_TAKES_PAGE && q->filter.limit == NOT_KNOWN)
		q->filter.limit = API_LIMIT;
	if (!q->keys)
		q->key[q->keys++] = &group_keys[0];
}

struct reading {
	struct api_query *query;
	char err[256];
};

static int read_one(void *ctx, const char *name, const char *value)
{
	struct reading *r = ctx;

	return api_query_set(r->query, name, value, r->err, sizeof(r->err));
}

bool api_query_read(struct api_query *q, unsigned int takes,
		    const struct http_request *request,
		    struct http_response *response)
{
	struct reading r = {.query = q, .err = "a parameter holds a NUL byte"};

	api_query_init(q, takes, clock_unix_us());
	if (http_query_each(request, read_one, &r)) {
		http_problem(response, 400, "%s", r.err);
		return false;
	}
	api_query_finish(q);
	return true;
}
