/* SPDX-License-Identifier: Apache-2.0 */
/* Running text for people. */
#ifndef RSTSCOPE_TEXT_H
#define RSTSCOPE_TEXT_H

#include <stdio.h>

/* How many columns a text takes on a terminal. */
unsigned int text_width(const char *text);
/*
 * Makes text at most `width` columns wide, cut between characters; "…" (or "~")
 * stands for what is missing. Needs size > strlen(text) + 3.
 */
void text_cut(char *text, size_t size, unsigned int width);
/*
 * Prints text behind what already takes `at` columns, broken between words at
 * `width` (0: never) and indented by `at`, and ends the line.
 */
void text_print(FILE *out, unsigned int width, unsigned int at,
		const char *text);

#endif
