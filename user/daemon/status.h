/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's state as text: the note "daemon" in the store, which `doctor`
 * reads, also when the daemon is gone.
 */
#ifndef RSTSCOPE_STATUS_H
#define RSTSCOPE_STATUS_H

#include "user/attribute/process.h"
#include "user/daemon/stacks.h"
#include "user/observe/observe.h"
#include "user/store/writer.h"

#define STATUS_NOTE "daemon"

struct status {
	int64_t pid;
	const char *version, *revision, *kernel, *host, *listen;
	int64_t started_us, updated_us; /* UNIX time */
	bool ended;			/* the daemon's last words */
	const struct probe_status *probes;
	size_t n_probes;
	const struct blind_spot *blind_spots;
	size_t n_blind_spots;
	struct observe_counts counts;
	int64_t sockets_seeded; /* NOT_KNOWN: null */
	struct writer_stats store;
	struct processes_stats processes;
	struct stacks_stats stacks;
};

/* JSON on one line, malloc'd; NULL: out of memory. */
char *status_json(const struct status *s);

#endif
