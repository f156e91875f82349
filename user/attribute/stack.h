/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a failing call came from: the user stack of a record with the names of
 * its functions. Names come from ELF symbol tables, and for code that a JIT
 * made (Node.js, Java) from the map that it writes to /tmp/perf-PID.map.
 */
#ifndef RSTSCOPE_STACK_TEXT_H
#define RSTSCOPE_STACK_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/observe/facts.h"

/* One more than the kernel gives: see stack_caller() of symbolize.c. */
#define STACK_FRAMES (REC_FRAMES + 1)
#define STACK_NAME   160

struct stack_frame {
	uint64_t address;
	int64_t offset;		 /* in the module's file, or NOT_KNOWN */
	char symbol[STACK_NAME]; /* "" where it is not known */
	char module[STACK_NAME]; /* the file, likewise */
};

struct stack {
	uint32_t frames;
	bool gone; /* the process had ended: nothing but addresses */
	struct stack_frame frame[STACK_FRAMES]; /* innermost first */
};

/* The addresses alone. */
void stack_bare(const struct rec_stack *rec, struct stack *out);

struct symbolizer;

/* proc_root is "/proc" but for tests; NULL: out of memory. */
struct symbolizer *symbolizer_new(const char *proc_root);
void symbolizer_free(struct symbolizer *s);
/*
 * Reads files that other users have made: for a process of its own, with its
 * memory and time limited (stacks.h).
 */
void symbolizer_read(struct symbolizer *s, const struct rec_stack *rec,
		     struct stack *out);

/*
 * Gives frames without a symbol the names that a perf map has for their
 * addresses. Of overlapping entries the last one counts, as code is replaced.
 */
void perf_map_read(FILE *in, struct stack *st);

#endif
