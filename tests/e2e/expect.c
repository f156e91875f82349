// SPDX-License-Identifier: Apache-2.0
/*
 * Assertions about events. An event is looked for until it is there as wanted:
 * it may come first without the call that is told of the failure later. One
 * that was taken by an expectation is not found again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/agree.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/net.h"
#include "tests/unit/schema_check.h"

#define EXPECT_LIMIT_MS 5000
#define SETTLE_MS	600
#define POLL_MS		60
#define TAKEN_MAX	256
#define NAMESPACES_MAX	16

static struct {
	unsigned int n;
	int64_t id[TAKEN_MAX];
} taken;

/* --- which events are the test's -------------------------------------------
 */
/* The namespaces of the test: all descriptors of one that we hold open. */
struct scope {
	bool all;
	unsigned int n;
	int64_t netns[NAMESPACES_MAX];
};

static bool in_scope(const struct scope *s, const json_t *event)
{
	const json_t *netns =
		json_object_get(json_object_get(event, "connection"), "netns");

	if (s->all || !json_is_integer(netns))
		return true;
	for (unsigned int i = 0; i < s->n; i++)
		if (json_integer_value(netns) == s->netns[i])
			return true;
	return false;
}

static void scope_add(struct scope *s, int fd)
{
	struct stat st;

	if (fd >= 0 && s->n < NAMESPACES_MAX && !fstat(fd, &st))
		s->netns[s->n++] = st.st_ino;
}

static struct scope scope_of(const struct world *w)
{
	struct scope s = {.all = w->all_netns};

	scope_add(&s, netns_home());
	for (unsigned int i = 0; i < netns_count(); i++)
		scope_add(&s, netns_at(i));
	return s;
}

static bool is_taken(const json_t *event)
{
	int64_t id = json_integer_value(json_object_get(event, "id"));

	for (unsigned int i = 0; i < taken.n; i++)
		if (taken.id[i] == id)
			return true;
	return false;
}

json_t *events_of(struct world *w)
{
	struct scope scope = scope_of(w);
	json_t *all = daemon_events(w->daemon, w->first_id), *own, *event;
	size_t i;

	if (!all)
		harness_die("no events to be had");
	own = json_array();
	json_array_foreach(all, i, event) if (in_scope(&scope, event))
		json_array_append(own, event);
	json_decref(all);
	return own;
}

/* Those that no expectation has taken. */
static json_t *events_left(struct world *w)
{
	json_t *own = events_of(w), *left = json_array(), *event;
	size_t i;

	json_array_foreach(own, i, event) if (!is_taken(event))
		json_array_append(left, event);
	json_decref(own);
	return left;
}

/* --- one event -------------------------------------------------------------
 */
/* The first thing that does not fit, in words. */
struct misfit {
	unsigned int fits; /* what fitted before it: the closest one is shown */
	char what[160];
};

static bool fits_text(struct misfit *m, const char *name, const json_t *value,
		      const char *want)
{
	const char *have = json_string_value(value);

	if (want == ANY || (!want && (!value || json_is_null(value))) ||
	    (want && have && !strcmp(want, have))) {
		m->fits++;
		return true;
	}
	snprintf(m->what, sizeof(m->what), "%s is %s, not %s", name,
		 have ? have : "null", want ? want : "null");
	return false;
}

/* NULL: not looked at. */
static bool fits_if(struct misfit *m, const char *name, const json_t *value,
		    const char *want)
{
	return !want || fits_text(m, name, value, want);
}

static bool fits_number(struct misfit *m, const char *name, const json_t *value,
			int64_t want)
{
	if (!want ||
	    (json_is_integer(value) && json_integer_value(value) == want)) {
		m->fits++;
		return true;
	}
	snprintf(m->what, sizeof(m->what), "%s is %lld%s, not %lld", name,
		 (long long)json_integer_value(value),
		 json_is_integer(value) ? "" : " (null)", (long long)want);
	return false;
}

static bool fits_null(struct misfit *m, const char *name, const json_t *value)
{
	if (!value || json_is_null(value)) {
		m->fits++;
		return true;
	}
	snprintf(m->what, sizeof(m->what), "%s is not null", name);
	return false;
}

