/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/stacks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/daemon/namer.h"

#define WAITING	   256
#define ANSWER_NS  (15 * NSEC_PER_SEC)
#define RESTART_NS NSEC_PER_SEC
#define FINISH_MS  1000

/* A stack that waits for its names, for its event, or for both. */
struct waiting {
	uint64_t failure; /* 0: empty */
	uint64_t taken_ns;
	int64_t event; /* NOT_KNOWN: not settled yet */
	struct rec_stack rec;
	struct stack *stack; /* on the heap; NULL: no answer yet */
};

struct stacks {
	const char *proc_root;
	stacks_fn fn;
	void *ctx;
	pid_t namer; /* 0: it does not run */
	int fd;
	uint64_t started_ns;
	struct waiting waiting[WAITING]; /* a ring */
	size_t next;
	struct stacks_stats stats;
	struct namer_answer answer; /* scratch: it is large */
};

/* --- the namer ------------------------------------------------------------ */

/*
 * Later starts fork from a process with threads: glibc keeps malloc and stdio
 * usable in the child, which needs no more of what threads share.
 */
static int start(struct stacks *s)
{
	int fd, err;
	pid_t pid = namer_start(s->proc_root, &fd);

	s->started_ns = clock_mono_ns();
	if (pid < 0) {
		err = (int)pid;
		log_debug("stacks: their functions cannot be named: %s",
			  strerror(-err));
		return err;
	}
	s->namer = pid;
	s->fd = fd;
	return 0;
}

static void end(struct stacks *s)
{
	if (!s->namer)
		return;
	close(s->fd);
	kill(s->namer, SIGKILL);
	waitpid(s->namer, NULL, 0);
	s->namer = 0;
	s->fd = -1;
}

/* --- what waits ----------------------------------------------------------- */

static struct waiting *find(struct stacks *s, uint64_t failure)
{
	for (size_t i = 0; i < WAITING; i++)
		if (s->waiting[i].failure == failure)
			return &s->waiting[i];
	return NULL;
}

static void clear(struct waiting *w)
{
	free(w->stack);
	memset(w, 0, sizeof(*w));
}

/* Both are there: it is handed over. */
static void hand_over(struct stacks *s, struct waiting *w)
{
	if (!w->stack || w->event == NOT_KNOWN)
		return;
	s->fn(w->event, w->stack, s->ctx);
	clear(w);
}

static bool has_name(const struct stack *st)
{
	for (uint32_t i = 0; i < st->frames; i++)
		if (st->frame[i].symbol[0])
			return true;
	return false;
}

/* NULL: nobody names it any more. */
static void set_stack(struct stacks *s, struct waiting *w,
		      const struct stack *named)
{
	w->stack = malloc(sizeof(*w->stack));
	if (!w->stack) {
		s->stats.lost++;
		clear(w);
		return;
	}
	if (named)
		*w->stack = *named;
	else
		stack_bare(&w->rec, w->stack);
	if (has_name(w->stack))
		s->stats.named++;
	else
		s->stats.bare++;
	hand_over(s, w);
}

static void give_up_names(struct stacks *s)
{
	for (size_t i = 0; i < WAITING; i++) {
		struct waiting *w = &s->waiting[i];

		if (w->failure && !w->stack)
			set_stack(s, w, NULL);
	}
}

/* --- the public side ------------------------------------------------------ */

struct stacks *stacks_new(const char *proc_root, stacks_fn fn, void *ctx)
{
	struct stacks *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	s->proc_root = proc_root;
	s->fn = fn;
	s->ctx = ctx;
	s->fd = -1;
	s->stats.on = true;
	err = start(s);
	if (!err)
		return s;
	free(s);
	errno = -err;
	return NULL;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	end(s);
	for (size_t i = 0; i < WAITING; i++)
		clear(&s->waiting[i]);
	free(s);
}

int stacks_fd(const struct stacks *s)
{
	return s ? s->fd : -1;
}

void stacks_take(struct stacks *s, const struct rec_stack *rec)
{
	struct waiting *w = &s->waiting[s->next++ % WAITING];

	s->stats.taken++;
	if (w->failure) {
		s->stats.lost++;
		clear(w);
	}
	w->failure = rec->head.failure;
	w->taken_ns = clock_mono_ns();
	w->event = NOT_KNOWN;
	w->rec = *rec;
	if (!s->namer || send(s->fd, rec, sizeof(*rec),
			      MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(*rec))
		set_stack(s, w, NULL);
}

void stacks_settle(struct stacks *s, uint64_t failure, int64_t event)
{
	struct waiting *w = find(s, failure);

	if (!w)
		return;
	if (!event) {
		clear(w);
		return;
	}
	w->event = event;
	hand_over(s, w);
}

/* The namer is not trusted more than what it reads. */
static bool make_safe(struct stack *st)
{
	char text[STACK_NAME];

	if (st->frames > STACK_FRAMES)
		return false;
	for (uint32_t i = 0; i < st->frames; i++) {
		struct stack_frame *f = &st->frame[i];

		f->symbol[STACK_NAME - 1] = f->module[STACK_NAME - 1] = '\0';
		format_safe(f->symbol, text, sizeof(text));
		memcpy(f->symbol, text, sizeof(text));
		format_safe(f->module, text, sizeof(text));
		memcpy(f->module, text, sizeof(text));
	}
	return true;
}

/* False: it has ended, or says what it cannot mean. */
static bool take_answers(struct stacks *s)
{
	struct waiting *w;
	ssize_t n;

	while ((n = recv(s->fd, &s->answer, sizeof(s->answer), MSG_DONTWAIT)) ==
	       sizeof(s->answer)) {
		w = find(s, s->answer.failure);
		if (!s->answer.failure || !make_safe(&s->answer.stack))
			return false;
		if (w && !w->stack)
			set_stack(s, w, &s->answer.stack);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool hangs(const struct stacks *s, uint64_t now_ns)
{
	for (size_t i = 0; i < WAITING; i++) {
		const struct waiting *w = &s->waiting[i];

		if (w->failure && !w->stack && w->taken_ns + ANSWER_NS < now_ns)
			return true;
	}
	return false;
}

void stacks_advance(struct stacks *s)
{
	uint64_t now_ns = clock_mono_ns();

	if (s->namer && (!take_answers(s) || hangs(s, now_ns))) {
		end(s);
		give_up_names(s);
	}
	if (!s->namer && s->started_ns + RESTART_NS < now_ns) {
		s->stats.restarts++;
		start(s);
	}
}

static bool any_unnamed(const struct stacks *s)
{
	for (size_t i = 0; i < WAITING; i++)
		if (s->waiting[i].failure && !s->waiting[i].stack)
			return true;
	return false;
}

void stacks_finish(struct stacks *s)
{
	uint64_t until_ns = clock_mono_ns() + FINISH_MS * 1000000ull;

	while (s->namer && any_unnamed(s) && clock_mono_ns() < until_ns) {
		struct pollfd fd = {.fd = s->fd, .events = POLLIN};

		poll(&fd, 1, FINISH_MS / 10);
		if (!take_answers(s))
			break;
	}
	give_up_names(s);
}

void stacks_get_stats(const struct stacks *s, struct stacks_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	if (s)
		*stats = s->stats;
}
