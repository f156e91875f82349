// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/base/base.h"
#include "user/observe/record.h"

static const struct record_context context = {
	.jiffy_ms = 4,
	.unix_offset_ns = -1795502412345678901,
	.arch = "x86_64",
	.kernel = "6.18.0 odd=name\\",
	.reasons = {[0] = "NOT_SPECIFIED", [5] = "TCP_STATE", [39] = "LAST"},
};

struct kind_size {
	enum rec_kind kind;
	size_t size;
};

static const struct kind_size kinds[] = {
	{REC_RECEIVED, sizeof(struct rec_failure)},
	{REC_SENT, sizeof(struct rec_failure)},
	{REC_ERROR, sizeof(struct rec_failure)},
	{REC_HANGUP, sizeof(struct rec_failure)},
	{REC_TOLD, sizeof(struct rec_told)},
	{REC_CLOSED, sizeof(struct rec_told)},
	{REC_EXIT, sizeof(struct rec_exit)},
	{REC_OOM, sizeof(struct rec_exit)},
	{REC_STACK, sizeof(struct rec_stack)},
};
_Static_assert(ARRAY_SIZE(kinds) == REC_KINDS - 1, "a kind is not tested");

/* What the text form may lose: explicit padding, nothing else. */
static void clear_closed(struct rec_closed *c)
{
	memset(c->pad, 0, sizeof(c->pad));
	c->pad2 = 0;
	c->task.pad = 0;
}

static void clear_padding(union record *rec)
{
	switch (rec->head.kind) {
	case REC_TOLD:
	case REC_CLOSED:
		memset(rec->told.pad, 0, sizeof(rec->told.pad));
		rec->told.task.pad = 0;
		break;
	case REC_EXIT:
	case REC_OOM:
		memset(rec->exit.pad, 0, sizeof(rec->exit.pad));
		rec->exit.task.pad = 0;
		break;
	case REC_STACK:
		break;
	default:
		rec->failure.task.pad = 0;
		rec->failure.owner.pad = 0;
		memset(rec->failure.pad, 0, sizeof(rec->failure.pad));
		clear_closed(&rec->failure.closer);
		clear_closed(&rec->failure.other);
	}
}

static FILE *recording(void)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(record_write_header(f, &context), 0);
	return f;
}

static void read_back(FILE *f, union record *rec)
{
	struct record_context ctx;
	struct record_reader *r;
	char err[200] = "";
	union record end;

	rewind(f);
	assert_int_equal(record_reader_open(&r, f, &ctx, err, sizeof(err)), 0);
	if (record_reader_next(r, rec, err, sizeof(err)) != 1)
		fail_msg("%s", err);
	assert_int_equal(record_reader_next(r, &end, err, sizeof(err)), 0);
	record_reader_free(r);
	fclose(f);
}

static void round_trip(const struct kind_size *k, uint8_t first, uint8_t step)
{
	union record rec, back;
	uint8_t *bytes = (uint8_t *)&rec, fill = first;
	FILE *f = recording();

	memset(&rec, 0, sizeof(rec));
	for (size_t i = 0; i < k->size; i++, fill = (uint8_t)(fill + step))
		bytes[i] = fill;
	rec.head.kind = (uint16_t)k->kind;
	rec.head.size = (uint16_t)k->size;
	clear_padding(&rec);
	assert_int_equal(record_write(f, &rec), 0);
	memset(&back, 0x5a, sizeof(back));
	read_back(f, &back);
	/* A field without a row in the table comes back as zero. */
	for (size_t i = 0; i < k->size; i++) {
		if (bytes[i] != ((uint8_t *)&back)[i])
			fail_msg("kind %d, byte %zu: %02x became %02x", k->kind,
				 i, bytes[i], ((uint8_t *)&back)[i]);
	}
	assert_int_equal(record_check(&back, k->size), 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		round_trip(&kinds[i], 1, 7);
		round_trip(&kinds[i], 0xff, 0); /* every limit, every sign */
		round_trip(&kinds[i], 0x80, 0);
		round_trip(&kinds[i], 0, 0);
		round_trip(&kinds[i], '\n', 0);
		for (int step = 1; step < 256; step += 2)
			round_trip(&kinds[i], (uint8_t)(step * 3),
				   (uint8_t)step);
	}
}

static void refuses(const char *line)
{
	FILE *f = recording();
	struct record_context ctx;
	struct record_reader *r;
	char err[200] = "";
	union record rec;

	fprintf(f, "%s\n", line);
	rewind(f);
	assert_int_equal(record_reader_open(&r, f, &ctx, err, sizeof(err)), 0);
	assert_int_equal(record_reader_next(r, &rec, err, sizeof(err)),
			 -EINVAL);
	assert_non_null(strstr(err, "frame"));
	record_reader_free(r);
	fclose(f);
}

