/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is all well? The daemon's note in the store and the store itself, judged.
 * Kept apart from printing, so that the judgement can be tested.
 */
#ifndef RSTSCOPE_CHECKUP_H
#define RSTSCOPE_CHECKUP_H

#include <jansson.h>

#include "user/cli/cli.h"

#define DAEMON_NOTE "daemon"
/* The daemon writes its note every 2 s; a busy disk may delay it. */
#define DAEMON_SILENT_US (10 * USEC_PER_SEC)

#define PROBLEMS_MOST 32

struct checkup {
	json_t *daemon; /* the note, NULL: there is none */
	bool running;
	int64_t silent_us;		   /* since its last note; NOT_KNOWN */
	int64_t store_bytes, store_events; /* NOT_KNOWN */
	struct store_checked checked;
	unsigned int problems;
	char problem[PROBLEMS_MOST][256];
};

/*
 * `alive` says whether a process of that pid runs; `host` is this machine's
 * name: on another one the pid says nothing. 0 or -ENOMEM.
 */
int checkup_daemon(struct checkup *c, const char *note, const char *host,
		   bool (*alive)(int64_t pid), int64_t now_us);
void checkup_store(struct checkup *c, struct store *store, bool whole);
void checkup_free(struct checkup *c);

/* Numbers of the note, NOT_KNOWN where they are missing: "lost", "ring". */
int64_t checkup_number(const struct checkup *c, const char *object,
		       const char *name);
/* A text of the note, "" where it is missing; fit to print. */
void checkup_text(const json_t *object, const char *name, char *out,
		  size_t size);

#endif
