// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/agree.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/scrape.h"
#include "user/base/base.h"

#define LIMIT_MS   4000
#define POLL_MS	   100
#define SPACES_MAX 9

/* --- the kernel ------------------------------------------------------------
 */
enum { OUT_RSTS, ESTAB_RESETS, ATTEMPT_FAILS, COUNTERS };
static const char *const counter_names[COUNTERS] = {
	[OUT_RSTS] = "OutRsts",
	[ESTAB_RESETS] = "EstabResets",
	[ATTEMPT_FAILS] = "AttemptFails",
};

struct space {
	int fd;
	int64_t before[COUNTERS];
};

static struct {
	unsigned int n;
	struct space space[SPACES_MAX];
	int64_t allowed[COUNTERS];
} at_start;

/* Two lines that begin with "Tcp:": names, then values in the same order. */
static void parse_snmp(FILE *f, int64_t out[COUNTERS])
{
	char names[1024] = "", values[1024] = "", *a, *b, *name, *value;

	while (fgets(names, sizeof(names), f) && strncmp(names, "Tcp:", 4))
		;
	if (!fgets(values, sizeof(values), f))
		harness_die("no TCP counters");
	name = strtok_r(names, " \n", &a);
	value = strtok_r(values, " \n", &b);
	while (name && value) {
		for (int i = 0; i < COUNTERS; i++)
			if (!strcmp(name, counter_names[i]))
				out[i] = atoll(value);
		name = strtok_r(NULL, " \n", &a);
		value = strtok_r(NULL, " \n", &b);
	}
}

static void read_counters(int netns, int64_t out[COUNTERS])
{
	FILE *f;

	if (setns(netns, CLONE_NEWNET))
		harness_die("setns");
	f = fopen("/proc/thread-self/net/snmp", "re");
	if (!f)
		harness_die("/proc/thread-self/net/snmp");
	parse_snmp(f, out);
	fclose(f);
	if (setns(netns_home(), CLONE_NEWNET))
		harness_die("setns");
}

static struct space *space_of(int fd)
{
	for (unsigned int i = 0; i < at_start.n; i++)
		if (at_start.space[i].fd == fd)
			return &at_start.space[i];
	return NULL;
}

void agree_allow(int64_t attempts, int64_t resets)
{
	at_start.allowed[ATTEMPT_FAILS] = attempts;
	at_start.allowed[OUT_RSTS] = resets;
}

void agree_start(void)
{
	at_start.n = 0;
	agree_allow(0, 0);
	for (unsigned int i = 0; i <= netns_count(); i++) {
		struct space *s = &at_start.space[at_start.n++];

		s->fd = i ? netns_at(i - 1) : netns_home();
		read_counters(s->fd, s->before);
	}
}

/* --- the store -------------------------------------------------------------
 */
static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_established(const char *state)
{
	return !strcmp(state, "ESTABLISHED") || !strcmp(state, "CLOSE_WAIT");
}

/*
 * Differences by name. OutRsts: not the RST of a packet filter's rule.
 * EstabResets (RFC 4022): ends that left ESTABLISHED
 * or CLOSE_WAIT by a RST that came, by a timeout or by a call here; not the RST
 * that answers for a socket closed before, nor that for a port without a
 * listener. AttemptFails: connections that never were.
 */
static void count_event(const json_t *e, int64_t sum[COUNTERS])
{
	const char *kind = text_of(e, "kind");
	const char *cause = text_of(json_object_get(e, "cause"), "name");
	const char *state = text_of(json_object_get(e, "connection"), "state");
	int64_t n = json_integer_value(json_object_get(e, "count"));
	bool timeout = !strcmp(kind, "timeout");

	if (!strcmp(kind, "sent")) {
		if (strcmp(cause, "firewall_reject"))
			sum[OUT_RSTS] += n;
		if (json_is_object(json_object_get(e, "syscall")))
			sum[ESTAB_RESETS] += n;
	} else if (!strcmp(kind, "refused") ||
		   (timeout && !strncmp(state, "SYN_", 4))) {
		sum[ATTEMPT_FAILS] += n;
	} else if ((timeout || !strcmp(kind, "received")) &&
		   is_established(state)) {
		sum[ESTAB_RESETS] += n;
	}
}

static bool in_space(const json_t *event, int fd)
{
	const json_t *netns =
		json_object_get(json_object_get(event, "connection"), "netns");
	struct stat st;

	return !fstat(fd, &st) &&
	       json_integer_value(netns) == (int64_t)st.st_ino;
}

