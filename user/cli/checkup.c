/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/checkup.h"

__attribute__((format(printf, 2, 3))) static void problem(struct checkup *c,
							  const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (c->problems == PROBLEMS_MOST)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	format_safe(text, c->problem[c->problems++], sizeof(c->problem[0]));
}

void checkup_text(const json_t *object, const char *name, char *out,
		  size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));

	format_safe(text ? text : "", out, size);
}

int64_t checkup_number(const struct checkup *c, const char *object,
		       const char *name)
{
	const json_t *in =
		object ? json_object_get(c->daemon, object) : c->daemon;
	const json_t *number = json_object_get(in, name);

	return json_is_integer(number) ? json_integer_value(number) : NOT_KNOWN;
}

static void judge_life(struct checkup *c, const char *host,
		       bool (*alive)(int64_t pid), int64_t now_us)
{
	int64_t updated = checkup_number(c, NULL, "updated_us");
	int64_t pid = checkup_number(c, NULL, "pid");
	char its_host[80], age[40];

	if (updated != NOT_KNOWN)
		c->silent_us = now_us > updated ? now_us - updated : 0;
	format_duration_ms(c->silent_us / 1000.0, age, sizeof(age));
	checkup_text(c->daemon, "host", its_host, sizeof(its_host));
	if (json_is_true(json_object_get(c->daemon, "ended")))
		problem(c, "the daemon does not run: it ended %s ago", age);
	else if (pid == NOT_KNOWN || updated == NOT_KNOWN)
		problem(c, "the daemon's note in the store is incomplete");
	else if (!strcmp(host, its_host) && !alive(pid))
		problem(c,
			"the daemon does not run: pid %lld is gone, %s after "
			"its last note",
			(long long)pid, age);
	else if (c->silent_us >= DAEMON_SILENT_US)
		problem(c, "the daemon (pid %lld) has been silent for %s",
			(long long)pid, age);
	else
		c->running = true;
}

static void judge_probes(struct checkup *c)
{
	const json_t *probes = json_object_get(c->daemon, "probes"), *p;
	char hook[48], why[160];
	size_t i;

	if (!json_array_size(probes)) {
		problem(c, "the daemon reports no probes");
		return;
	}
	json_array_foreach(probes, i, p)
	{
		if (json_is_true(json_object_get(p, "up")) ||
		    !json_is_true(json_object_get(p, "required")))
			continue;
		checkup_text(p, "hook", hook, sizeof(hook));
		checkup_text(p, "why", why, sizeof(why));
		problem(c, "required probe %s is not up%s%s", hook,
			*why ? ": " : "", why);
	}
}

static void judge_losses(struct checkup *c)
{
	static const struct {
		const char *object, *name, *words;
	} losses[] = {
		{"lost", "ring", "records were lost: the ring was full"},
		{"lost", "queue", "events were lost: the queue was full"},
		{"lost", "store", "events were lost: the store failed"},
		{"connections", "table_full",
		 "connections were not followed: their table was full"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		int64_t n = checkup_number(c, losses[i].object, losses[i].name);

		if (n > 0)
			problem(c, "%lld %s", (long long)n, losses[i].words);
	}
}

int checkup_daemon(struct checkup *c, const char *note, const char *host,
		   bool (*alive)(int64_t pid), int64_t now_us)
{
	json_error_t error;

	memset(c, 0, sizeof(*c));
	c->silent_us = c->store_bytes = c->store_events = NOT_KNOWN;
	if (!note) {
		problem(c, "no daemon has ever written to this store");
		return 0;
	}
	c->daemon = json_loads(note, 0, &error);
	if (!json_is_object(c->daemon)) {
		json_decref(c->daemon);
		c->daemon = NULL;
		problem(c, "the daemon's note in the store cannot be read");
		return 0;
	}
	judge_life(c, host, alive, now_us);
	judge_probes(c);
	judge_losses(c);
	return 0;
}

void checkup_store(struct checkup *c, struct store *store, bool whole)
{
	char err[200] = "";
	int ret = store_size(store, &c->store_bytes, &c->store_events);

	if (ret)
		problem(c, "the store's size cannot be read: %s",
			strerror(-ret));
	ret = store_check(store, whole, &c->checked, err, sizeof(err));
	if (ret)
		problem(c, "the store is damaged: %s",
			*err ? err : strerror(-ret));
}

void checkup_free(struct checkup *c)
{
	json_decref(c->daemon);
	c->daemon = NULL;
}
