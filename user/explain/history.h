/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened before, per destination (network namespace, peer address and
 * port) and per local service (namespace, local port), per peer address for
 * scans, and which processes died. Every table has a cap and evicts the least
 * recently used; what was evicted is counted.
 */
#ifndef RSTSCOPE_HISTORY_H
#define RSTSCOPE_HISTORY_H

#include <stddef.h>

#include "user/explain/verdict.h"
#include "user/observe/facts.h"

struct history;

struct history_stats {
	size_t places, peers, deaths;
	uint64_t evicted;
};

/* Idle times or ages that lie close together. */
struct cluster {
	unsigned int n; /* with the failure in question; 0: too few */
	double seconds; /* the median */
	double spread;	/* largest minus smallest, seconds */
};

/* What the history says to one failure, which is itself left out. */
struct past {
	unsigned int failures_1s, failures_10s, failures_60s;
	unsigned int sudden_10s;  /* others that broke off with no timer */
	unsigned int brief_10s;	  /* of these, those of an age near 0 */
	unsigned int lasting_10s; /* and those of a longer life */
	/* Live ones that the peer ended in one moment with this one. */
	unsigned int together;
	int64_t together_idle_ms; /* how far their idle times differ; NOT_KNOWN:
				   * fewer than two were idle */
	int64_t together_end_ms;  /* and their ends */
	unsigned int together_busy; /* ended in use, this one included */
	unsigned int refused; /* at this endpoint, since the end or just before
			       */
	unsigned int
		live_before;	/* live connections that broke in 10 s before */
	unsigned int tls_alike; /* handshakes that failed before */
	unsigned int tls_other; /* failures in another way meanwhile */
	unsigned int forgotten; /* bare RSTs after a pause, before this
				 * connection was made: no one reboot */
	struct cluster idle, age;
	double period_s; /* empty probes at that period; 0: none */
	unsigned int periods;
	unsigned int ports_hit;	  /* our ports that this peer tried in 10 s */
	bool peer_went_on;	  /* its data came after the RST in its name */
	unsigned int successes;	  /* see history_success() */
	double longest_success_s; /* idle time that still worked; 0: none */
};

struct history *history_new(size_t places);
void history_free(struct history *h);

void history_look(const struct history *h, const struct facts *f,
		  struct past *past);
/* Failures ever learned at the place of f; 0: none. */
uint64_t history_stamp(const struct history *h, const struct facts *f);
/*
 * What was learned there since the stamp was `stamp`, and nothing before:
 * *past, the moment of the last one, and how many they were. 0: none, *past
 * and *last_us are untouched.
 */
uint64_t history_since(const struct history *h, const struct facts *f,
		       uint64_t stamp, struct past *past, int64_t *last_us);
void history_learn(struct history *h, const struct facts *f,
		   const struct verdict *v);
void history_exit(struct history *h, const struct fact_task *task,
		  int64_t time_us);

/*
 * A kept-alive connection to that destination was used after so long an idle
 * time, and worked: the control group. history_learn() calls it for the pauses
 * that a connection had survived before it failed.
 */
void history_success(struct history *h, const struct facts *f, int64_t idle_ms);

/* Live connections to the place of f that broke in the 10 s before; cheap. */
unsigned int history_live_before(const struct history *h,
				 const struct facts *f);
/* Of these, those that a process of this host ended by its own end; cheap. */
unsigned int history_died_before(const struct history *h,
				 const struct facts *f);
/*
 * The period, in seconds, at which empty connections come to the place of f,
 * if f is one of at least four; 0: none. Cheap: learned as they come.
 */
double history_period_s(const struct history *h, const struct facts *f);

/* The process died, at most a minute before time_us; its last words, or NULL.
 */
const struct fact_task *history_death(const struct history *h,
				      const struct fact_task *task,
				      int64_t time_us);

/* Ports of this host that the peer of f tried lately; cheap. */
unsigned int history_ports_hit(const struct history *h, const struct facts *f);

void history_get_stats(const struct history *h, struct history_stats *stats);

#endif
