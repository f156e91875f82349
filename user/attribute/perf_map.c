/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /tmp/perf-PID.map, a line an entry: "START SIZE NAME", both numbers
 * hexadecimal; Java puts 0x before them. Whoever owns the process wrote it.
 */
#include <string.h>

#include "user/attribute/stack.h"
#include "user/base/base.h"

#define LINE_BYTES 1024
#define LINES_MAX  2000000

static const char *hex(const char *at, uint64_t *out)
{
	uint64_t value = 0;
	int digits = 0, digit;

	if (at[0] == '0' && at[1] == 'x')
		at += 2;
	for (;; at++, digits++) {
		if (*at >= '0' && *at <= '9')
			digit = *at - '0';
		else if (*at >= 'a' && *at <= 'f')
			digit = *at - 'a' + 10;
		else
			break;
		if (digits == 16)
			return NULL;
		value = value << 4 | (uint64_t)digit;
	}
	if (!digits || *at != ' ')
		return NULL;
	*out = value;
	return at + 1;
}

static void read_entry(const char *line, struct stack *st, const bool *wanted)
{
	uint64_t start, size;
	const char *name = hex(line, &start);

	if (name)
		name = hex(name, &size);
	if (!name || !*name)
		return;
	for (uint32_t i = 0; i < st->frames; i++) {
		struct stack_frame *f = &st->frame[i];
		/* a return address may be just behind the code */
		uint64_t at = i ? f->address - 1 : f->address;

		if (wanted[i] && at - start < size)
			format_safe(name, f->symbol, sizeof(f->symbol));
	}
}

void perf_map_read(FILE *in, struct stack *st)
{
	bool wanted[STACK_FRAMES] = {false}, whole = true;
	char line[LINE_BYTES];

	for (uint32_t i = 0; i < st->frames; i++)
		wanted[i] = !st->frame[i].symbol[0];
	for (long n = 0; n < LINES_MAX && fgets(line, sizeof(line), in); n++) {
		size_t end = strcspn(line, "\n");
		bool first = whole;

		whole = line[end] == '\n';
		line[end] = '\0';
		/* the rest of an overlong line is no entry of its own */
		if (first)
			read_entry(line, st, wanted);
	}
}
