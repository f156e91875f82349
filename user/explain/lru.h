/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded hash tables over uthash. uthash keeps the order of insertion, so
 * taking an entry out and putting it back makes it the youngest.
 */
#ifndef RSTSCOPE_LRU_H
#define RSTSCOPE_LRU_H

#include <stdlib.h>
#include <uthash.h>

/* out: the entry of that key, new and zeroed where missing; NULL: no memory. */
#define LRU_NEED(table, type, key_, most, evicted, out)                        \
	do {                                                                   \
		HASH_FIND(hh, table, &(key_), sizeof(key_), out);              \
		if (out) {                                                     \
			if ((out)->hh.next) {                                  \
				HASH_DEL(table, out);                          \
				HASH_ADD(hh, table, key, sizeof(key_), out);   \
			}                                                      \
			break;                                                 \
		}                                                              \
		if (HASH_COUNT(table) >= (most)) {                             \
			type *oldest_ = table;                                 \
			HASH_DEL(table, oldest_);                              \
			free(oldest_);                                         \
			(evicted)++;                                           \
		}                                                              \
		out = calloc(1, sizeof(*(out)));                               \
		if (out) {                                                     \
			(out)->key = (key_);                                   \
			HASH_ADD(hh, table, key, sizeof(key_), out);           \
		}                                                              \
	} while (0)

#define LRU_CLEAR(table, type)                                                 \
	do {                                                                   \
		type *at_, *next_;                                             \
		HASH_ITER (hh, table, at_, next_) {                            \
			HASH_DEL(table, at_);                                  \
			free(at_);                                             \
		}                                                              \
	} while (0)

#endif
