/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the nearest name, by keystrokes. */
#include <string.h>

#include "user/base/base.h"
#include "user/cli/cli.h"

#define NAME_MOST 40

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment (insert, delete, replace, swap of neighbours) with
 * three rows of the matrix kept.
 */
unsigned int suggest_distance(const char *a, const char *b, unsigned int most)
{
	size_t la = strlen(a), lb = strlen(b), i, j;
	unsigned int rows[3][NAME_MOST + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];

	if (la > NAME_MOST || lb > NAME_MOST)
		return most + 1;
	for (j = 0; j <= lb; j++)
		last[j] = j;
	for (i = 1; i <= la; i++) {
		unsigned int *spare = before;

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = spare;
	}
	return least(last[lb], most + 1);
}

void suggest_try(struct suggestion *s, const char *text, const char *candidate)
{
	size_t length = strlen(text);
	unsigned int most = length < 3 ? 1 : length < 8 ? 2 : 3;
	unsigned int d = suggest_distance(text, candidate, most);

	/* What is begun but not ended counts as near: "summ", "conf". */
	if (length >= 2 && !strncmp(candidate, text, length))
		d = least(d, 1);
	if (d <= most && (!s->best || d < s->distance)) {
		s->best = candidate;
		s->distance = d;
	}
}
