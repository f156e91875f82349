/* SPDX-License-Identifier: Apache-2.0 */
#include <ncurses.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/text.h"
#include "user/cli/top_screen.h"
#include "user/cli/top_text.h"

#define LINE_MOST 512
#define ABOVE	  3 /* lines above the rows */
#define BELOW	  1

#define PAIR_FRESH 1
#define PAIR_SPARK 2

size_t top_room(void)
{
	return LINES > ABOVE + BELOW ? LINES - ABOVE - BELOW : 1;
}

/* Cut to `width`, filled up with blanks. */
static void put(const char *text, int width, bool right)
{
	char copy[LINE_MOST];
	int pad;

	snprintf(copy, sizeof(copy) - 4, "%s", text);
	text_cut(copy, sizeof(copy), width);
	pad = width - (int)text_width(copy);
	printw("%*s", right && pad > 0 ? pad : 0, "");
	addstr(copy);
	printw("%*s", !right && pad > 0 ? pad : 0, "");
}

static void put_line(int y, attr_t attributes, const char *text)
{
	move(y, 0);
	attrset(attributes);
	put(text, COLS, false);
	attrset(A_NORMAL);
}

static int cell_width(enum top_cell_id cell)
{
	int left = COLS - (TOP_CELLS - 1);

	if (top_cells[cell].width)
		return top_cells[cell].width;
	for (enum top_cell_id c = 0; c < TOP_CELLS; c++)
		left -= top_cells[c].width;
	return left > TOP_NAME_LEAST ? left : TOP_NAME_LEAST;
}

static attr_t cell_color(enum top_cell_id cell)
{
	if (cell == TOP_FRESH)
		return COLOR_PAIR(PAIR_FRESH) | A_BOLD;
	return cell == TOP_TREND ? COLOR_PAIR(PAIR_SPARK) : A_NORMAL;
}

static void draw_row(const struct top_screen *s, int y, size_t i)
{
	bool selected = i == s->selected;
	char text[TOP_NAME];

	move(y, 0);
	for (enum top_cell_id c = 0; c < TOP_CELLS; c++) {
		attrset(selected ? A_REVERSE : cell_color(c));
		top_cell_text(s->cli, s->model, s->rows, &s->rows->row[i], c,
			      text, sizeof(text));
		put(text, cell_width(c), top_cells[c].right);
		attrset(selected ? A_REVERSE : A_NORMAL);
		if (c + 1 < TOP_CELLS)
			addch(' ');
	}
	attrset(A_NORMAL);
}

static void draw_header(const struct top_screen *s)
{
	move(ABOVE - 1, 0);
	for (enum top_cell_id c = 0; c < TOP_CELLS; c++) {
		attrset(A_BOLD);
		put(top_cell_header(s->view, c), cell_width(c),
		    top_cells[c].right);
		if (c + 1 < TOP_CELLS)
			addch(' ');
	}
	attrset(A_NORMAL);
}

static void draw_title(const struct top_screen *s)
{
	char line[LINE_MOST];

	top_title(s->cli, s->model, s->rows, line, sizeof(line) - 16);
	if (s->paused)
		strcat(line, "  [paused]");
	put_line(0, A_BOLD, line);
}

static void draw_keys(const struct top_screen *s)
{
	move(1, 0);
	for (unsigned int i = 0; i < TOP_KEYS; i++) {
		printw("%u ", i + 1);
		attrset(i == s->view->key ? A_REVERSE : A_NORMAL);
		addstr(top_keys[i]);
		attrset(A_NORMAL);
		addstr("  ");
	}
	printw(" sort: %s", top_sort_name(s->view->sort));
	if (*s->view->find || s->typing)
		printw("  filter: %s", s->view->find);
}

static void draw_foot(const struct top_screen *s)
{
	char line[LINE_MOST];

	if (s->typing)
		snprintf(line, sizeof(line), "filter: %s_", s->view->find);
	else
		snprintf(line, sizeof(line), "%s",
			 *s->message ? s->message
				     : "? keys  Enter why  Tab group  s sort  "
				       "/ filter  Space pause  q quit");
	put_line(LINES - 1, A_REVERSE, line);
}

void top_draw(struct top_screen *s)
{
	size_t room = top_room();

	if (s->selected >= s->rows->n)
		s->selected = s->rows->n ? s->rows->n - 1 : 0;
	if (s->selected < s->first)
		s->first = s->selected;
	if (s->selected >= s->first + room)
		s->first = s->selected - room + 1;
	erase();
	draw_title(s);
	draw_keys(s);
	draw_header(s);
	for (size_t i = 0; i < room && s->first + i < s->rows->n; i++)
		draw_row(s, ABOVE + (int)i, s->first + i);
	if (!s->rows->n)
		put_line(ABOVE, A_NORMAL,
			 s->rows->total ? "no group has that in its name"
					: "no failures in this window");
	draw_foot(s);
	refresh();
}

size_t top_draw_text(const char *text, size_t first, const char *keys)
{
	size_t line = 0, room = LINES > 1 ? LINES - 1 : 1;
	char copy[LINE_MOST];

	erase();
	for (; *text; line++) {
		size_t length = strcspn(text, "\n");

		if (line >= first && line < first + room) {
			snprintf(copy, sizeof(copy), "%.*s", (int)length, text);
			put_line((int)(line - first), A_NORMAL, copy);
		}
		text += length;
		text += *text == '\n';
	}
	put_line(LINES - 1, A_REVERSE, keys);
	refresh();
	return line;
}
