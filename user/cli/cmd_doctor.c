/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope doctor: does it run, what does it see, what was lost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/base/progress.h"
#include "user/cli/checkup.h"
#include "user/cli/table.h"
#include "user/cli/text.h"
#include "user/tell/columns.h"

static bool process_alive(int64_t pid)
{
	return pid > 0 && (!kill((pid_t)pid, 0) || errno == EPERM);
}

static const char *paint(const struct cli *cli, const char *color)
{
	return cli->colored ? color : "";
}

static void print_problems(const struct cli *cli, const struct checkup *c)
{
	if (!c->problems) {
		fprintf(cli->out, "%sAll is well.%s\n", paint(cli, COLOR_GREEN),
			paint(cli, COLOR_OFF));
		return;
	}
	fprintf(cli->out, "%sNot well:%s\n", paint(cli, COLOR_RED),
		paint(cli, COLOR_OFF));
	for (unsigned int i = 0; i < c->problems; i++) {
		fputs("  ! ", cli->out);
		text_print(cli->out, cli->width, 4, c->problem[i]);
	}
}

static void print_age(const struct cli *cli, const struct checkup *c,
		      const char *name, const char *words, const char *gap)
{
	int64_t at = checkup_number(c, NULL, name);
	char age[40];

	if (at == NOT_KNOWN)
		return;
	/* Clocks of two processes: a note from "the future" is a fresh one. */
	format_duration_ms(
		cli->show.now_us > at ? (cli->show.now_us - at) / 1000 : 0, age,
		sizeof(age));
	fprintf(cli->out, "%s%s %s ago", gap, words, age);
}

static void print_daemon(const struct cli *cli, const struct checkup *c)
{
	char version[40], revision[48], kernel[80], listen[120], host[80];

	if (!c->daemon)
		return;
	checkup_text(c->daemon, "version", version, sizeof(version));
	checkup_text(c->daemon, "revision", revision, sizeof(revision));
	checkup_text(c->daemon, "kernel", kernel, sizeof(kernel));
	checkup_text(c->daemon, "host", host, sizeof(host));
	checkup_text(c->daemon, "listen", listen, sizeof(listen));
	fprintf(cli->out, "\nDaemon   %s, pid %lld, rstscoped %s (%s)\n",
		c->running ? "running" : "not running",
		(long long)checkup_number(c, NULL, "pid"), version, revision);
	fprintf(cli->out, "         host %s, kernel %s, HTTP %s\n", host,
		kernel, *listen ? listen : "off");
	print_age(cli, c, "started_us", "started", "         ");
	print_age(cli, c, "updated_us", "last note", ", ");
	fputc('\n', cli->out);
}

static int print_probes(const struct cli *cli, const struct checkup *c)
{
	static const struct table_column probe_columns[] = {
		{"PROBE", .least = 16},
		{"METHOD"},
		{"STATE"},
		{"WHY", .least = 20},
	};
	const json_t *probes = json_object_get(c->daemon, "probes"), *p;
	char hook[48], method[24], why[208];
	struct table *table;
	size_t i;
	int ret = 0;

	if (!json_array_size(probes))
		return 0;
	table = table_new(cli->out, probe_columns, ARRAY_SIZE(probe_columns),
			  cli->width, cli->colored);
	if (!table)
		return -ENOMEM;
	json_array_foreach(probes, i, p)
	{
		bool up = json_is_true(json_object_get(p, "up"));
		bool required = json_is_true(json_object_get(p, "required"));
		const char *cells[] = {hook, method, NULL, why};
		const char *colors[] = {NULL, NULL, NULL, NULL};

		checkup_text(p, "hook", hook, sizeof(hook));
		checkup_text(p, "method", method, sizeof(method));
		checkup_text(p, "why", why, sizeof(why));
		cells[2] = up ? "up" : required ? "DOWN" : "off";
		colors[2] = up	       ? COLOR_GREEN
			    : required ? COLOR_RED
				       : COLOR_YELLOW;
		ret = table_add(table, cells, colors);
		if (ret)
			break;
	}
	fputc('\n', cli->out);
	if (!ret)
		ret = table_flush(table);
	table_free(table);
	return ret;
}