static bool fits_process(struct misfit *m, const json_t *event,
			 const struct want *want)
{
	const json_t *p = json_object_get(event, "process");
	const char *comm = want->comm;

	if (want->any_process)
		return true;
	if (!want->by && !want->pid && !comm)
		return fits_null(m, "process", p);
	if (!comm)
		comm = want->by ? actor_comm(want->by) : ANY;
	return fits_number(m, "process.pid", json_object_get(p, "pid"),
			   want->by ? actor_pid(want->by) : want->pid) &&
	       fits_text(m, "process.comm", json_object_get(p, "comm"), comm) &&
	       fits_if(m, "process.via", json_object_get(p, "via"), want->via);
}

static bool fits_syscall(struct misfit *m, const json_t *event,
			 const struct want *want)
{
	const json_t *s = json_object_get(event, "syscall");

	if (want->class == ANY && !want->call)
		return true;
	if (!want->class)
		return fits_null(m, "syscall", s);
	return fits_text(m, "syscall.class", json_object_get(s, "class"),
			 want->class) &&
	       fits_text(m, "syscall.name", json_object_get(s, "name"),
			 want->call) &&
	       fits_text(m, "syscall.errno", json_object_get(s, "errno"),
			 want->error);
}

static bool fits_other(struct misfit *m, const json_t *event,
		       const struct want *want)
{
	const json_t *o = json_object_get(event, "other_end");

	if (want->any_other)
		return true;
	if (!want->other && !want->other_pid)
		return fits_null(m, "other_end", o);
	return fits_number(m, "other_end.pid", json_object_get(o, "pid"),
			   want->other ? actor_pid(want->other)
				       : want->other_pid);
}

static bool fits_connection(struct misfit *m, const json_t *event,
			    const struct want *want)
{
	const json_t *c = json_object_get(event, "connection");

	return fits_if(m, "connection.role", json_object_get(c, "role"),
		       want->role) &&
	       fits_if(m, "connection.state", json_object_get(c, "state"),
		       want->state) &&
	       fits_number(m, "connection.unread_bytes",
			   json_object_get(c, "unread_bytes"), want->unread);
}

static bool fits(const struct world *w, const json_t *event,
		 const struct want *want, struct misfit *m)
{
	const json_t *cause = json_object_get(event, "cause");
	const json_t *c = json_object_get(event, "connection");

	memset(m, 0, sizeof(*m));
	return fits_text(m, "kind", json_object_get(event, "kind"),
			 want->kind) &&
	       fits_text(m, "connection.family", json_object_get(c, "family"),
			 w->family == AF_INET ? "ipv4" : "ipv6") &&
	       fits_process(m, event, want) && fits_syscall(m, event, want) &&
	       fits_connection(m, event, want) && fits_other(m, event, want) &&
	       fits_if(m, "kernel_reason",
		       json_object_get(event, "kernel_reason"), want->reason) &&
	       fits_if(m, "cause.name", json_object_get(cause, "name"),
		       want->cause) &&
	       fits_number(m, "count", json_object_get(event, "count"),
			   want->count);
}

/* --- expectations ----------------------------------------------------------
 */
static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static long number_of(const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);

	return json_is_integer(number) ? json_integer_value(number) : -1;
}

/* What tests look at, on one line; -1 and - stand for null. */
static void print_event(const json_t *e)
{
	const json_t *p = json_object_get(e, "process");
	const json_t *s = json_object_get(e, "syscall");
	const json_t *c = json_object_get(e, "connection");
	const json_t *o = json_object_get(e, "other_end");
	const json_t *cause = json_object_get(e, "cause");

	fprintf(stderr,
		"    %ld %s x%ld: %ld %s (%s); %s %s %s; %ld > %ld %s %s "
		"unread %ld, %s; other %ld %s: %s; %s %.2f\n",
		number_of(e, "id"), text_of(e, "kind"), number_of(e, "count"),
		number_of(p, "pid"), text_of(p, "comm"), text_of(p, "via"),
		text_of(s, "class"), text_of(s, "name"), text_of(s, "errno"),
		number_of(json_object_get(c, "local"), "port"),
		number_of(json_object_get(c, "peer"), "port"),
		text_of(c, "role"), text_of(c, "state"),
		number_of(c, "unread_bytes"), text_of(e, "kernel_reason"),
		number_of(o, "pid"), text_of(o, "comm"), text_of(o, "did"),
		text_of(cause, "name"),
		json_number_value(json_object_get(cause, "confidence")));
}

static void print_events(const json_t *events)
{
	size_t i;
	json_t *event;

	json_array_foreach(events, i, event) print_event(event);
}

static void print_failure(struct world *w, const struct want *want,
			  const struct misfit *closest, const json_t *left)
{
	print_error("no %s event as wanted; the closest: %s\n", want->kind,
		    closest->what[0] ? closest->what : "there is none");
	print_error("not taken so far: %zu\n", json_array_size(left));
	print_events(left);
	daemon_print_log(w->daemon);
}

