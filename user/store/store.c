/* SPDX-License-Identifier: Apache-2.0 */
/* From a URL to an engine, and from the calls of store.h to it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/store/backend.h"
#include "user/store/event_pack.h"

#define SQLITE_SCHEME "sqlite:"

int store_fail(char *err, size_t err_size, int nr, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err, err_size, fmt, args);
	va_end(args);
	return -nr;
}

/* "name:" at the start of a URL; a path has no colon before its first '/'. */
static bool has_scheme(const char *url)
{
	size_t n = strcspn(url, ":/");

	return n > 1 && url[n] == ':';
}

int store_open(struct store **out, const char *url, enum store_mode mode,
	       char *err, size_t err_size)
{
	const char *path = url;

	if (!strncmp(url, SQLITE_SCHEME, strlen(SQLITE_SCHEME)))
		path = url + strlen(SQLITE_SCHEME);
	else if (has_scheme(url))
		return store_fail(err, err_size, EPROTONOSUPPORT,
				  "store %s: this build has no such engine "
				  "(it has sqlite:PATH)",
				  url);
	/* "sqlite:///var/..." is what other programs write. */
	if (!strncmp(path, "///", 3))
		path += 2;
	if (!*path)
		return store_fail(err, err_size, EINVAL,
				  "store %s: the path is missing", url);
	return sqlite_store_open(out, path, mode, err, err_size);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

int store_last_id(struct store *s, int64_t *id)
{
	return s->ops->last_id(s, id);
}

int store_put(struct store *s, const struct event *const *events, size_t n,
	      char *err, size_t err_size)
{
	struct store_packed *packed = calloc(n ? n : 1, sizeof(*packed));
	uint8_t *bytes = malloc((n ? n : 1) * EVENT_PACK_MAX);
	int ret = -ENOMEM;

	for (size_t i = 0; packed && bytes && i < n; i++) {
		uint8_t *at = bytes + i * EVENT_PACK_MAX;

		ret = event_pack(events[i], at, EVENT_PACK_MAX);
		if (ret < 0)
			goto cleanup;
		packed[i].data = at;
		packed[i].size = (size_t)ret;
	}
	if (packed && bytes)
		ret = store_put_packed(s, packed, n, err, err_size);
	else
		snprintf(err, err_size, "store: out of memory");
cleanup:
	free(packed);
	free(bytes);
	return ret;
}

int store_put_packed(struct store *s, const struct store_packed *events,
		     size_t n, char *err, size_t err_size)
{
	return s->ops->put(s, events, n, err, err_size);
}

int store_sync(struct store *s)
{
	return s->ops->sync(s);
}

int store_query(struct store *s, const struct filter *f, store_event_fn fn,
		void *ctx, char *err, size_t err_size)
{
	return s->ops->query(s, f, fn, ctx, err, err_size);
}

int store_scan(struct store *s, const struct filter *f, store_event_fn fn,
	       void *ctx, char *err, size_t err_size)
{
	return s->ops->scan(s, f, fn, ctx, err, err_size);
}

int store_get(struct store *s, int64_t id, struct event *ev)
{
	return s->ops->get(s, id, ev);
}

int store_get_stack(struct store *s, int64_t id, char **text)
{
	return s->ops->get_stack(s, id, text);
}

int store_count(struct store *s, const struct filter *f, int64_t *rows,
		int64_t *events)
{
	return s->ops->count(s, f, rows, events);
}

int store_prune(struct store *s, int64_t now_us, int64_t max_age_s,
		int64_t max_bytes, int64_t *deleted)
{
	return s->ops->prune(s, now_us, max_age_s, max_bytes, deleted);
}

int store_size(struct store *s, int64_t *bytes, int64_t *events)
{
	return s->ops->size(s, bytes, events);
}

int store_set_note(struct store *s, const char *key, const char *text)
{
	return s->ops->set_note(s, key, text);
}

int store_get_note(struct store *s, const char *key, char **text)
{
	return s->ops->get_note(s, key, text);
}

int store_put_connections(struct store *s, const struct store_connections *c)
{
	return s->ops->put_connections(s, c);
}

int store_count_connections(struct store *s, int64_t since_us, int64_t until_us,
			    struct store_share *out)
{
	return s->ops->count_connections(s, since_us, until_us, out);
}

int store_check(struct store *s, bool whole, struct store_checked *checked,
		char *err, size_t err_size)
{
	return s->ops->check(s, whole, checked, err, err_size);
}
