/* SPDX-License-Identifier: Apache-2.0 */
/* The tables as text, from which man pages and completions are made. */
#ifndef RSTSCOPE_DUMP_H
#define RSTSCOPE_DUMP_H

#include <stdio.h>

/* Rows of five fields: what TAB name TAB letter TAB argument TAB help. */
void dump_all(FILE *out);

#endif
