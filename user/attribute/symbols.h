/* SPDX-License-Identifier: Apache-2.0 */
/* What ELF files say of their code; the last ones used are kept open. */
#ifndef RSTSCOPE_SYMBOLS_H
#define RSTSCOPE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;
struct symbols_file;

struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);
/* Takes the descriptor. NULL: no ELF file that can be read. */
struct symbols_file *symbols_open(struct symbols *s, int fd);
/* The function at that offset of the file; "" where no symbol covers it. */
void symbols_name(const struct symbols *s, struct symbols_file *f,
		  uint64_t offset, char *out, size_t size);
/*
 * Where, in words above the stack pointer, the return address lies while the
 * code at that offset runs: -ENOENT where the function has a frame pointer, or
 * says nothing.
 */
int symbols_return_slot(struct symbols_file *f, uint64_t offset);

#endif