static bool agree_kernel(const json_t *events, int fd, bool say)
{
	const struct space *s = space_of(fd);
	int64_t now[COUNTERS] = {0}, sum[COUNTERS] = {0}, grown;
	bool agree = true;
	json_t *e;
	size_t i;

	read_counters(fd, now);
	json_array_foreach(events, i, e) if (in_space(e, fd))
		count_event(e, sum);
	for (int c = 0; c < COUNTERS; c++) {
		grown = now[c] - (s ? s->before[c] : 0);
		if (sum[c] <= grown && sum[c] >= grown - at_start.allowed[c])
			continue;
		agree = false;
		if (say)
			print_error("%s: %lld in the kernel, %lld in the "
				    "store\n",
				    counter_names[c], (long long)grown,
				    (long long)sum[c]);
	}
	return agree;
}

static bool agree_kernels(struct world *w, bool say)
{
	json_t *events = events_of(w);
	bool agree = agree_kernel(events, netns_home(), say);

	for (unsigned int i = 0; i < netns_count(); i++)
		agree &= agree_kernel(events, netns_at(i), say);
	json_decref(events);
	return agree;
}

/* --- the metrics -----------------------------------------------------------
 */
#define FAILURE_KINDS 5
static const char *const kinds[FAILURE_KINDS] = {"received", "sent", "refused",
						 "hangup", "timeout"};

/* Failures by kind, whose verdict is final, and all of them. */
struct counted {
	double kind[FAILURE_KINDS], all;
};

static void count_metrics(const char *text, struct counted *c)
{
	memset(c, 0, sizeof(*c));
	c->all = scrape_sum(text, "rstscope_failures_pending", "");
	for (int k = 0; k < FAILURE_KINDS; k++) {
		char label[40];

		snprintf(label, sizeof(label), "%s=\"%s\"",
			 k < 2 ? "direction" : "kind", kinds[k]);
		c->kind[k] = scrape_sum(text,
					k < 2 ? "rstscope_resets_total"
					      : "rstscope_failures_total",
					label);
		c->all += c->kind[k];
	}
}

static void count_store(struct world *w, struct counted *c)
{
	json_t *events = daemon_events(w->daemon, 0), *e;
	size_t i;

	memset(c, 0, sizeof(*c));
	json_array_foreach(events, i, e)
	{
		double n = json_integer_value(json_object_get(e, "count"));

		for (int k = 0; k < FAILURE_KINDS; k++)
			if (!strcmp(text_of(e, "kind"), kinds[k]))
				c->kind[k] += n;
		c->all += n;
	}
	json_decref(events);
}

/*
 * The daemon sees the whole machine: what is in the store lies between a scrape
 * before and one after. Of a kind, what is not final yet may be missing.
 */
static bool agree_metrics(struct world *w, bool say)
{
	char *first = scrape(daemon_listen(w->daemon)), *second;
	struct counted low, store, high;
	bool agree;

	if (!first)
		return true; /* it listens elsewhere, or wants a token */
	count_metrics(first, &low);
	free(first);
	count_store(w, &store);
	second = scrape(daemon_listen(w->daemon));
	if (!second)
		return false;
	count_metrics(second, &high);
	free(second);
	agree = low.all <= store.all && store.all <= high.all;
	for (int k = 0; k < FAILURE_KINDS; k++)
		agree &= low.kind[k] <= store.kind[k];
	if (!agree && say)
		print_error("%.0f to %.0f failures in the metrics, %.0f in "
			    "the store\n",
			    low.all, high.all, store.all);
	return agree;
}

/* Where to look for what is missing. */
static void print_metrics(struct world *w)
{
	static const char *const shown[] = {"rstscope_events_",
					    "rstscope_kernel_resets_total",
					    "rstscope_probe_missed_runs_total"};
	char *text = scrape(daemon_listen(w->daemon)), *next = NULL;

	for (char *line = text ? strtok_r(text, "\n", &next) : NULL; line;
	     line = strtok_r(NULL, "\n", &next)) {
		size_t n = strlen(line);

		if (n > 2 && !strcmp(line + n - 2, " 0"))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
			if (!strncmp(line, shown[i], strlen(shown[i])))
				print_error("%s\n", line);
	}
	free(text);
}

bool agree_at_end(struct world *w)
{
	int64_t end = harness_now_ms() + harness_ms(LIMIT_MS);
	bool late = false, agree;

	if (!w->daemon || !daemon_pid(w->daemon))
		return true;
	for (;;) {
		agree = agree_kernels(w, late);
		agree &= agree_metrics(w, late);
		if (late && !agree)
			print_metrics(w);
		if (agree || late)
			return agree;
		late = harness_now_ms() >= end;
		usleep(POLL_MS * 1000);
	}
}
