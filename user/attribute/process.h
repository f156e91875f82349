/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a process is: executable, user, systemd unit, container, pod. Looked up
 * once per process from /proc and its cgroup, kept for a while after its exit
 * (the culprit is often dead when its RST is read). Never reads command lines
 * or environments. Bounded; evictions are counted.
 */
#ifndef RSTSCOPE_PROCESS_H
#define RSTSCOPE_PROCESS_H

#include <stddef.h>

#include "user/observe/facts.h"

struct process {
	int64_t pid;
	uint64_t start_ns; /* CLOCK_BOOTTIME; with pid: which process */
	int64_t uid;	   /* NOT_KNOWN */
	char comm[REC_COMM + 1];
	char exe[256]; /* "" where it could not be read */
	char unit[128];
	char container[65];
	char pod[40];
	bool exited;
	int64_t exit_signal, exit_status; /* NOT_KNOWN until it exited */
	bool oom_killed;
	int64_t exit_time_us; /* NOT_KNOWN */
};

struct processes;

struct processes_stats {
	uint64_t cached, looked_up, evicted, missed; /* missed: gone already */
};

/* proc_root is "/proc" but for tests; NULL: out of memory. */
struct processes *processes_new(const char *proc_root, size_t capacity);
void processes_free(struct processes *p);

/*
 * The process behind a task of a record; reads /proc at most once per process.
 * Valid until the next call. Never NULL for a known pid: what cannot be read
 * any more stays empty, comm and uid come from the record. The start time
 * guards against a reused pid: facts of another process are never shown.
 */
const struct process *processes_get(struct processes *p,
				    const struct fact_task *task);
void processes_exit(struct processes *p, const struct fact_task *task,
		    int64_t time_us);
void processes_get_stats(const struct processes *p,
			 struct processes_stats *stats);

/*
 * Reads unit, container and pod from the text of /proc/PID/cgroup (v1, v2 and
 * hybrid). Fields not found become "". `which` buffers as in struct process.
 */
void cgroup_identify(const char *text, struct process *out);

/*
 * The process that has the TCP socket with this tuple open, by scanning
 * /proc/PID/fd and /proc/PID/net/tcp: slow, for what nothing else tells.
 * 0 or -ENOENT.
 */
int scan_socket_owner(const char *proc_root, const struct facts *f,
		      struct fact_task *out);

#endif
