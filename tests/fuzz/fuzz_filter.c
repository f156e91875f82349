/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters come from command lines and from HTTP requests: pairs of option
 * index and text, ended by '\n'. Whatever is taken must make a query whose
 * values fit its marks, and a refusal is one line.
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. \
 *	tests/fuzz/fuzz_filter.c user/store/{event,filter,query}.c \
 *	user/base/format.c user/base/parse*.c user/explain/names.c -lm \
 *	-o build/fuzz_filter
 */
#include <stdlib.h>
#include <string.h>

#include "user/store/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void set_one(struct filter *f, const uint8_t *line, size_t size)
{
	const struct filter_option *o = filter_options;
	char text[256], err[200] = "";
	int ret;

	if (!size || size > sizeof(text))
		return;
	for (unsigned int i = line[0] % 16; i && o->name; i--)
		o++;
	memcpy(text, line + 1, size - 1);
	text[size - 1] = '\0';
	ret = filter_set(f, o->name ? o->name : text, text, 1790000000000000,
			 err, sizeof(err));
	demand(ret == 0 || ret == -2 || (ret == -22 && err[0]));
	demand(!strchr(err, '\n'));
}

static void check_query(const struct query *q)
{
	unsigned int marks = 0;

	for (const char *c = q->text; *c; c++)
		marks += *c == '?';
	demand(marks == q->params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filter f;
	struct query q;
	struct event ev;

	filter_init(&f);
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;

		set_one(&f, data, n);
		n += end != NULL;
		data += n;
		size -= n;
	}
	query_ids(&q, &f);
	check_query(&q);
	query_count(&q, &f);
	check_query(&q);
	event_init(&ev);
	filter_match(&f, &ev);
	return 0;
}
