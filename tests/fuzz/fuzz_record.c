// SPDX-License-Identifier: Apache-2.0
/*
 * Recordings come from anywhere. Whatever a reader accepts must be a good
 * record, and the same after another turn through the text form.
 */
#include <stdlib.h>
#include <string.h>

#include "user/observe/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void demand_same_context(const struct record_context *a,
				const struct record_context *b)
{
	demand(a->jiffy_ms == b->jiffy_ms);
	demand(a->unix_offset_ns == b->unix_offset_ns);
	demand(a->host_netns == b->host_netns);
	demand(strcmp(a->arch, b->arch) == 0);
	demand(strcmp(a->kernel, b->kernel) == 0);
	for (size_t i = 0; i < sizeof(a->reasons) / sizeof(a->reasons[0]); i++)
		demand(strcmp(a->reasons[i], b->reasons[i]) == 0);
}

/* A record through its text and back, under a header of its own. */
static void turn(const struct record_context *ctx, const union record *rec,
		 union record *back)
{
	struct record_context ctx_back;
	struct record_reader *r;
	char *text = NULL, err[64];
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	demand(f && record_write_header(f, ctx) == 0);
	demand(record_write(f, rec) == 0);
	fclose(f);
	f = fmemopen(text, size, "r");
	demand(record_reader_open(&r, f, &ctx_back, err, sizeof(err)) == 0);
	demand_same_context(&ctx_back, ctx);
	demand(record_reader_next(r, back, err, sizeof(err)) == 1);
	record_reader_free(r);
	fclose(f);
	free(text);
}

/* Of what was read from text, a turn loses nothing. */
static void turn_exactly(const struct record_context *ctx,
			 const union record *rec)
{
	union record back;

	turn(ctx, rec, &back);
	demand(memcmp(rec, &back, rec->head.size) == 0);
}

static void read_text(const uint8_t *data, size_t size)
{
	FILE *f = fmemopen((void *)data, size, "r");
	struct record_context ctx;
	struct record_reader *r;
	union record rec;
	char err[64] = "";

	if (!f)
		return;
	if (record_reader_open(&r, f, &ctx, err, sizeof(err)) == 0) {
		while (record_reader_next(r, &rec, err, sizeof(err)) == 1) {
			demand(record_check(&rec, rec.head.size) == 0);
			turn_exactly(&ctx, &rec);
		}
		record_reader_free(r);
	}
	demand(memchr(err, '\0', sizeof(err)) != NULL);
	fclose(f);
}

/* The same bytes as the ring would hand them over, padding dirty. */
static void read_raw(const uint8_t *data, size_t size)
{
	static const struct record_context ctx = {.jiffy_ms = 4};
	union record rec, clean;

	if (record_check(data, size))
		return;
	demand(size <= sizeof(rec));
	memset(&rec, 0, sizeof(rec));
	memcpy(&rec, data, size);
	turn(&ctx, &rec, &clean);
	turn_exactly(&ctx, &clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_raw(data, size);
	read_text(data, size);
	return 0;
}
