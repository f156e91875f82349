/* SPDX-License-Identifier: Apache-2.0 */
/* rstscope top: groups of failures, live; the loop and the keys. */
#include <errno.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/options.h"
#include "user/cli/terminal.h"
#include "user/cli/top_screen.h"
#include "user/cli/top_text.h"

#define REFRESH_MS 1000
#define POLL_MS	   100
/* Reading may not take more than this part of the time. */
#define BUSY_PART 5

#define KEY_ESCAPE 27

static int set_once(struct cli *cli, struct request *req,
		    const struct cli_option *option, const char *value)
{
	(void)cli, (void)option, (void)value;
	req->once = true;
	return 0;
}

static int set_by(struct cli *cli, struct request *req,
		  const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->by = value;
	return 0;
}

const struct cli_option top_options[] = {
	{"by", 'b', "KEY",
	 "start with these groups: cause, process, peer, port or syscall",
	 set_by},
	{"once", 0, NULL, "print one frame, as in a pipe", set_once},
	{NULL},
};

struct top {
	struct cli *cli;
	struct store *store;
	struct top_model *model;
	struct top_view view;
	struct top_rows rows;
	struct top_screen screen;
	int64_t next_ns; /* when to read again */
	bool quit;
};

static int choose_key(struct top *t, const char *name)
{
	struct suggestion s = {NULL, 0};

	for (unsigned int i = 0; i < TOP_KEYS; i++) {
		if (!strcmp(name, top_keys[i])) {
			t->view.key = i;
			return 0;
		}
		suggest_try(&s, name, top_keys[i]);
	}
	if (s.best)
		return cli_usage(t->cli, "--by: no key '%s' (did you mean %s?)",
				 name, s.best);
	return cli_usage(t->cli,
			 "--by: '%s' is not cause, process, peer, port or "
			 "syscall",
			 name);
}

/* What came since, or what went wrong, as a message. 0 or -ENOMEM. */
static int read_store(struct top *t)
{
	int64_t start = (int64_t)clock_mono_ns(), took;
	char err[sizeof(t->screen.message)] = "";
	int ret = top_refresh(t->model, t->store, clock_unix_us(), err,
			      sizeof(err));

	if (ret == -ENOMEM)
		return ret;
	t->cli->show.now_us = clock_unix_us();
	t->screen.message[0] = '\0';
	if (ret < 0)
		snprintf(t->screen.message, sizeof(t->screen.message), "%s",
			 *err ? err : strerror(-ret));
	took = (int64_t)clock_mono_ns() - start;
	if (took < REFRESH_MS * 1000000ll / BUSY_PART)
		t->next_ns = start + REFRESH_MS * 1000000ll;
	else
		t->next_ns = start + BUSY_PART * took;
	return 0;
}

static int make_rows(struct top *t)
{
	struct top_rows rows;
	int ret = top_make_rows(t->model, &t->view, &rows);

	if (ret)
		return ret;
	free(t->rows.row);
	t->rows = rows;
	return 0;
}

/*
 * The selection stays with its group, wherever that goes; at the top, where it
 * starts, it stays at the top.
 */
static int rebuild(struct top *t, bool read)
{
	char name[TOP_NAME] = "";
	int ret = 0;

	if (t->screen.selected && t->screen.selected < t->rows.n)
		snprintf(name, sizeof(name), "%s",
			 t->rows.row[t->screen.selected].name);
	if (read)
		ret = read_store(t);
	if (!ret)
		ret = make_rows(t);
	for (size_t i = 0; !ret && *name && i < t->rows.n; i++)
		if (!strcmp(t->rows.row[i].name, name))
			t->screen.selected = i;
	return ret;
}

/* --- pages of text over the table ----------------------------------------- */

static size_t scrolled(int key, size_t first, size_t lines)
{
	size_t page = LINES > 2 ? LINES - 2 : 1;
	size_t last = lines > page ? lines - page : 0;

	switch (key) {
	case KEY_DOWN:
	case 'j':
		first++;
		break;
	case KEY_UP:
	case 'k':
		first = first ? first - 1 : 0;
		break;
	case KEY_NPAGE:
	case ' ':
		first += page;
		break;
	case KEY_PPAGE:
		first = first > page ? first - page : 0;
		break;
	case KEY_HOME:
		first = 0;
		break;
	case KEY_END:
		first = last;
		break;
	default:
		break;
	}
	return first < last ? first : last;
}

