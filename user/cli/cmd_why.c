/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope why: one failure as a story on one screen. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/base.h"
#include "user/cli/options.h"
#include "user/cli/text.h"
#include "user/store/stack_text.h"
#include "user/tell/columns.h"
#include "user/tell/stack_words.h"
#include "user/tell/story.h"
#include "user/tell/timeline.h"
#include "user/tell/words.h"

static int set_last(struct cli *cli, struct request *req,
		    const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->last = true;
	return 0;
}

const struct cli_option why_options[] = {
	{"last", 0, NULL, "the newest event that matches FILTER", set_last},
	{NULL},
};

static const char *paint(const struct cli *cli, const char *color)
{
	return cli->colored && color ? color : "";
}

static const char *plain(const struct cli *cli)
{
	return paint(cli, COLOR_OFF);
}

/* Text that other modules made, perhaps from a process's name. */
static void print_safe(const struct cli *cli, unsigned int at, const char *text)
{
	char safe[VERDICT_TEXT + 1];

	format_safe(text, safe, sizeof(safe));
	text_print(cli->out, cli->width, at, safe);
}

static void full_time(const struct cli *cli, int64_t us, char *out, size_t size)
{
	char text[TIME_TEXT], zone[8];
	struct tm tm;

	if (cli->show.utc || !cli->show.terminal) {
		format_time_utc(us, text);
		snprintf(out, size, "%s", text);
		return;
	}
	show_split_time(us, false, &tm);
	strftime(text, sizeof(text), "%F %T", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(out, size, "%s.%06d %s", text, (int)(us % USEC_PER_SEC), zone);
}

static void print_place(const struct cli *cli, const struct event *ev)
{
	static const struct {
		const char *label;
		size_t at;
	} places[] = {
		{"unit", offsetof(struct event, process.unit)},
		{"container", offsetof(struct event, process.container)},
		{"pod", offsetof(struct event, process.pod)},
		{"program", offsetof(struct event, process.exe)},
	};
	const char *gap = "  ";
	char text[256];

	for (size_t i = 0; ev->process.known && i < ARRAY_SIZE(places); i++) {
		format_safe((const char *)ev + places[i].at, text,
			    sizeof(text));
		if (!*text)
			continue;
		fprintf(cli->out, "%s%s %s", gap, places[i].label, text);
		gap = ", ";
	}
	if (*gap == ',')
		fputc('\n', cli->out);
}

static void print_words(const struct cli *cli, const struct event *ev)
{
	char words[WORDS_TEXT];

	words_of(ev, words);
	if (*words)
		fprintf(cli->out, "  it saw  %s\n", words);
}

static void print_head(const struct cli *cli, const struct event *ev)
{
	char text[256], at[64], local[64], peer[64];

	story_headline(ev, text, sizeof(text));
	fprintf(cli->out, "%s%s%s%s\n", paint(cli, COLOR_BOLD),
		paint(cli, kind_color(ev->kind)), text, plain(cli));
	print_words(cli, ev);
	full_time(cli, ev->time_us, at, sizeof(at));
	format_safe(ev->host, text, sizeof(text));
	fprintf(cli->out, "  event %lld (%s), %s%s%s\n", (long long)ev->id,
		kind_name(ev->kind), at, *text ? ", host " : "", text);
	format_endpoint(ev->family, ev->local.ip, ev->local.port, local,
			sizeof(local));
	format_endpoint(ev->family, ev->peer.ip, ev->peer.port, peer,
			sizeof(peer));
	if (ev->srtt_us > 0)
		format_duration_ms(ev->srtt_us / 1000.0, at, sizeof(at));
	snprintf(text, sizeof(text), "our end %s (%s), peer %s%s%s", local,
		 role_name(ev->role), peer,
		 ev->srtt_us > 0 ? ", round trip " : "",
		 ev->srtt_us > 0 ? at : "");
	fputs("  ", cli->out);
	text_print(cli->out, cli->width, 2, text);
	print_place(cli, ev);
	if (ev->count > 1) {
		fprintf(cli->out, "  stands for %lld alike ones",
			(long long)ev->count);
		full_time(cli, ev->last_time_us, at, sizeof(at));
		fprintf(cli->out, "%s%s\n",
			ev->last_time_us == NOT_KNOWN ? "" : ", the last at ",
			ev->last_time_us == NOT_KNOWN ? "" : at);
	}
}

static void print_timeline(const struct cli *cli, const struct event *ev,
			   const struct event *other)
{
	struct timeline t;
	char time[40];

	timeline_build(&t, ev, other);
	fputc('\n', cli->out);
	for (unsigned int i = 0; i < t.n; i++) {
		const struct moment *m = &t.moment[i];

		moment_time(m, time, sizeof(time));
		fprintf(cli->out, "%s%14s  ",
			paint(cli, m->failure ? kind_color(ev->kind) : NULL),
			time);
		text_print(cli->out, cli->width, 16, m->text);
		if (m->failure)
			fputs(plain(cli), cli->out);
	}
}

static void print_evidence(const struct cli *cli, const struct verdict *v,
			   bool supports)
{
	for (unsigned int i = 0; i < v->evidences && i < VERDICT_EVIDENCE;
	     i++) {
		if (v->evidence[i].supports != supports)
			continue;
		fprintf(cli->out, "  %s%c%s ",
			paint(cli, supports ? COLOR_GREEN : COLOR_RED),
			supports ? '+' : '-', plain(cli));
		print_safe(cli, 4, v->evidence[i].fact);
	}
}

static void print_verdict(const struct cli *cli, const struct verdict *v)
{
	char part[sizeof(v->timeout_component)];

	fprintf(cli->out, "\nVerdict  %s%s%s, confidence %.2f, blame %s%s\n",
		paint(cli, COLOR_BOLD), cause_name(v->cause), plain(cli),
		v->confidence, blame_name(v->blame),
		v->benign ? ", benign (nothing was lost)" : "");
	if (v->timeout_known) {
		format_safe(v->timeout_component, part, sizeof(part));
		fprintf(cli->out, "  timer: %g s%s%s%s\n", v->timeout_seconds,
			*part ? ", " : "", part,
			v->timeout_learned ? ", learned from this destination"
					   : "");
	}
	print_evidence(cli, v, true);
	print_evidence(cli, v, false);
	if (!v->alternatives)
		return;
	fputs("  or perhaps: ", cli->out);
	for (unsigned int i = 0; i < v->alternatives; i++)
		fprintf(cli->out, "%s%s %.2f", i ? ", " : "",
			cause_name(v->alternative[i].cause),
			v->alternative[i].confidence);
	fputc('\n', cli->out);
}

static void print_advice(const struct cli *cli, const struct verdict *v)
{
	fputs("\nRetry    ", cli->out);
	text_print(cli->out, cli->width, 9, story_retry(v->retry));
	for (unsigned int i = 0; i < v->fixes && i < VERDICT_FIXES; i++) {
		fputs(i ? "         " : "Change   ", cli->out);
		print_safe(cli, 9, v->fix[i]);
	}
}

static void print_often(const struct cli *cli, struct store *store,
			const struct event *ev)
{
	char text[120];

	/* a reader's hiccup does not spoil the story */
	if (!story_often(store, ev, text, sizeof(text)))
		fprintf(cli->out, "Often    %s\n", text);
}

static void print_stack(const struct cli *cli, struct store *store, int64_t id)
{
	json_t *stack = stack_of(store, id), *frame;
	char words[512];
	size_t i;

	if (!stack)
		return;
	fputs("\nCalled from\n", cli->out);
	json_array_foreach(stack, i, frame)
	{
		stack_frame_words(frame, words, sizeof(words));
		fputs("  ", cli->out);
		text_print(cli->out, cli->width, 4, words);
	}
	if (*stack_remark(stack))
		fprintf(cli->out, "  (%s)\n", stack_remark(stack));
	json_decref(stack);
}

static int print_json(const struct cli *cli, struct store *store,
		      const struct event *ev)
{
	json_t *json = event_to_json(ev);
	char *line;

	if (json)
		stack_add(store, ev->id, json);
	line = event_json_line(json);
	json_decref(json);
	if (!line)
		return -ENOMEM;
	fputs(line, cli->out);
	free(line);
	return 0;
}

int why_tell(const struct cli *cli, struct store *store, const struct event *ev)
{
	struct event other;
	bool found;

	if (cli->json)
		return print_json(cli, store, ev);
	found = story_other(store, ev, &other);
	print_head(cli, ev);
	print_timeline(cli, ev, found ? &other : NULL);
	print_stack(cli, store, ev->id);
	print_verdict(cli, &ev->verdict);
	print_advice(cli, &ev->verdict);
	print_often(cli, store, ev);
	return 0;
}

static int keep(const struct event *ev, void *ctx)
{
	*(struct event *)ctx = *ev;
	return 0;
}

static int find_last(struct cli *cli, struct store *store, struct request *req,
		     struct event *ev)
{
	char err[512] = "";
	int ret;

	filter_default_window(&req->filter, cli->show.now_us);
	req->filter.limit = 1;
	ev->id = 0;
	ret = store_query(store, &req->filter, keep, ev, err, sizeof(err));
	if (ret)
		return cli_store_failed(cli, ret, err);
	if (ev->id)
		return 0;
	cli_error(cli, "no event matches%s%s",
		  req->filter.benign ? "" : " (benign ones: --benign)",
		  "; --since 1d looks further back");
	return -ENOENT;
}

static int find_id(struct cli *cli, struct store *store, int64_t id,
		   struct event *ev)
{
	int ret = store_get(store, id, ev);

	if (ret == -ENOENT)
		cli_error(cli, "no event %lld", (long long)id);
	else if (ret)
		return cli_store_failed(cli, ret, NULL);
	return ret;
}

int cmd_why(struct cli *cli, struct request *req)
{
	struct store *store = NULL;
	struct event ev;
	int64_t id = 0;
	int ret;

	if (req->last == (req->argc > 0))
		return cli_usage(cli, "give the ID of an event, or --last");
	if (!req->last && req->filter_set)
		return cli_usage(cli,
				 "FILTER goes with --last, not with an ID");
	if (!req->last && parse_int(req->argv[0], 1, INT64_MAX, &id))
		return cli_usage(cli, "'%s' is no ID", req->argv[0]);
	ret = cli_open_store(cli, &store);
	if (ret)
		return ret;
	event_init(&ev);
	ret = req->last ? find_last(cli, store, req, &ev)
			: find_id(cli, store, id, &ev);
	if (!ret)
		ret = why_tell(cli, store, &ev);
	store_close(store);
	return ret;
}