/* The event that fits, a new reference; or NULL with the closest misfit. */
static json_t *find(struct world *w, const json_t *left,
		    const struct want *want, struct misfit *closest)
{
	struct misfit m;
	json_t *event;
	size_t i;

	memset(closest, 0, sizeof(*closest));
	json_array_foreach(left, i, event)
	{
		if (fits(w, event, want, &m))
			return json_incref(event);
		if (m.fits >= closest->fits)
			*closest = m;
	}
	return NULL;
}

void expect_schema_at(const json_t *event, const char *file, int line)
{
	static json_t *schema;
	struct schema_check check;

	if (!schema)
		schema = json_load_file(SCHEMA_FILE, 0, NULL);
	if (!schema)
		harness_die("%s: run this where it can be read", SCHEMA_FILE);
	if (schema_ok(&check, schema, event))
		return;
	print_error("not as event.schema.json says: %s\n", check.err);
	_fail(file, line);
}

int64_t expect_at(struct world *w, const struct want *want, const char *file,
		  int line)
{
	int64_t end = harness_now_ms() + harness_ms(EXPECT_LIMIT_MS), id;
	struct misfit closest;
	json_t *left, *event;

	for (;;) {
		left = events_left(w);
		event = find(w, left, want, &closest);
		if (event || harness_now_ms() >= end)
			break;
		json_decref(left);
		usleep(POLL_MS * 1000);
	}
	if (!event) {
		print_failure(w, want, &closest, left);
		_fail(file, line);
	}
	expect_schema_at(event, file, line);
	id = json_integer_value(json_object_get(event, "id"));
	if (taken.n == TAKEN_MAX)
		harness_die("too many events in one test");
	taken.id[taken.n++] = id;
	json_decref(event);
	json_decref(left);
	return id;
}

void expect_again(int64_t id)
{
	for (unsigned int i = 0; i < taken.n; i++)
		if (taken.id[i] == id)
			taken.id[i] = taken.id[--taken.n];
}

void expect_start(struct world *w)
{
	taken.n = 0;
	w->first_id = w->daemon ? daemon_last_id(w->daemon) : 0;
	agree_start();
}

struct daemon *own_daemon(struct world *w, const char *const more[])
{
	w->daemon = daemon_start(more);
	if (!w->daemon)
		harness_die("a daemon of the test's own");
	harness_defer((void (*)(void *))daemon_free, w->daemon);
	expect_start(w);
	return w->daemon;
}

struct actor *one_reset(struct world *w, int64_t *id)
{
	struct pair p = pair_new(w->family);
	int64_t found;

	act(p.server, do_linger, p.s);
	act(p.server, do_close, p.s);
	assert_int_equal(act(p.client, do_read, p.c, 10), -ECONNRESET);
	found = expect(w, .kind = "received", .by = p.client, .class = "read",
		       .call = "read", .error = "ECONNRESET",
		       .cause = "linger_zero", .other = p.server);
	expect(w, .kind = "sent", .by = p.server, .class = "close",
	       .call = "close", .cause = "linger_zero", .other = p.client);
	if (id)
		*id = found;
	return p.client;
}

void expect_nothing_else_at(struct world *w, const char *file, int line)
{
	json_t *left;

	harness_sleep(SETTLE_MS);
	left = events_left(w);
	if (json_array_size(left)) {
		print_error("%zu more than should have been reported:\n",
			    json_array_size(left));
		print_events(left);
		_fail(file, line);
	}
	json_decref(left);
}

void expect_late_segments_at_most(struct world *w)
{
	json_t *left, *event;
	size_t i;

	harness_sleep(1000);
	left = events_left(w);
	json_array_foreach(left, i, event)
	{
		const char *kind = "", *cause = "";

		json_unpack(event, "{s:s, s:{s:s}}", "kind", &kind, "cause",
			    "name", &cause);
		assert_string_equal(kind, "sent");
		assert_string_equal(cause, "late_data");
	}
	json_decref(left);
}

json_t *event_now(struct world *w, int64_t id)
{
	json_t *all = daemon_events(w->daemon, id - 1), *event, *found = NULL;
	size_t i;

	json_array_foreach(
		all, i,
		event) if (json_integer_value(json_object_get(event, "id")) ==
			   id) found = json_incref(event);
	json_decref(all);
	if (!found)
		harness_die("event %lld is gone", (long long)id);
	return found;
}
