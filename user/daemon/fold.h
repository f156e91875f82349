/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alike failures under load: of those with the same key, the first FOLD_SINGLE
 * in FOLD_WINDOW_US are kept one by one; the rest of the window is folded into
 * the last of them, as its count.
 */
#ifndef RSTSCOPE_FOLD_H
#define RSTSCOPE_FOLD_H

#include "user/store/event.h"

#define FOLD_SINGLE    10
#define FOLD_WINDOW_US (10 * USEC_PER_SEC)
#define FOLD_GROUPS    1024

/* What must be alike; the ephemeral port never counts. Zero it first. */
struct fold_key {
	int32_t kind, cause, class, errno_nr, state;
	int32_t pad;
	int64_t pid, netns;
	uint8_t peer_ip[16];
	uint16_t port; /* the service's */
	uint16_t pad2[3];
};

/* The key of a failure with that cause. */
void fold_key_of(const struct facts *f, int cause, struct fold_key *key);

struct fold;

struct fold_stats {
	uint64_t folded, evicted;
	uint64_t groups;
};

struct fold *fold_new(size_t groups);
void fold_free(struct fold *f);

/*
 * Counts one failure (or n that the kernel counted). The event that it was
 * folded into (owned by the fold, valid until the next call), or NULL: keep it,
 * and hand its event over with fold_keep().
 */
struct event *fold_count(struct fold *f, const struct fold_key *key,
			 int64_t time_us, int64_t n);
/*
 * The event kept for that key, to fold later ones into. Copies it. True: later
 * ones will be folded into it, so that it may not be handed over again without
 * their count, see fold_kept().
 */
bool fold_keep(struct fold *f, const struct fold_key *key,
	       const struct event *ev);
/* The copy of the event of that id while it is folded into, or NULL. */
struct event *fold_kept(struct fold *f, int64_t id);

/* Hands over each event whose count grew since the last call. */
typedef void (*fold_fn)(const struct event *ev, void *ctx);
void fold_flush(struct fold *f, fold_fn fn, void *ctx);
void fold_get_stats(const struct fold *f, struct fold_stats *stats);

#endif
