/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole path without a kernel: recordings of the real daemon, one failure
 * each (tests/golden/replay, see README there), through the pipeline, against
 * the events that are expected. RSTSCOPE_UPDATE=1 writes those anew: look at
 * the difference before keeping it.
 */
#include <dirent.h>

#include "tests/unit/raw_pipeline.h"

#define FILES_MIN 4

static const char *dir_name(void)
{
	static char dir[512];
	const char *file = __FILE__;
	const char *slash = strrchr(file, '/');

	snprintf(dir, sizeof(dir), "%.*s/../golden/replay",
		 slash ? (int)(slash - file) : 1, slash ? file : ".");
	return dir;
}

/* Settles in between as the daemon's loop would. */
static void feed(struct line *l, const union record *rec)
{
	uint64_t due = pipeline_due_ns(l->p);

	if (due && due <= rec->head.time_ns)
		pipeline_advance(l->p, rec->head.time_ns);
	pipeline_feed(l->p, rec, rec->head.size);
}

static struct line *replay(const char *path)
{
	static struct record_context context;
	struct record_reader *reader;
	FILE *in = fopen(path, "re");
	char err[256] = "";
	union record rec;
	struct line *l;
	int got;

	assert_non_null(in);
	if (record_reader_open(&reader, in, &context, err, sizeof(err)))
		fail_msg("%s: %s", path, err);
	l = line_new_from(&context, false, 1);
	while ((got = record_reader_next(reader, &rec, err, sizeof(err))) > 0)
		feed(l, &rec);
	if (got < 0)
		fail_msg("%s: %s", path, err);
	line_settle(l);
	pipeline_flush(l->p);
	record_reader_free(reader);
	fclose(in);
	return l;
}

static char *lines_of(const struct line *l)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < l->n; i++) {
		char *one = event_to_line(&l->events[i]);

		assert_non_null(one);
		fputs(one, out);
		free(one);
	}
	fclose(out);
	return text;
}

static char *read_all(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size), *in = fopen(path, "re");
	int c;

	assert_non_null(out);
	while (in && (c = getc(in)) != EOF)
		putc(c, out);
	if (in)
		fclose(in);
	fclose(out);
	return text;
}

static void write_all(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* The first line that differs, for people. */
static void show_difference(const char *name, const char *want, const char *got)
{
	int line = 1;

	while (*want && *want == *got) {
		line += *want == '\n';
		want++;
		got++;
	}
	print_error("%s: line %d differs from here\n  expected: %.120s\n"
		    "  found:    %.120s\n",
		    name, line, want, got);
}

static int check(const char *name, const char *golden, const char *got)
{
	char *want = read_all(golden);
	int wrong = strcmp(want, got) != 0;

	if (wrong)
		show_difference(name, want, got);
	free(want);
	return wrong;
}

static int run_file(const char *name)
{
	char path[1024], golden[1024];
	struct line *l;
	char *got;
	int wrong = 0;

	snprintf(path, sizeof(path), "%s/%s", dir_name(), name);
	snprintf(golden, sizeof(golden), "%.*s.json",
		 (int)(strlen(path) - strlen(".rec")), path);
	l = replay(path);
	assert_true(l->n > 0);
	assert_int_equal(line_stats(l).bad_records, 0);
	got = lines_of(l);
	if (getenv("RSTSCOPE_UPDATE"))
		write_all(golden, got);
	else
		wrong = check(name, golden, got);
	free(got);
	line_free(l);
	return wrong;
}

static int is_recording(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);

	return size > 4 && !strcmp(entry->d_name + size - 4, ".rec");
}

static void test_all_recordings(void **state)
{
	struct dirent **list = NULL;
	int n = scandir(dir_name(), &list, is_recording, alphasort), wrong = 0;

	(void)state;
	for (int i = 0; i < n; i++) {
		wrong += run_file(list[i]->d_name);
		free(list[i]);
	}
	free(list);
	assert_true(n >= FILES_MIN);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_recordings),
	};

	return cmocka_run_group_tests_name("recordings", tests, NULL, NULL);
}
