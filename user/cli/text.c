/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "user/cli/text.h"

#define LINE_LEAST 20 /* narrower is not worth breaking */

unsigned int text_width(const char *text)
{
	mbstate_t state = {0};
	unsigned int width = 0;
	size_t left = strlen(text);

	while (left) {
		wchar_t c;
		size_t bytes = mbrtowc(&c, text, left, &state);
		int columns;

		if (bytes == 0 || bytes > left) { /* invalid in this locale */
			bytes = columns = 1;
			memset(&state, 0, sizeof(state));
		} else {
			columns = wcwidth(c);
		}
		width += columns < 0 ? 1 : columns;
		text += bytes;
		left -= bytes;
	}
	return width;
}

void text_cut(char *text, size_t size, unsigned int width)
{
	const char *mark = MB_CUR_MAX > 1 ? "\xe2\x80\xa6" : "~";
	mbstate_t state = {0};
	size_t at = 0, length = strlen(text);
	unsigned int used = 0;

	if (!width || text_width(text) <= width)
		return;
	while (at < length) {
		wchar_t c;
		size_t bytes = mbrtowc(&c, text + at, length - at, &state);
		int columns = bytes && bytes <= length - at ? wcwidth(c) : 1;

		if (!bytes || bytes > length - at) {
			bytes = 1;
			memset(&state, 0, sizeof(state));
		}
		if (used + (columns < 0 ? 1 : columns) > width - 1)
			break;
		used += columns < 0 ? 1 : columns;
		at += bytes;
	}
	snprintf(text + at, size - at, "%s", mark);
}

void text_print(FILE *out, unsigned int width, unsigned int at,
		const char *text)
{
	unsigned int room = width > at + LINE_LEAST ? width - at : 0, used = 0;
	char word[512];

	while (*text) {
		size_t length = strcspn(text, " ");
		unsigned int wide;

		if (length >= sizeof(word))
			length = sizeof(word) - 1;
		memcpy(word, text, length);
		word[length] = '\0';
		wide = text_width(word);
		if (used && room && used + 1 + wide > room) {
			fprintf(out, "\n%*s", (int)at, "");
			used = 0;
		} else if (used) {
			fputc(' ', out);
			used++;
		}
		fputs(word, out);
		used += wide;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}
