/* SPDX-License-Identifier: Apache-2.0 */
/* One failure as the history keeps it, and what several of them add up to. */
#ifndef RSTSCOPE_SAMPLE_H
#define RSTSCOPE_SAMPLE_H

#include <stddef.h>

#include "user/explain/history.h"

struct sample {
	uint64_t failure;
	int64_t time_us;
	int64_t end_us; /* when the peer ended it: its FIN, or the RST */
	int64_t idle_ms, age_ms; /* NOT_KNOWN: none */
	uint16_t local_port;
	uint8_t kind;  /* enum failure_kind */
	uint8_t cause; /* enum cause, as it was given then */
	bool brief;    /* of an age near 0 */
	bool in_tls;   /* in a TLS handshake */
	bool went_on;  /* sent: it answered data of the peer */
	bool live;     /* an established connection ended */
	bool timed;    /* after an idle time: a timer may have done it */
	bool shadowed; /* a later one ended within a moment: one event */
	bool bare;     /* its RST was that of a stack without such a socket */
};

void sample_take(struct sample *s, const struct facts *f,
		 const struct verdict *v);

/* Marks what the newest of the ring, at `at`, makes one event of with it. */
void samples_mark(struct sample *ring, size_t size, size_t at);

/* Adds up into past what the n samples say to f. */
void samples_sum(const struct sample *sample, size_t n, const struct facts *f,
		 struct past *past);

/* Live connections that broke in the 10 s before f; cheap. */
unsigned int samples_live_before(const struct sample *sample, size_t n,
				 const struct facts *f, bool by_death);

/*
 * Not a byte either way, or no more than a TLS handshake: what a probe leaves.
 */
bool facts_carried_nothing(const struct facts *f);

/* The age is that of a connection that was not let in. */
bool facts_brief(const struct facts *f);

/*
 * How long the connection was idle when its end was decided: where the peer's
 * FIN had come, idle until that; NOT_KNOWN where nothing tells.
 */
int64_t facts_idle_at_end_ms(const struct facts *f);

/* How old the connection was then. */
int64_t facts_age_at_end_ms(const struct facts *f);

/* The idle time, or how long an answer was overdue: what a timer may have
 * timed. */
int64_t facts_timer_ms(const struct facts *f);

#endif