static void test_addresses(void **state)
{
	char line[3000] = "stack frame=1";

	(void)state;
	refuses("stack frame=");
	refuses("stack frame=1,");
	refuses("stack frame=,1");
	refuses("stack frame=1,,2");
	refuses("stack frame=1;2");
	refuses("stack frame=0x1");
	refuses("stack frame=-1");
	refuses("stack frame=11111111111111111");
	for (int i = 0; i < REC_FRAMES; i++)
		strcat(line, ",1"); /* one more than there is room for */
	refuses(line);
}

static void test_header(void **state)
{
	struct record_context ctx;
	struct record_reader *r;
	char err[200] = "";
	FILE *f = recording();

	(void)state;
	rewind(f);
	memset(&ctx, 0x5a, sizeof(ctx));
	assert_int_equal(record_reader_open(&r, f, &ctx, err, sizeof(err)), 0);
	assert_true(ctx.jiffy_ms == context.jiffy_ms);
	assert_true(ctx.unix_offset_ns == context.unix_offset_ns);
	assert_string_equal(ctx.arch, context.arch);
	assert_string_equal(ctx.kernel, context.kernel);
	assert_int_equal(ctx.host_netns, 0);
	for (size_t i = 0; i < ARRAY_SIZE(ctx.reasons); i++)
		assert_string_equal(ctx.reasons[i], context.reasons[i]);
	record_reader_free(r);
	fclose(f);
}

static void test_text_is_readable(void **state)
{
	static const char want[] =
		"received cpu=1 known=3 netns=4026531840 family=4 "
		"laddr=127.0.0.1 lport=8080 raddr=2001:db8::1 rport=443 "
		"sock.err=-104 task.tgid=42 task.nr=-1 "
		"task.comm=a\\x20b\\x5c\\x0a=\\xff rst_seq_ahead=-5 "
		"other.task.comm=nginx other.aborted=1\n";
	union record rec = {
		.failure = {
			.head = {.kind = REC_RECEIVED,
				 .size = sizeof(struct rec_failure),
				 .cpu = 1},
			.known = 3,
			.netns = 4026531840u,
			.family = 4,
			.laddr = {127, 0, 0, 1},
			.lport = 8080,
			.raddr = {0x20, 1, 0xd, 0xb8, [15] = 1},
			.rport = 443,
			.sock.err = -104,
			.task = {.tgid = 42, .nr = -1, .comm = "a b\\\n=\xff"},
			.rst_seq_ahead = -5,
			.other = {.task.comm = "nginx", .aborted = 1},
		}};
	char text[1000] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_int_equal(record_write(f, &rec), 0);
	fclose(f);
	assert_string_equal(text, want);
}

static void test_check(void **state)
{
	union record rec;

	(void)state;
	memset(&rec, 0, sizeof(rec));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t size = kinds[i].size;

		rec.head.kind = (uint16_t)kinds[i].kind;
		rec.head.size = (uint16_t)size;
		assert_int_equal(record_check(&rec, size), 0);
		assert_int_equal(record_check(&rec, size - 1), -EINVAL);
		assert_int_equal(record_check(&rec, size + 8), -EINVAL);
		rec.head.size--;
		assert_int_equal(record_check(&rec, size), -EINVAL);
		assert_int_equal(record_check(&rec, size - 1), -EINVAL);
	}
	rec.head.size = sizeof(struct rec_failure);
	rec.head.kind = REC_NONE;
	assert_int_equal(record_check(&rec, rec.head.size), -EINVAL);
	rec.head.kind = REC_KINDS;
	assert_int_equal(record_check(&rec, rec.head.size), -EINVAL);
	rec.head.kind = 0xffff;
	assert_int_equal(record_check(&rec, rec.head.size), -EINVAL);
	assert_int_equal(record_check(&rec, 0), -EINVAL);
	assert_int_equal(record_check(&rec, sizeof(struct rec_head) - 1),
			 -EINVAL);
}

static void test_write_refuses(void **state)
{
	struct record_context no_hz = {.arch = "x86_64"};
	union record rec = {.head = {.kind = REC_KINDS, .size = 576}};
	FILE *full;

	(void)state;
	assert_int_equal(record_write(stderr, &rec), -EINVAL);
	rec.head.kind = REC_SENT;
	rec.head.size = 1;
	assert_int_equal(record_write(stderr, &rec), -EINVAL);
	assert_int_equal(record_write_header(stderr, &no_hz), -EINVAL);
	full = fopen("/dev/full", "w");
	if (!full)
		skip();
	setvbuf(full, NULL, _IONBF, 0);
	rec.head.size = sizeof(struct rec_failure);
	assert_int_equal(record_write(full, &rec), -ENOSPC);
	fclose(full);
}

struct refusal {
	const char *line, *err;
};

#define HEADER "rstscope-records abi=1 hz=250"

