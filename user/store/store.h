/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history. One interface; SQLite is the embedded engine (WAL: readable by
 * other processes while the daemon writes and while it is down). A URL names a
 * store: "sqlite:PATH" or a bare path.
 *
 * A store handle belongs to one thread. Functions return 0 or -errno; where an
 * err buffer is given it holds one line for people on failure.
 */
#ifndef RSTSCOPE_STORE_H
#define RSTSCOPE_STORE_H

#include "user/store/event.h"
#include "user/store/filter.h"

#define STORE_DEFAULT_URL "sqlite:/var/lib/rstscope/events.db"

enum store_mode {
	STORE_READ,  /* must exist; nothing is written, also not by SQLite */
	STORE_WRITE, /* created where missing; one writer at a time (flock) */
};

struct store;

/*
 * -EPROTONOSUPPORT no engine for that URL, -ENOENT missing, -EBUSY another
 * daemon writes to it, -EMEDIUMTYPE a file that is no store of ours (left
 * untouched), -EPROTO another schema (a newer one; to read, also an older one:
 * only a writer migrates), -EACCES / -EROFS / -ENOSPC as the system says.
 */
int store_open(struct store **out, const char *url, enum store_mode mode,
	       char *err, size_t err_size);
void store_close(struct store *s);

/* The highest id ever given, 0 for an empty store. */
int store_last_id(struct store *s, int64_t *id);

/* Inserts, or replaces the event of that id, all in one transaction. */
int store_put(struct store *s, const struct event *const *events, size_t n,
	      char *err, size_t err_size);
/* The same for packed events (event_pack.h), as the writer's queue has them. */
struct store_packed {
	const uint8_t *data;
	size_t size;
	int64_t stack_of; /* not 0: the data are the stack of that event */
};
int store_put_packed(struct store *s, const struct store_packed *events,
		     size_t n, char *err, size_t err_size);
/*
 * What was put survives the death of the process at once, but a power cut only
 * after this: a sync of the disk. The writer calls it once a second.
 */
int store_sync(struct store *s);

/* Return non-zero from the callback to stop; that value is returned. */
typedef int (*store_event_fn)(const struct event *ev, void *ctx);

/*
 * Oldest first; with a limit, the newest `limit` of them, oldest first. No
 * transaction is open while fn runs: it may take its time without holding up
 * the daemon's checkpoints. Events that are damaged are left out, and -EBADMSG
 * is returned after all others were given.
 */
int store_query(struct store *s, const struct filter *f, store_event_fn fn,
		void *ctx, char *err, size_t err_size);
/*
 * The same for what only counts and groups: an event has no more than its brief
 * (event_pack.h), which takes a tenth of the time, and they come in any order.
 * A transaction is open while fn runs: it is to be quick.
 */
int store_scan(struct store *s, const struct filter *f, store_event_fn fn,
	       void *ctx, char *err, size_t err_size);
int store_get(struct store *s, int64_t id, struct event *ev); /* or -ENOENT */
/*
 * Where the call of an event came from, as stack_text() wrote it, malloc'd;
 * -ENOENT where there is none.
 */
int store_get_stack(struct store *s, int64_t id, char **text);
/* How many events (by row, and by count) match. */
int store_count(struct store *s, const struct filter *f, int64_t *rows,
		int64_t *events);

/*
 * Deletes what is older than max_age_s and then, oldest first, what exceeds
 * max_bytes (0: no bound). Gives space back to the file system. Does a bounded
 * share of the work per call (STORE_PRUNE_EVENTS) so that its thread is never
 * held up for long: *deleted is 0 when all is done.
 */
#define STORE_PRUNE_EVENTS 2000
int store_prune(struct store *s, int64_t now_us, int64_t max_age_s,
		int64_t max_bytes, int64_t *deleted);
int store_size(struct store *s, int64_t *bytes, int64_t *events);

/* Small named texts beside the events: the daemon's state for `doctor`. */
int store_set_note(struct store *s, const char *key, const char *text);
/* *text is malloc'd; -ENOENT where there is none. */
int store_get_note(struct store *s, const char *key, char **text);

/* Connections that the host established while the daemon watched. */
struct store_connections {
	int64_t from_us, until_us;
	int64_t client, server; /* opened by this host, by others */
};
/* An interval of a minute or so; replaces the one with the same from_us. */
int store_put_connections(struct store *s, const struct store_connections *c);
/*
 * Of since_us..until_us. Of an interval that is only partly in there, a part is
 * counted. All 0 where nothing is known.
 */
struct store_share {
	double number;	   /* client and server together */
	double parts;	   /* how many of these come from such parts */
	int64_t oldest_us; /* where the store's knowledge of them begins */
};
int store_count_connections(struct store *s, int64_t since_us, int64_t until_us,
			    struct store_share *out);

/*
 * Looks for damage; one line in err where there is some. Whole: SQLite's own
 * check of every page, seconds for a gigabyte. Else the newest
 * STORE_CHECK_EVENTS events are read in all their parts, and the small tables.
 */
#define STORE_CHECK_EVENTS 5000
struct store_checked {
	bool whole;
	int64_t events; /* read; of all where whole */
};
int store_check(struct store *s, bool whole, struct store_checked *checked,
		char *err, size_t err_size);

#endif
