/* SPDX-License-Identifier: Apache-2.0 */
/* Failures: pages of them, one, one as a story, those to come; the daemon. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/api_query.h"
#include "user/serve/endpoints.h"
#include "user/store/stack_text.h"
#include "user/tell/story.h"
#include "user/tell/timeline.h"

#define EVENTS_PATH "/api/v1/events/"
/* The daemon's note; see user/daemon/status.h. */
#define DAEMON_NOTE "daemon"

/* --- pages ---------------------------------------------------------------- */

/*
 * One more than fits is asked for: where it comes there is a next page, and it
 * comes first, as the store gives the oldest first.
 */
struct page {
	json_t *events; /* newest first */
	int64_t given;
	char next[API_CURSOR_TEXT]; /* of the second that was given */
};

static int add_event(const struct event *ev, void *ctx)
{
	struct page *page = ctx;

	if (page->given++ == 1)
		api_cursor(ev, page->next);
	/* fails for NULL too */
	return json_array_insert_new(page->events, 0, event_to_json(ev))
		       ? -ENOMEM
		       : 0;
}

static json_t *page_json(const struct page *page, int64_t limit)
{
	bool more = page->given > limit;

	if (more)
		json_array_remove(page->events, limit);
	return json_pack("{s:O, s:s?}", "events", page->events, "next",
			 more ? page->next : NULL);
}

void api_events(const struct http_request *request,
		struct http_response *response, void *endpoints)
{
	struct endpoints *e = endpoints;
	struct page page = {0};
	struct api_query q;
	struct store *store;
	char err[512] = "";
	int rc;

	if (!api_query_read(&q, API_TAKES_PAGE, request, response))
		return;
	store = api_take(e->api, response);
	if (!store)
		return;
	q.filter.limit++;
	page.events = json_array();
	rc = store_query(store, &q.filter, add_event, &page, err, sizeof(err));
	api_give(e->api, store);
	if (!rc || rc == -EBADMSG) /* damaged ones are left out, as by ls */
		http_json(response, page_json(&page, q.filter.limit - 1));
	else
		api_store_failed(response, rc, err);
	json_decref(page.events);
}

/* --- one ------------------------------------------------------------------ */

static json_t *moment_json(const struct moment *m)
{
	char time[40];

	moment_time(m, time, sizeof(time));
	return json_pack("{s:s, s:o, s:b, s:s}", "time", time, "ms",
			 m->timed ? json_real(m->ms) : json_null(), "failure",
			 m->failure, "text", m->text);
}

static json_t *one_json(struct store *store, const struct event *ev)
{
	json_t *json = event_to_json(ev);

	if (json)
		stack_add(store, ev->id, json);
	return json;
}

static json_t *story_json(struct store *store, const struct event *ev)
{
	json_t *moments = json_array(), *json = one_json(store, ev);
	char headline[256], often[120];
	struct timeline timeline;
	struct event other;
	bool found, counted;

	found = story_other(store, ev, &other);
	counted = !story_often(store, ev, often, sizeof(often));
	story_headline(ev, headline, sizeof(headline));
	timeline_build(&timeline, ev, found ? &other : NULL);
	for (unsigned int i = 0; i < timeline.n; i++)
		json_array_append_new(moments,
				      moment_json(&timeline.moment[i]));
	return json_pack("{s:s, s:o, s:s, s:s?, s:o}", "headline", headline,
			 "moments", moments, "retry",
			 story_retry(ev->verdict.retry), "often",
			 counted ? often : NULL, "event", json);
}

/* "ID" or "ID/story"; -EINVAL for anything else. */
static int parse_event_path(const char *text, int64_t *id, bool *story)
{
	size_t n = strcspn(text, "/");
	char number[24];

	*story = !strcmp(text + n, "/story");
	if ((text[n] && !*story) || n >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, n);
	number[n] = '\0';
	return parse_int(number, 1, INT64_MAX, id) ? -EINVAL : 0;
}

static void answer_event(struct store *store, int64_t id, bool story,
			 struct http_response *response)
{
	struct event ev;
	int rc = store_get(store, id, &ev);

	if (rc == -ENOENT)
		http_problem(response, 404,
			     "no event %lld; older ones are forgotten in time",
			     (long long)id);
	else if (rc)
		api_store_failed(response, rc, NULL);
	else
		http_json(response, story ? story_json(store, &ev)
					  : one_json(store, &ev));
}

void api_event(const struct http_request *request,
	       struct http_response *response, void *endpoints)
{
	const char *text = request->path + strlen(EVENTS_PATH);
	struct endpoints *e = endpoints;
	struct store *store;
	int64_t id;
	bool story;

	if (parse_event_path(text, &id, &story)) {
		http_problem(response, 404, "an event is %sID or %sID/story",
			     EVENTS_PATH, EVENTS_PATH);
		return;
	}
	store = api_take(e->api, response);
	if (!store)
		return;
	answer_event(store, id, story, response);
	api_give(e->api, store);
}

/* --- those to come -------------------------------------------------------- */

void api_stream_events(const struct http_request *request,
		       struct http_response *response, void *endpoints)
{
	struct endpoints *e = endpoints;
	struct stream_client *client;
	struct api_query q;
	int rc;

	if (!api_query_read(&q, 0, request, response))
		return;
	rc = e->api ? stream_join(api_stream(e->api), &q.filter,
				  request->connection, &client)
		    : -EBUSY;
	if (rc) {
		http_problem(response, 503, "%d clients are listening already",
			     STREAM_CLIENTS);
		return;
	}
	response->type = "text/event-stream";
	response->reader.read = stream_read;
	response->reader.close = stream_leave;
	response->reader.ctx = client;
}

/* --- the daemon ----------------------------------------------------------- */

static json_t *daemon_json(struct store *store)
{
	char *note = NULL;
	json_t *json = NULL;

	if (!store_get_note(store, DAEMON_NOTE, &note))
		json = json_loads(note, 0, NULL);
	free(note);
	return json ? json : json_null();
}

static json_t *size_json(int64_t bytes, int64_t events)
{
	return json_pack("{s:I, s:I}", "bytes", (json_int_t)bytes, "events",
			 (json_int_t)events);
}

void api_status(const struct http_request *request,
		struct http_response *response, void *endpoints)
{
	struct endpoints *e = endpoints;
	int64_t bytes = 0, events = 0;
	char why[256] = "";
	struct store *store;
	bool well;
	int rc;

	(void)request;
	well = !e->healthy || e->healthy(e->healthy_ctx, why, sizeof(why));
	store = api_take(e->api, response);
	if (!store)
		return;
	rc = store_size(store, &bytes, &events);
	http_json(response,
		  json_pack("{s:b, s:s?, s:o, s:o}", "healthy", well, "why",
			    well ? NULL : why, "store",
			    rc ? json_null() : size_json(bytes, events),
			    "daemon", daemon_json(store)));
	api_give(e->api, store);
}
