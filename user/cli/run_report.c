/* SPDX-License-Identifier: Apache-2.0 */
#include "user/cli/run_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/text.h"
#include "user/tell/event_text.h"
#include "user/tell/story.h"
#include "user/tell/words.h"

#define GROUPS_MOST   20
#define EVIDENCE_MOST 3
#define FIXES_MOST    2
#define INDENT	      11

/* What alike failures share; the client's own port never counts. Zero it
 * first. */
struct key {
	char comm[REC_COMM + 1];
	uint8_t family, role, pad;
	uint16_t port; /* the service's */
	uint16_t pad2;
	int32_t kind, class, errno_nr, cause;
	uint8_t peer_ip[16];
};

struct alike {
	struct key key;
	int64_t count, id; /* id: the surest of them */
	int64_t pid;
	double confidence;
	bool several; /* processes */
};

struct tally {
	struct alike *groups;
	size_t n;
	int64_t failed, reset;
};

static void key_of(const struct event *ev, struct key *key)
{
	memset(key, 0, sizeof(*key));
	text_copy(key->comm, sizeof(key->comm), ev->process.comm);
	key->family = ev->family;
	key->role = ev->role;
	key->port = ev->role == ROLE_SERVER ? ev->local.port : ev->peer.port;
	key->kind = ev->kind;
	key->class = ev->syscall.known ? (int32_t)ev->syscall.class : -1;
	key->errno_nr = ev->syscall.known ? (int32_t)ev->syscall.errno_nr : -1;
	key->cause = ev->verdict.cause;
	memcpy(key->peer_ip, ev->peer.ip, sizeof(key->peer_ip));
}

static struct alike *group_of(struct tally *t, const struct key *key)
{
	struct alike *more;

	for (size_t i = 0; i < t->n; i++)
		if (!memcmp(&t->groups[i].key, key, sizeof(*key)))
			return &t->groups[i];
	more = reallocarray(t->groups, t->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	t->groups = more;
	more += t->n++;
	memset(more, 0, sizeof(*more));
	more->key = *key;
	more->confidence = -1;
	return more;
}

static int count(struct tally *t, const struct event *ev)
{
	struct alike *g;
	struct key key;

	key_of(ev, &key);
	g = group_of(t, &key);
	if (!g)
		return -ENOMEM;
	g->several |= g->count && g->pid != ev->process.pid;
	g->pid = ev->process.pid;
	g->count += ev->count;
	if (ev->kind == KIND_SENT)
		t->reset += ev->count;
	else
		t->failed += ev->count;
	if (ev->verdict.confidence > g->confidence) {
		g->confidence = ev->verdict.confidence;
		g->id = ev->id;
	}
	return 0;
}

/* A RST whose other end is the command's, too: told from there. */
static bool told_by_other_end(const struct kept *kept, const struct event *ev)
{
	struct event other;

	return ev->kind == KIND_SENT && ev->other_known &&
	       kept_get(kept, ev->other_event, &other);
}

static void print_head(const struct cli *cli, const struct alike *g,
		       const struct event *ev)
{
	char who[80], peer[64];

	event_process_text(ev, who, sizeof(who));
	if (g->several)
		who[strcspn(who, "[")] = '\0';
	if (ev->role == ROLE_SERVER)
		format_ip(ev->family, ev->peer.ip, peer);
	else
		format_endpoint(ev->family, ev->peer.ip, ev->peer.port, peer,
				sizeof(peer));
	fprintf(cli->out, "\n%s%s%s%s %s %s", cli->colored ? COLOR_BOLD : "",
		cli->colored ? kind_color(ev->kind) : "", who,
		cli->colored ? COLOR_OFF : "",
		ev->role == ROLE_SERVER ? "from" : "to", peer);
	if (ev->role == ROLE_SERVER)
		fprintf(cli->out, " on port %u", ev->local.port);
	if (g->count > 1)
		fprintf(cli->out, ", %lld times", (long long)g->count);
	fputc('\n', cli->out);
}

static void print_line(const struct cli *cli, const char *label,
		       const char *text)
{
	char safe[VERDICT_TEXT + 1];

	format_safe(text, safe, sizeof(safe));
	fprintf(cli->out, "  %-*s", INDENT - 2, label);
	text_print(cli->out, cli->width, INDENT, safe);
}

static void print_verdict(const struct cli *cli, const struct verdict *v)
{
	unsigned int told = 0;
	char text[80];

	snprintf(text, sizeof(text), "%s, confidence %.2f, blame %s",
		 cause_name(v->cause), v->confidence, blame_name(v->blame));
	print_line(cli, "Verdict", text);
	for (unsigned int i = 0; i < v->evidences && told < EVIDENCE_MOST; i++)
		if (v->evidence[i].supports && ++told)
			print_line(cli, "", v->evidence[i].fact);
	for (unsigned int i = 0; i < v->fixes && i < FIXES_MOST; i++)
		print_line(cli, i ? "" : "Change", v->fix[i]);
	print_line(cli, "Retry", story_retry(v->retry));
}

static void print_group(const struct cli *cli, const struct kept *kept,
			const struct alike *g)
{
	char words[WORDS_TEXT];
	struct event ev;

	if (!kept_get(kept, g->id, &ev))
		return;
	print_head(cli, g, &ev);
	words_of(&ev, words);
	if (*words) {
		print_line(cli, "Saw", words);
	} else {
		event_failure_text(&ev, words, sizeof(words));
		print_line(cli, ev.kind == KIND_SENT ? "Did" : "Failed", words);
	}
	print_verdict(cli, &ev.verdict);
}

static void print_total(const struct cli *cli, const struct tally *t)
{
	FILE *out = cli->out;

	fputs("rstscope run: ", out);
	if (t->failed)
		fprintf(out, "%lld connection%s failed", (long long)t->failed,
			t->failed > 1 ? "s" : "");
	else
		fputs("no connection failed", out);
	if (t->reset)
		fprintf(out, ", %lld reset by the command",
			(long long)t->reset);
	fputc('\n', out);
}

int run_report(const struct cli *cli, const struct kept *kept,
	       const struct filter *filter, bool quiet)
{
	struct tally t = {NULL};
	struct event ev;
	int ret = 0;

	for (int64_t id = 1; !ret && id <= kept->last_id; id++)
		if (kept_get(kept, id, &ev) && filter_match(filter, &ev) &&
		    !told_by_other_end(kept, &ev))
			ret = count(&t, &ev);
	if (!ret && (t.n || !quiet))
		print_total(cli, &t);
	for (size_t i = 0; !ret && i < t.n && i < GROUPS_MOST; i++)
		print_group(cli, kept, &t.groups[i]);
	if (!ret && t.n > GROUPS_MOST)
		fprintf(cli->out, "\nand %zu more kinds; --json has them all\n",
			t.n - GROUPS_MOST);
	free(t.groups);
	return ret;
}

int run_report_json(FILE *out, const struct kept *kept,
		    const struct filter *filter)
{
	struct event ev;

	for (int64_t id = 1; id <= kept->last_id; id++) {
		char *line;

		if (!kept_get(kept, id, &ev) || !filter_match(filter, &ev))
			continue;
		line = event_to_line(&ev);
		if (!line)
			return -ENOMEM;
		fputs(line, out);
		free(line);
	}
	return 0;
}
