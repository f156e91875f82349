/* SPDX-License-Identifier: Apache-2.0 */
/* The full screen of `rstscope top`, drawn by ncurses. */
#ifndef RSTSCOPE_TOP_SCREEN_H
#define RSTSCOPE_TOP_SCREEN_H

#include "user/cli/top_model.h"

struct top_screen {
	const struct cli *cli;
	const struct top_model *model;
	const struct top_view *view;
	const struct top_rows *rows;
	size_t selected, first; /* the first row shown */
	bool paused, typing;	/* typing: into view->find */
	char message[160];	/* instead of the keys; "": none */
};

/* With a terminal_open() one. */
void top_draw(struct top_screen *s);
/* How many rows fit. */
size_t top_room(void);
/* Lines of text from the `first` on; returns how many lines there are. */
size_t top_draw_text(const char *text, size_t first, const char *keys);

#endif
