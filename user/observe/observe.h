/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel side seen from the daemon: which probe is served by which method,
 * loading them, draining the ring, reading the counters.
 */
#ifndef RSTSCOPE_OBSERVE_H
#define RSTSCOPE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "user/observe/context.h"

struct observer;

struct observer_config {
	bool syscalls;	/* the probes on the send and receive path */
	bool netfilter; /* kfree_skb, for REJECT rules of this host */
	bool packet;	/* tcp_probe, for the RSTs that come */
	bool separate_netns;
	const char *methods; /* plan.h, in order of preference; NULL: all */
	bool family; /* follow the processes that descend from the caller */
	bool stacks; /* where failing calls came from */
	uint32_t ring_bytes;  /* 0: the default */
	uint32_t connections; /* table size; 0: from the machine's memory */
};

struct probe_status {
	char hook[40];	 /* tcp_receive_reset, task_file ... */
	char method[16]; /* tp_btf, fentry, raw_tp, kprobe, iter, none */
	bool up;
	bool required;
	bool extra;    /* down on many a host: nothing to warn of */
	char why[200]; /* down: the reason, in words */
	uint64_t runs; /* where kernel.bpf_stats_enabled is on */
	uint64_t run_ns;
	bool missed_known;
	uint64_t missed; /* runs that the kernel skipped, and nothing made up
			  * for (bpf/stub.h) */
};
#define PROBES_MAX 24

struct observe_counts {
	struct rec_count kind[REC_KINDS]; /* by enum rec_kind */
	uint64_t tally[TALLIES];	  /* by enum rec_tally */
	bool ignored_known;		  /* TALLY_IGNORED_*: drops are seen */
	bool rejected_known;		  /* TALLY_REJECTED */
};

/* What this kernel or this choice of probes cannot show, in words. */
#define BLIND_SPOTS_MAX 32
struct blind_spot {
	char text[320];
};

/*
 * Loads and attaches. 0; -EPERM privileges, -ENOTSUP kernel (no BTF, a probe
 * that nothing can replace), both with one line for people in err.
 */
int observer_open(struct observer **out, const struct observer_config *config,
		  char *err, size_t err_size);
void observer_close(struct observer *o);

/* Gives the sockets that already exist their owners. Number, or -errno. */
int observer_seed(struct observer *o);
/* The same again where a listener got its port only after listen(). */
void observer_seed_again(struct observer *o);

/*
 * Whether a process descends from the caller of observer_open(), which asked
 * for `family`; pid as in records.
 */
bool observer_is_family(const struct observer *o, int64_t pid);

/* For epoll: readable when the kernel woke the daemon. */
int observer_fd(const struct observer *o);
/* Records follow without wake-ups while on; the caller drains by timer. */
void observer_set_busy(struct observer *o, bool busy);

typedef void (*record_fn)(const void *data, size_t size, void *ctx);
/* Hands over at most `most` records; their number. */
size_t observer_drain(struct observer *o, size_t most, record_fn fn, void *ctx);

/*
 * RSTs for segments of no socket that were only counted, one record a source
 * with the count: for what no later record carried. Call it every second.
 */
void observer_take_strays(struct observer *o, record_fn fn, void *ctx);

const struct record_context *observer_context(const struct observer *o);
void observer_get_counts(const struct observer *o, struct observe_counts *c);
size_t observer_get_probes(const struct observer *o,
			   struct probe_status probes[PROBES_MAX]);
size_t observer_get_blind_spots(const struct observer *o,
				struct blind_spot spots[BLIND_SPOTS_MAX]);

#endif