static bool is_back(int key)
{
	return key == 'q' || key == KEY_ESCAPE || key == '\n' || key == '\r' ||
	       key == KEY_ENTER || key == KEY_LEFT || key == KEY_BACKSPACE ||
	       key == '?';
}

/* `make` writes the text anew for each width; shown until a key leaves it. */
static int show_page(struct top *t, int (*make)(struct top *t, char **text))
{
	size_t first = 0, lines;
	char *text = NULL;
	int key, ret = make(t, &text);

	while (!ret && !cli_stopped(t->cli)) {
		lines = top_draw_text(text, first,
				      "Esc back  arrows, PgUp, PgDn scroll");
		key = getch();
		if (is_back(key))
			break;
		first = scrolled(key, first, lines);
		if (key == KEY_RESIZE) {
			free(text);
			text = NULL;
			ret = make(t, &text);
		}
	}
	free(text);
	return ret;
}

static int make_why(struct top *t, char **text)
{
	struct cli cli = *t->cli;
	struct event ev;
	size_t size;
	int ret = store_get(t->store, t->rows.row[t->screen.selected].newest_id,
			    &ev);

	if (ret) {
		*text = strdup("The event is no longer in the store.\n");
		return *text ? 0 : -ENOMEM;
	}
	cli.out = open_memstream(text, &size);
	if (!cli.out)
		return -ENOMEM;
	cli.width = COLS;
	cli.colored = false;
	ret = why_tell(&cli, t->store, &ev);
	if (fclose(cli.out) && !ret)
		ret = -ENOMEM;
	return ret;
}

static int make_help(struct top *t, char **text)
{
	(void)t;
	*text = strdup(
		"1 2 3 4 5        group by cause, process, peer, port, "
		"syscall\n"
		"Tab, left, right the next group\n"
		"up, down, PgUp, PgDn, Home, End  select\n"
		"Enter            why: the story of the newest of that group\n"
		"s                sort by rate, count, last seen, name\n"
		"/                type a filter: only names with that in them\n"
		"                 (Enter keeps it, Esc clears it)\n"
		"Space, p         pause and go on\n"
		"r                read the store now\n"
		"?                this\n"
		"q                quit\n"
		"\n"
		"COUNT     failures in the window (--since; folded ones too)\n"
		"RATE      over the last minute; empty: none\n"
		"SHARE     of all failures in the window\n"
		"OF-CONNS  failures for a hundred connections of this host;\n"
		"          ~: from the average since the daemon's start\n"
		"LAST 10MIN  a bar a minute, now at the right, each row to "
		"its\n"
		"          own scale\n"
		"new       not seen in the window before the last ten "
		"minutes\n");
	return *text ? 0 : -ENOMEM;
}

/* --- keys ----------------------------------------------------------------- */

/* The last character, of one byte or more. */
static void erase_one(char *text)
{
	size_t length = strlen(text);

	while (length && (text[--length] & 0xc0) == 0x80)
		;
	text[length] = '\0';
}

static int typed(struct top *t, int key)
{
	size_t length = strlen(t->view.find);

	if (key == KEY_ESCAPE)
		t->view.find[0] = '\0';
	if (key == KEY_ESCAPE || key == '\n' || key == '\r' || key == KEY_ENTER)
		t->screen.typing = false;
	else if (key == KEY_BACKSPACE || key == 127 || key == '\b')
		erase_one(t->view.find);
	else if (key >= ' ' && key < 256 && key != 127 &&
		 length + 1 < sizeof(t->view.find))
		snprintf(t->view.find + length, 2, "%c", key);
	return rebuild(t, false);
}

static void move_by(struct top *t, int64_t by)
{
	int64_t to = (int64_t)t->screen.selected + by;

	if (to >= (int64_t)t->rows.n)
		to = (int64_t)t->rows.n - 1;
	t->screen.selected = to < 0 ? 0 : (size_t)to;
}

static int switch_key(struct top *t, unsigned int key)
{
	t->view.key = key % TOP_KEYS;
	t->screen.selected = 0;
	return rebuild(t, false);
}