static void print_blind_spots(const struct cli *cli, const struct checkup *c)
{
	const json_t *spots = json_object_get(c->daemon, "blind_spots"), *s;
	char text[256];
	size_t i;

	if (!json_array_size(spots))
		return;
	fputs("\nCannot be shown here\n", cli->out);
	json_array_foreach(spots, i, s)
	{
		format_safe(json_is_string(s) ? json_string_value(s) : "?",
			    text, sizeof(text));
		fputs("  - ", cli->out);
		text_print(cli->out, cli->width, 4, text);
	}
}

static void print_count(const struct cli *cli, const struct checkup *c,
			const char *object, const char *name, const char *words)
{
	int64_t n = checkup_number(c, object, name);

	if (n == NOT_KNOWN)
		fprintf(cli->out, "%s not known", words);
	else
		fprintf(cli->out, "%s %lld", words, (long long)n);
}

/* RSTs that came and ended nothing, as kfree_skb tells of them. */
static void print_ignored(const struct cli *cli, const struct checkup *c)
{
	if (!json_is_object(json_object_get(c->daemon, "ignored")))
		return;
	fputs("\nIgnored ", cli->out);
	print_count(cli, c, "ignored", "out_of_window",
		    " RSTs out of the window");
	print_count(cli, c, "ignored", "challenged",
		    ", challenged or at a listener");
	print_count(cli, c, "ignored", "no_socket", ", of no socket");
}

/* Runs that the kernel skipped; of a probe that is down there are none. */
static void print_missed(const struct cli *cli, const struct checkup *c)
{
	const json_t *probes = json_object_get(c->daemon, "probes"), *p;
	const char *gap = "";
	int up = 0, unknown = 0;
	char hook[48];
	size_t i;

	fputs("\nMissed   ", cli->out);
	json_array_foreach(probes, i, p)
	{
		const json_t *missed = json_object_get(p, "missed_runs");

		if (!json_is_true(json_object_get(p, "up")))
			continue;
		up++;
		unknown += !json_is_integer(missed);
		if (json_integer_value(missed) <= 0)
			continue;
		checkup_text(p, "hook", hook, sizeof(hook));
		fprintf(cli->out, "%s%lld runs of %s", gap,
			(long long)json_integer_value(missed), hook);
		gap = ", ";
	}
	if (unknown)
		fprintf(cli->out, "%snot known of %d of %d probes", gap,
			unknown, up);
	else if (!*gap)
		fputs("no run of a probe", cli->out);
}

static void print_counts(const struct cli *cli, const struct checkup *c)
{
	json_t *counts = json_object_get(c->daemon, "counts"), *count;
	const char *kind, *gap = "\nSeen     ";
	char safe[40];

	json_object_foreach(counts, kind, count)
	{
		json_int_t seen =
			json_integer_value(json_object_get(count, "seen"));

		format_safe(kind, safe, sizeof(safe));
		if (seen)
			fprintf(cli->out, "%s%s %lld", gap, safe,
				(long long)seen);
		if (seen)
			gap = ", ";
	}
	if (!c->daemon)
		return;
	fputs("\nLost     ", cli->out);
	print_count(cli, c, "lost", "ring", "in the ring");
	print_count(cli, c, "lost", "queue", ", in the queue");
	print_count(cli, c, "lost", "store", ", in the store");
	print_missed(cli, c);
	print_ignored(cli, c);
	fputs("\nOthers   ", cli->out);
	print_count(cli, c, "connections", "client", "connections made");
	print_count(cli, c, "connections", "server", ", accepted");
	print_count(cli, c, "connections", "table_full", ", not followed");
	print_count(cli, c, NULL, "sockets_seeded",
		    "; sockets older than the daemon");
	fputc('\n', cli->out);
}