/* A line after a good header, and what is said of it. */
static const struct refusal bad_records[] = {
	{"what cpu=1\n", "line 2: unknown kind of record 'what'"},
	{"sent newer=1\n", "line 2: unknown field 'newer'"},
	{"sent sock.newer=1\n", "line 2: unknown field 'sock.newer'"},
	{"sent sock=1\n", "line 2: unknown field 'sock'"},
	{"sent cpu.x=1\n", "line 2: unknown field 'cpu.x'"},
	{"sent cp=1\n", "line 2: unknown field 'cp'"},
	{"sent known=1 known=2\n", "line 2: field 'known' is there twice"},
	{"sent cpu\n", "line 2: field 'cpu' has no value"},
	{"sent cpu=\n", "line 2: field 'cpu' cannot be ''"},
	{"sent cpu=-1\n", "line 2: field 'cpu' cannot be '-1'"},
	{"sent cpu=4294967296\n", "line 2: field 'cpu' cannot be '4294967296'"},
	{"sent time_ns=18446744073709551616\n",
	 "line 2: field 'time_ns' cannot be '18446744073709551616'"},
	{"sent family=256\n", "line 2: field 'family' cannot be '256'"},
	{"sent lport=65536\n", "line 2: field 'lport' cannot be '65536'"},
	{"sent sock.err=2147483648\n",
	 "line 2: field 'sock.err' cannot be '2147483648'"},
	{"sent sock.err=-2147483649\n",
	 "line 2: field 'sock.err' cannot be '-2147483649'"},
	{"sent laddr=1.2.3\n", "line 2: field 'laddr' cannot be '1.2.3'"},
	{"sent task.comm=0123456789abcdefg\n",
	 "line 2: field 'task.comm' cannot be '0123456789abcdefg'"},
	{"sent task.comm=\\\n", "line 2: field 'task.comm' cannot be '\\'"},
	{"sent task.comm=\\x4\n", "line 2: field 'task.comm' cannot be '\\x4'"},
	{"sent task.comm=\\n41\n",
	 "line 2: field 'task.comm' cannot be '\\n41'"},
	{"sent  cpu=1\n", "line 2: unknown field ''"},
	{"\n# a comment\nexit known=1\n", "line 4: unknown field 'known'"},
	{"sent cpu=1", "line 2: cut off before its end"},
	{"sent \033[2J=1\n", "line 2: unknown field '?[2J'"},
};

static void test_bad_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_records); i++) {
		struct record_context ctx;
		struct record_reader *r;
		char err[200] = "";
		union record rec;
		FILE *f = tmpfile();

		fprintf(f, HEADER "\n%s", bad_records[i].line);
		rewind(f);
		assert_int_equal(
			record_reader_open(&r, f, &ctx, err, sizeof(err)), 0);
		assert_int_equal(record_reader_next(r, &rec, err, sizeof(err)),
				 -EINVAL);
		assert_string_equal(err, bad_records[i].err);
		record_reader_free(r);
		fclose(f);
	}
}

static const struct refusal bad_headers[] = {
	{"", "line 1: not a recording of rstscope"},
	{"sent cpu=1\n", "line 1: not a recording of rstscope"},
	{"rstscope-records\n",
	 "line 1: recorded with abi 0, this program reads 1"},
	{"rstscope-records abi=2 hz=250\n",
	 "line 1: recorded with abi 2, this program reads 1"},
	{"rstscope-records abi=2 newer=1 hz=250\n",
	 "line 1: recorded with abi 2, this program reads 1"},
	{"rstscope-records abi=1\n", "line 1: field 'hz' is missing"},
	{"rstscope-records abi=1 hz=0\n", "line 1: field 'hz' is missing"},
	{HEADER " what=1\n", "line 1: unknown field 'what'"},
	{HEADER " what\n", "line 1: field 'what' cannot be ''"},
	{HEADER " arch=0123456789abcdef\n",
	 "line 1: field 'arch' cannot be '0123456789abcdef'"},
	{HEADER " reason.40=X\n", "line 1: unknown field 'reason.40'"},
	{HEADER " reason.x=X\n", "line 1: unknown field 'reason.x'"},
	{HEADER, "line 1: cut off before its end"},
};

static void test_bad_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_headers); i++) {
		struct record_context ctx;
		struct record_reader *r = NULL;
		char err[200] = "";
		FILE *f = tmpfile();

		fputs(bad_headers[i].line, f);
		rewind(f);
		assert_int_equal(
			record_reader_open(&r, f, &ctx, err, sizeof(err)),
			-EINVAL);
		assert_string_equal(err, bad_headers[i].err);
		assert_null(r);
		fclose(f);
	}
}

static void check_unreadable(FILE *f, const char *want)
{
	struct record_context ctx;
	struct record_reader *r;
	char err[200] = "";

	rewind(f);
	assert_int_equal(record_reader_open(&r, f, &ctx, err, sizeof(err)),
			 -EINVAL);
	assert_string_equal(err, want);
	fclose(f);
}

static void test_no_text(void **state)
{
	FILE *f = tmpfile();

	(void)state;
	fwrite("rstscope\0records\n", 1, 17, f);
	check_unreadable(f, "line 1: not a text file");
	f = tmpfile();
	for (int i = 0; i < 100000; i++)
		fputc('x', f);
	check_unreadable(f, "line 1: longer than any record");
}

int main(void)
{
	const struct CMUnitTest record_text[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_text_is_readable),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_no_text),
	};

	return cmocka_run_group_tests(record_text, NULL, NULL);
}