/* Those that only move the selection. */
static bool moved(struct top *t, int key)
{
	int64_t page = (int64_t)top_room();

	switch (key) {
	case KEY_UP:
	case 'k':
		move_by(t, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		move_by(t, 1);
		return true;
	case KEY_PPAGE:
		move_by(t, -page);
		return true;
	case KEY_NPAGE:
		move_by(t, page);
		return true;
	case KEY_HOME:
		t->screen.selected = 0;
		return true;
	case KEY_END:
		move_by(t, (int64_t)t->rows.n);
		return true;
	default:
		return false;
	}
}

static int pressed(struct top *t, int key)
{
	if (t->screen.typing && key != KEY_RESIZE)
		return typed(t, key);
	if (moved(t, key))
		return 0;
	if (key >= '1' && key < '1' + TOP_KEYS)
		return switch_key(t, key - '1');
	switch (key) {
	case '\t':
	case KEY_RIGHT:
		return switch_key(t, t->view.key + 1);
	case KEY_LEFT:
	case KEY_BTAB:
		return switch_key(t, t->view.key + TOP_KEYS - 1);
	case 's':
		t->view.sort = (t->view.sort + 1) % TOP_SORTS;
		return rebuild(t, false);
	case '/':
		t->screen.typing = true;
		return 0;
	case KEY_ESCAPE:
		t->view.find[0] = '\0';
		return rebuild(t, false);
	case ' ':
	case 'p':
		t->screen.paused = !t->screen.paused;
		return 0;
	case 'r':
		return rebuild(t, true);
	case '?':
	case 'h':
		return show_page(t, make_help);
	case '\n':
	case '\r':
	case KEY_ENTER:
		return t->rows.n ? show_page(t, make_why) : 0;
	case 'q':
		t->quit = true;
		return 0;
	default:
		return 0;
	}
}

static int run_screen(struct top *t)
{
	int ret = rebuild(t, true), key;

	timeout(POLL_MS);
	while (!ret && !t->quit && !cli_stopped(t->cli)) {
		top_draw(&t->screen);
		key = getch();
		if (key != ERR)
			ret = pressed(t, key);
		else if (!t->screen.paused &&
			 (int64_t)clock_mono_ns() >= t->next_ns)
			ret = rebuild(t, true);
	}
	return ret;
}

static int print_once(struct top *t)
{
	struct cli *cli = t->cli;
	char err[512] = "";
	int damaged = 0;
	int ret = top_refresh(t->model, t->store, cli->show.now_us, err,
			      sizeof(err));

	if (ret == -EBADMSG) { /* tell it, show the others, and fail */
		damaged = cli_store_failed(cli, ret, err);
		ret = 0;
	}
	if (ret)
		return ret < 0 ? cli_store_failed(cli, ret, err) : 0;
	ret = make_rows(t);
	if (ret)
		return ret;
	ret = cli->json ? top_print_json(cli, t->model, &t->view, &t->rows)
			: top_print(cli, t->model, &t->view, &t->rows);
	if (!ret && cli->show.terminal && !cli->json && !t->rows.n)
		fputs("no failures match; --since 1d looks further back\n",
		      cli->err);
	return ret ? ret : damaged;
}

static int run(struct top *t, const struct request *req)
{
	const volatile sig_atomic_t *stop = t->cli->stop;
	int ret;

	if (req->once || t->cli->json || !t->cli->show.terminal ||
	    terminal_open(t->cli->colored))
		return print_once(t);
	t->cli->stop = terminal_stop();
	ret = run_screen(t);
	terminal_close();
	t->cli->stop = stop;
	return ret;
}

int cmd_top(struct cli *cli, struct request *req)
{
	struct top t = {.cli = cli};
	int ret = req->by ? choose_key(&t, req->by) : 0;

	if (ret)
		return ret;
	t.screen = (struct top_screen){
		.cli = cli,
		.view = &t.view,
		.rows = &t.rows,
	};
	filter_default_window(&req->filter, cli->show.now_us);
	req->filter.limit = NOT_KNOWN;
	ret = cli_open_store(cli, &t.store);
	if (!ret)
		ret = top_new(&t.model, cli, &req->filter);
	t.screen.model = t.model;
	if (!ret)
		ret = run(&t, req);
	top_free(t.model);
	store_close(t.store);
	free(t.rows.row);
	return ret;
}
