/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines: the table of ls and tail, or JSON. */
#ifndef RSTSCOPE_LIST_H
#define RSTSCOPE_LIST_H

#include "user/cli/cli.h"

struct list;

/* `columns` is the text of -o or NULL. -EINVAL after one line; or -ENOMEM. */
int list_new(struct list **out, const struct cli *cli, const char *columns);
void list_free(struct list *l);
/* Each event is printed as it comes. */
void list_set_streaming(struct list *l);
/* 0 or -errno. */
int list_add(struct list *l, const struct event *ev);
/* Prints what is left. */
int list_flush(struct list *l);
/* How many were added so far. */
size_t list_count(const struct list *l);

#endif