static void print_stacks(const struct cli *cli, const struct checkup *c)
{
	const json_t *stacks = json_object_get(c->daemon, "stacks");

	if (!json_is_object(stacks))
		return;
	if (!json_is_true(json_object_get(stacks, "on"))) {
		fputs("Stacks   off\n", cli->out);
		return;
	}
	fputs("Stacks   on; ", cli->out);
	print_count(cli, c, "stacks", "taken", "taken");
	print_count(cli, c, "stacks", "named", ", with names");
	print_count(cli, c, "stacks", "bare", ", addresses alone");
	print_count(cli, c, "stacks", "lost", ", lost");
	fputc('\n', cli->out);
}

static void print_store(const struct cli *cli, const struct checkup *c)
{
	char size[32] = "?";

	if (c->store_bytes != NOT_KNOWN)
		format_bytes(c->store_bytes, size, sizeof(size));
	fprintf(cli->out, "Store    %s, %s", cli->store_url, size);
	if (c->store_events != NOT_KNOWN)
		fprintf(cli->out, ", %lld events", (long long)c->store_events);
	if (c->checked.whole)
		fputs("\n         checked: every page\n", cli->out);
	else
		fprintf(cli->out,
			"\n         checked: the newest %lld events (--whole: "
			"every page)\n",
			(long long)c->checked.events);
}

static json_t *number_json(int64_t n)
{
	return n == NOT_KNOWN ? json_null() : json_integer(n);
}

static int print_json(const struct cli *cli, const struct checkup *c)
{
	json_t *problems = json_array(), *all;
	int ret;

	for (unsigned int i = 0; i < c->problems; i++)
		json_array_append_new(problems, json_string(c->problem[i]));
	all = json_pack(
		"{s:b, s:o, s:b, s:O?, s:{s:s, s:o, s:o, s:{s:b, s:I}}}",
		"well", !c->problems, "problems", problems, "running",
		c->running, "daemon", c->daemon, "store", "url", cli->store_url,
		"bytes", number_json(c->store_bytes), "events",
		number_json(c->store_events), "checked", "whole",
		c->checked.whole, "events", (json_int_t)c->checked.events);
	if (!all)
		return -ENOMEM;
	ret = json_dumpf(all, cli->out, JSON_COMPACT);
	json_decref(all);
	fputc('\n', cli->out);
	return ret ? -EIO : 0;
}

static int print_all(const struct cli *cli, const struct checkup *c)
{
	int ret;

	if (cli->json)
		return print_json(cli, c);
	print_problems(cli, c);
	print_daemon(cli, c);
	ret = print_probes(cli, c);
	if (ret)
		return ret;
	print_blind_spots(cli, c);
	print_counts(cli, c);
	print_stacks(cli, c);
	print_store(cli, c);
	return 0;
}

static int set_whole(struct cli *cli, struct request *req,
		     const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->whole = true;
	return 0;
}

const struct cli_option doctor_options[] = {
	{"whole", 0, NULL,
	 "check every page of the store, not only the newest events",
	 set_whole},
	{NULL},
};

static void check_store(const struct cli *cli, struct checkup *c,
			struct store *store, bool whole)
{
	struct progress progress;

	progress_start(&progress, cli->err, "checking the store");
	checkup_store(c, store, whole);
	progress_end(&progress);
}

int cmd_doctor(struct cli *cli, struct request *req)
{
	struct store *store = NULL;
	struct checkup c;
	char host[80] = "", *note = NULL;
	int ret = cli_open_store(cli, &store);

	if (ret)
		return ret;
	ret = store_get_note(store, DAEMON_NOTE, &note);
	if (ret && ret != -ENOENT) {
		ret = cli_store_failed(cli, ret, NULL);
		store_close(store);
		return ret;
	}
	gethostname(host, sizeof(host) - 1);
	ret = checkup_daemon(&c, note, host, process_alive, cli->show.now_us);
	if (!ret) {
		check_store(cli, &c, store, req->whole);
		ret = print_all(cli, &c);
		if (!ret && c.problems)
			ret = -EIO; /* said already */
		checkup_free(&c);
	}
	free(note);
	store_close(store);
	return ret;
}
