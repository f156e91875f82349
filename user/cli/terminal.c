/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/cli/terminal.h"

#define ESCAPE_DELAY_MS 50 /* Esc alone, or the start of a key's sequence */

static const int gentle[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/* What a signal handler can reach: there is one terminal. */
static struct {
	volatile sig_atomic_t stop;
	struct termios mode;
	char leave[128]; /* the bytes that end the full screen */
	SCREEN *screen;
} state;

/* Only what is safe in a signal handler. */
static void restore_and_die(int signal)
{
	sigset_t set;
	ssize_t written =
		write(STDOUT_FILENO, state.leave, strlen(state.leave));

	(void)written; /* nobody is left to be told */
	tcsetattr(STDIN_FILENO, TCSANOW, &state.mode);
	sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal);
}

static void on_gentle(int signal)
{
	if (state.stop)
		restore_and_die(signal);
	state.stop = 1;
}

static void set_handlers(const int *signals, size_t n, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < n; i++)
		sigaction(signals[i], &action, NULL);
}

static void prepare_leave(void)
{
	static char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};

	state.leave[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = tigetstr(names[i]);
		size_t used = strlen(state.leave);

		/* (char *)-1: no such thing in terminfo */
		if (text && text != (const char *)-1 &&
		    used + strlen(text) < sizeof(state.leave))
			strcpy(state.leave + used, text);
	}
}

int terminal_open(bool colored)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &state.mode))
		return -ENOTTY;
	state.stop = 0;
	state.screen = newterm(NULL, stdout, stdin);
	if (!state.screen)
		return -ENOTTY;
	prepare_leave();
	set_handlers(gentle, ARRAY_SIZE(gentle), on_gentle);
	set_handlers(deadly, ARRAY_SIZE(deadly), restore_and_die);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
	if (colored && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_RED, -1);
		init_pair(2, COLOR_CYAN, -1);
	}
	return 0;
}

void terminal_close(void)
{
	if (!state.screen)
		return;
	endwin();
	delscreen(state.screen);
	state.screen = NULL;
	set_handlers(gentle, ARRAY_SIZE(gentle), SIG_DFL);
	set_handlers(deadly, ARRAY_SIZE(deadly), SIG_DFL);
}

const volatile sig_atomic_t *terminal_stop(void)
{
	return &state.stop;
}
