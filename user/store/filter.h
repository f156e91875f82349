/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILTER of the command line and of the HTTP API: which events are wanted.
 */
#ifndef RSTSCOPE_FILTER_H
#define RSTSCOPE_FILTER_H

#include <stddef.h>

#include "user/store/event.h"

struct filter {
	int64_t since_us, until_us; /* UNIX time; NOT_KNOWN: no bound */
	char process[REC_COMM + 1];
	int64_t pid;
	bool peer_set;
	uint8_t peer_family, peer_bits;
	uint8_t peer_ip[16];
	int64_t peer_port;	/* NOT_KNOWN: any */
	int64_t port;		/* local or peer */
	int cause, kind, class; /* enums; NOT_KNOWN: any */
	char unit[128];
	char container[65]; /* a prefix */
	char host[65];
	bool benign;	  /* show the benign ones too */
	bool benign_only; /* the others not: to count what was not shown */
	int64_t limit;	  /* newest N; NOT_KNOWN: no limit */
	int64_t after_id; /* only ids above it (tail) */
	/* Only what is listed before that event (pages); before_id 0: all. */
	int64_t before_us, before_id;
};

/* Matches everything but benign events. */
void filter_init(struct filter *f);

/*
 * Sets one field from its command-line name without dashes ("since", "peer")
 * and its text; now_us gives "1h" its meaning. `value` is NULL for flags.
 * 0; -ENOENT no such filter; -EINVAL with one line in err.
 */
int filter_set(struct filter *f, const char *name, const char *value,
	       int64_t now_us, char *err, size_t err_size);

/*
 * What holds where nothing was said: an hour before `until`, or before now; and
 * what a cause implies.
 */
void filter_default_window(struct filter *f, int64_t now_us);

/* For tail and replay, where there is no database to ask. */
bool filter_match(const struct filter *f, const struct event *ev);

/* Names for --help, man pages and completions; the last one has name NULL. */
struct filter_option {
	const char *name, *argument, *help; /* argument NULL: a flag */
};
extern const struct filter_option filter_options[];

#endif
