/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>

#include "tests/unit/cli_case.h"
#include "user/cli/table.h"
#include "user/cli/text.h"

static const struct table_column three[] = {
	{"N", .width = 3, .right = true},
	{"NAME", .width = 8, .least = 5},
	{"NOTE", .width = 6, .optional = true},
};

struct sheet {
	struct table *table;
	FILE *out;
	char *text;
	size_t size;
};

static void sheet_open(struct sheet *s, unsigned int width, bool colored)
{
	s->out = open_memstream(&s->text, &s->size);
	s->table = table_new(s->out, three, ARRAY_SIZE(three), width, colored);
	assert_non_null(s->table);
}

static void sheet_add(struct sheet *s, const char *a, const char *b,
		      const char *c)
{
	const char *cells[] = {a, b, c};
	const char *colors[] = {NULL, "\033[31m", NULL};

	assert_int_equal(table_add(s->table, cells, colors), 0);
}

static void sheet_is(struct sheet *s, const char *expected)
{
	assert_int_equal(table_flush(s->table), 0);
	fflush(s->out);
	assert_string_equal(s->text, expected);
}

static void sheet_close(struct sheet *s)
{
	table_free(s->table);
	fclose(s->out);
	free(s->text);
}

static void pipe_is_never_cut(void **state)
{
	struct sheet s;

	(void)state;
	sheet_open(&s, 0, false);
	sheet_add(&s, "1", "a-very-long-name-that-stays-whole", "x");
	sheet_add(&s, "10", "", "y");
	sheet_is(&s, " N NAME                              NOTE\n"
		     " 1 a-very-long-name-that-stays-whole x\n"
		     "10 -                                 y\n");
	sheet_close(&s);
}

static void terminal_is_fitted(void **state)
{
	struct sheet s;

	(void)state;
	sheet_open(&s, 12, false); /* no room for NOTE, nor for all of NAME */
	sheet_add(&s, "1", "a-long-name", "x");
	sheet_is(&s, "N NAME\n1 a-long-na\xe2\x80\xa6\n");
	sheet_close(&s);
	sheet_open(&s, 18, false); /* 1 + 1 + 11 + 1 + 4 */
	sheet_add(&s, "1", "a-long-name", "x");
	sheet_is(&s, "N NAME        NOTE\n1 a-long-name x\n");
	sheet_close(&s);
	sheet_open(&s, 17, false);
	sheet_add(&s, "1", "a-long-name", "x");
	sheet_is(&s, "N NAME\n1 a-long-name\n");
	sheet_close(&s);
}

static void wide_characters_count_double(void **state)
{
	struct sheet s;

	(void)state;
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("p\xc3\xb6st"), 4);
	assert_int_equal(text_width("\xe5\x90\x8d\xe5\x89\x8d"), 4);
	sheet_open(&s, 0, false);
	sheet_add(&s, "1", "\xe5\x90\x8d\xe5\x89\x8d!", "x");
	sheet_add(&s, "2", "p\xc3\xb6st", "y");
	sheet_is(&s, "N NAME  NOTE\n"
		     "1 \xe5\x90\x8d\xe5\x89\x8d! x\n"
		     "2 p\xc3\xb6st  y\n");
	sheet_close(&s);
}

static void cut_to(const char *text, unsigned int width, const char *expected)
{
	char copy[64];

	strcpy(copy, text);
	text_cut(copy, sizeof(copy), width);
	assert_string_equal(copy, expected);
	assert_true(text_width(copy) <= width || !width);
}

static void cuts_between_characters(void **state)
{
	(void)state;
	cut_to("abcdef", 6, "abcdef");
	cut_to("abcdef", 5, "abcd\xe2\x80\xa6");
	cut_to("abcdef", 1, "\xe2\x80\xa6");
	cut_to("\xe5\x90\x8d\xe5\x89\x8d", 3, "\xe5\x90\x8d\xe2\x80\xa6");
	cut_to("\xe5\x90\x8d\xe5\x89\x8d", 2, "\xe2\x80\xa6");
	cut_to("\xff\xfe\xfd", 2, "\xff\xe2\x80\xa6");
	cut_to("abc", 0, "abc");
}

static void rows_one_by_one_keep_their_places(void **state)
{
	struct sheet s;

	(void)state;
	sheet_open(&s, 0, false);
	table_set_streaming(s.table);
	sheet_add(&s, "1", "ab", "x");
	sheet_is(&s, "  N NAME     NOTE\n  1 ab       x\n");
	sheet_add(&s, "22", "abcd", "y");
	sheet_is(&s, "  N NAME     NOTE\n  1 ab       x\n 22 abcd     y\n");
	sheet_close(&s);
}

static void colors_only_when_asked(void **state)
{
	struct sheet s;

	(void)state;
	sheet_open(&s, 0, true);
	sheet_add(&s, "1", "ab", "x");
	assert_int_equal(table_flush(s.table), 0);
	fflush(s.out);
	assert_has(s.text, "\033[31mab");
	sheet_close(&s);
	sheet_open(&s, 0, false);
	sheet_add(&s, "1", "ab", "x");
	assert_int_equal(table_flush(s.table), 0);
	fflush(s.out);
	assert_lacks(s.text, "\033");
	sheet_close(&s);
}

static void text_is_broken_between_words(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	text_print(out, 25, 4, "one two three four five six");
	text_print(out, 0, 4, "one two  three");
	fclose(out);
	assert_string_equal(text, "one two three four\n    five six\n"
				  "one two three\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipe_is_never_cut),
		cmocka_unit_test(terminal_is_fitted),
		cmocka_unit_test(wide_characters_count_double),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(rows_one_by_one_keep_their_places),
		cmocka_unit_test(colors_only_when_asked),
		cmocka_unit_test(text_is_broken_between_words),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
