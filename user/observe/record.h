/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw records: from bytes to facts, and to and from the text that --record
 * writes and replay reads.
 */
#ifndef RSTSCOPE_RECORD_H
#define RSTSCOPE_RECORD_H

#include <stddef.h>
#include <stdio.h>

#include "user/observe/context.h"
#include "user/observe/facts.h"

/* Large enough for any record, aligned. */
union record {
	struct rec_head head;
	struct rec_failure failure;
	struct rec_told told;
	struct rec_exit exit;
	struct rec_stack stack;
};

/* Size and kind fit each other: 0, or -EINVAL for a torn or foreign record. */
int record_check(const void *data, size_t size);

/* Decodes one failure record (received, sent, error, hangup). */
void record_facts(const struct rec_failure *rec,
		  const struct record_context *ctx, struct facts *f);
void record_task(const struct rec_task *task, struct fact_task *out);
/* UNIX time of a moment on CLOCK_MONOTONIC. */
int64_t record_time_us(uint64_t mono_ns, const struct record_context *ctx);
/* The call a task is in, as the class and name that people know. */
void record_call(const struct rec_task *task, const struct record_context *ctx,
		 struct fact_call *out);

/*
 * The text form: one record a line, "kind field=value ...", zero fields left
 * out; the first line carries the context. Unknown fields are refused with
 * their name, so that a newer recording is not silently misread.
 */
int record_write_header(FILE *out, const struct record_context *ctx);
int record_write(FILE *out, const union record *rec);
/*
 * Reads the next line: 1 a record, 0 end of file, -EINVAL with one line in err.
 */
struct record_reader;
int record_reader_open(struct record_reader **out, FILE *in,
		       struct record_context *ctx, char *err, size_t err_size);
int record_reader_next(struct record_reader *r, union record *rec, char *err,
		       size_t err_size);
void record_reader_free(struct record_reader *r);

#endif
