/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way through the store (briefs) tells the same as the long one: for
 * random events and filters, after amendments, folds, retention and migration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "store_case.h"
#include "user/store/event_pack.h"
#include "user/store/schema.h"
#include "user/tell/groups.h"

#define EVENTS	400
#define FILTERS 300
#define KEYS	3
#define SECOND	((int64_t)USEC_PER_SEC)

static uint64_t seed;

/* 0 to n - 1; the same each time. */
static int pick(int n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (int)((seed >> 33) % (uint64_t)n);
}

static bool chance(int percent)
{
	return pick(100) < percent;
}

static void random_process(struct event_process *p)
{
	static const char *const comms[] = {"node", "nginx", "", "a\x01",
					    "a\x02"};

	p->known = true;
	p->pid = 1 + pick(5);
	strcpy(p->comm, comms[pick(ARRAY_SIZE(comms))]);
	if (chance(50))
		snprintf(p->unit, sizeof(p->unit), "u%d.service", pick(3));
	if (chance(50))
		memset(p->container, 'a' + pick(3), 64);
}

static void random_event(struct event *ev, int64_t id)
{
	char ip[40];

	sample_bare(ev, id);
	ev->time_us = SAMPLE_TIME + id / 2 * SECOND;
	if (chance(20)) {
		ev->count = 1 + pick(9);
		ev->last_time_us = ev->time_us + pick(5000) * 1000;
	}
	snprintf(ev->host, sizeof(ev->host), "web%d", pick(2));
	ev->kind = (enum failure_kind)pick(KINDS);
	if (chance(80))
		random_process(&ev->process);
	ev->syscall.known = chance(70);
	if (ev->syscall.known)
		ev->syscall.class = (enum call_class)pick(CALL_CLASSES);
	snprintf(ip, sizeof(ip), chance(70) ? "10.0.%d.%d" : "2001:db8::%d:%d",
		 pick(3), pick(4));
	sample_ip(&ev->peer, &ev->family, ip, (uint16_t)(chance(50) ? 443 : 5));
	sample_ip(&ev->local, &ev->family,
		  ev->family == 6 ? "2001:db8::1" : "10.0.0.9",
		  (uint16_t)(chance(50) ? 80 : 40000 + pick(9)));
	ev->role = (enum rec_role)pick(3);
	ev->state = chance(20) ? NOT_KNOWN : 1 + pick(8);
	ev->idle_ms = chance(30) ? NOT_KNOWN : 5000 + pick(3) * 30000;
	ev->sent_bytes = chance(20) ? NOT_KNOWN : pick(3);
	ev->received_bytes = chance(20) ? NOT_KNOWN : pick(3);
	strcpy(ev->tls, chance(30) ? "handshake" : "");
	sample_verdict(&ev->verdict);
	ev->verdict.cause = (enum cause)pick(CAUSES);
	ev->verdict.confidence = pick(100) / 100.0;
	ev->verdict.blame = (enum blame)pick(BLAMES);
	ev->verdict.retry = (enum retry)pick(RETRIES);
	ev->verdict.benign = chance(20);
}

/* What a daemon does to a store: puts, amends and prunes. */
static void fill(struct store *s)
{
	int64_t deleted;
	struct event ev;

	for (int64_t id = 1; id <= EVENTS; id++) {
		random_event(&ev, id);
		put(s, &ev);
	}
	for (int i = 0; i < EVENTS / 4; i++) {
		random_event(&ev, 1 + pick(EVENTS));
		put(s, &ev);
	}
	assert_int_equal(store_prune(s, SAMPLE_TIME + EVENTS * SECOND,
				     EVENTS - 20, 0, &deleted),
			 0);
	assert_true(deleted > 10);
}

static void random_filter(struct filter *f)
{
	static const char *const settings[][2] = {
		{"process", "node"},
		{"process", "nginx"},
		{"pid", "3"},
		{"peer", "10.0.1.2"},
		{"peer", "10.0.0.0/16"},
		{"peer", "2001:db8::/32"},
		{"peer", "10.0.2.1:443"},
		{"port", "443"},
		{"port", "80"},
		{"kind", "sent"},
		{"kind", "hangup"},
		{"syscall", "read"},
		{"unit", "u1"},
		{"container", "aaa"},
		{"host", "web1"},
		{"cause", "stale_keepalive"},
		{"benign", NULL},
		{"limit", "7"},
		{"limit", "60"},
	};

	filter_init(f);
	if (chance(60))
		f->since_us = SAMPLE_TIME + pick(EVENTS / 2) * SECOND;
	if (chance(40))
		f->until_us = SAMPLE_TIME + pick(EVENTS / 2) * SECOND;
	f->benign_only = chance(10);
	for (int n = pick(4); n; n--) {
		int i = pick(ARRAY_SIZE(settings));

		assert_int_equal(filter_set(f, settings[i][0], settings[i][1],
					    SAMPLE_TIME, err, sizeof(err)),
				 0);
	}
}

static int add(const struct event *ev, void *ctx)
{
	return groups_add(ctx, ev);
}

/* All that summary tells of groups, as text. */
static char *told(struct store *s, const struct filter *f,
		  const struct group_key *const *keys, bool brief)
{
	static const struct show show = {.utc = true};
	json_t *all = json_array();
	struct groups *g;
	char *text;

	assert_int_equal(groups_new(&g, &show, keys, KEYS), 0);
	assert_int_equal((brief ? store_scan : store_query)(s, f, add, g, err,
							    sizeof(err)),
			 0);
	assert_int_equal(groups_finish(g), 0);
	for (size_t i = 0; i < groups_number(g); i++)
		json_array_append_new(all, group_json(g, i, 60, NULL));
	text = json_dumps(all, JSON_REAL_PRECISION(9));
	json_decref(all);
	groups_free(g);
	return text;
}

static void compare(struct store *s, int *groups)
{
	const struct group_key *keys[KEYS];
	char *brief, *whole;
	struct filter f;
	int known = 0;

	while (group_keys[known].name)
		known++;
	for (int i = 0; i < FILTERS; i++) {
		random_filter(&f);
		for (int k = 0; k < KEYS; k++)
			keys[k] = &group_keys[pick(known)];
		brief = told(s, &f, keys, true);
		whole = told(s, &f, keys, false);
		assert_string_equal(brief, whole);
		*groups += strcmp(whole, "[]") != 0;
		free(brief);
		free(whole);
	}
}

static void same_as_the_events(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	int groups = 0;

	seed = 1;
	fill(s);
	compare(s, &groups);
	store_close(s);
	s = open_store(d, STORE_READ);
	compare(s, &groups);
	assert_true(groups > FILTERS / 2); /* not all of nothing */
	store_close(s);
}

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int64_t number_of(const char *path, const char *sql)
{
	int64_t value = -1;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(schema_get_int(db, sql, &value), 0);
	sqlite3_close(db);
	return value;
}

static void retention_leaves_no_briefs(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);

	seed = 2;
	fill(s);
	store_close(s);
	assert_int_equal(number_of(d->path,
				   "SELECT COUNT(*) FROM briefs WHERE id NOT "
				   "IN (SELECT id FROM events)"),
			 0);
	assert_int_equal(number_of(d->path, "SELECT COUNT(*) FROM briefs"),
			 number_of(d->path, "SELECT COUNT(*) FROM events"));
}

/* The store becomes one that version 1 has written. */
static void make_version_1(const char *path)
{
	char newer[600], sql[900];
	sqlite3 *db;

	snprintf(newer, sizeof(newer), "%s.2", path);
	assert_int_equal(rename(path, newer), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(schema_migrate(db, schema_steps, 1, err, sizeof(err)),
			 0);
	sqlite3_close(db);
	snprintf(sql, sizeof(sql),
		 "ATTACH '%s' AS newer;"
		 "INSERT INTO events SELECT * FROM newer.events;"
		 "INSERT INTO bodies SELECT * FROM newer.bodies;"
		 "INSERT INTO notes SELECT * FROM newer.notes",
		 newer);
	run_sql(path, sql);
	unlink(newer);
	assert_int_equal(number_of(path, "PRAGMA user_version"), 1);
}

static void migration_makes_briefs(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	int groups = 0;

	seed = 3;
	fill(s);
	store_close(s);
	make_version_1(d->path);
	s = open_store(d, STORE_WRITE);
	compare(s, &groups);
	assert_true(groups > FILTERS / 4);
	store_close(s);
	assert_int_equal(number_of(d->path, "PRAGMA user_version"),
			 schema_version);
}

static int count(const struct event *ev, void *ctx)
{
	(void)ev;
	++*(int *)ctx;
	return 0;
}

static void damage_is_told(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	struct store_checked checked;
	struct filter f;
	int seen = 0;

	put_many(s, 1, 5, SECOND);
	store_close(s);
	run_sql(d->path, "UPDATE bodies SET body = x'01ff' WHERE id = 2");
	make_version_1(d->path);
	s = open_store(d, STORE_WRITE);
	filter_init(&f);
	assert_int_equal(store_scan(s, &f, count, &seen, err, sizeof(err)),
			 -EBADMSG);
	assert_non_null(strstr(err, "1 events are damaged"));
	assert_int_equal(seen, 4);
	assert_int_equal(store_check(s, false, &checked, err, sizeof(err)),
			 -EUCLEAN);
	assert_non_null(strstr(err, "event 2 is damaged"));
	assert_int_equal(store_check(s, true, &checked, err, sizeof(err)), 0);
	store_close(s);
}

static void what_was_checked(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	struct store_checked checked;

	put_many(s, 1, 300, SECOND);
	assert_int_equal(store_check(s, false, &checked, err, sizeof(err)), 0);
	assert_false(checked.whole);
	assert_int_equal(checked.events, 300);
	for (int i = 1; i < 20; i++)
		put_many(s, 300 * i + 1, 300, SECOND);
	assert_int_equal(store_check(s, false, &checked, err, sizeof(err)), 0);
	assert_int_equal(checked.events, STORE_CHECK_EVENTS);
	assert_int_equal(store_check(s, true, &checked, err, sizeof(err)), 0);
	assert_true(checked.whole);
	assert_int_equal(checked.events, 6000);
	store_close(s);
	/* a body or brief that is gone is damage, too */
	run_sql(d->path, "DELETE FROM briefs WHERE id = 5990");
	s = open_store(d, STORE_READ);
	assert_int_equal(store_check(s, false, &checked, err, sizeof(err)),
			 -EUCLEAN);
	assert_non_null(strstr(err, "event 5990 is damaged"));
	store_close(s);
}

/* --- connections ---------------------------------------------------------- */

static void put_interval(struct store *s, int64_t from_s, int64_t until_s,
			 int64_t client, int64_t server)
{
	struct store_connections c = {
		.from_us = SAMPLE_TIME + from_s * SECOND,
		.until_us = SAMPLE_TIME + until_s * SECOND,
		.client = client,
		.server = server,
	};

	assert_int_equal(store_put_connections(s, &c), 0);
}

static struct store_share share_of(struct store *s, int64_t since_s,
				   int64_t until_s)
{
	struct store_share share;

	assert_int_equal(
		store_count_connections(s, SAMPLE_TIME + since_s * SECOND,
					SAMPLE_TIME + until_s * SECOND, &share),
		0);
	return share;
}

static void connections_of_a_window(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	struct store_share share = share_of(s, 0, 1000);

	assert_true(share.number == 0 && share.oldest_us == 0);
	put_interval(s, 0, 30, 1, 1);
	put_interval(s, 0, 60, 100, 20); /* the same, later */
	put_interval(s, 60, 120, 0, 60);
	put_interval(s, 600, 660, 5, 0); /* the daemon was down before */
	share = share_of(s, 0, 1000);
	assert_true(share.number == 185 && share.parts == 0);
	assert_int_equal(share.oldest_us, SAMPLE_TIME);
	share = share_of(s, 60, 120);
	assert_true(share.number == 60 && share.parts == 0);
	share = share_of(s, 30, 70);
	assert_true(share.number == 70 && share.parts == 70);
	share = share_of(s, 200, 500);
	assert_true(share.number == 0);
	store_close(s);
}

static void connections_go_with_their_failures(void **state)
{
	struct scratch *d = *state;
	struct store *s = open_store(d, STORE_WRITE);
	int64_t deleted;

	for (int i = 0; i < 10; i++)
		put_interval(s, 60 * i, 60 * i + 60, 10, 0);
	put_many(s, 1, 500, SECOND); /* one a second from 1 on */
	/* by age: quiet minutes stay, with failures or without */
	assert_int_equal(
		store_prune(s, SAMPLE_TIME + 200 * SECOND, 80, 0, &deleted), 0);
	assert_true(share_of(s, 0, 600).number == 90);
	/* by size: no older than the oldest failure that is left */
	assert_int_equal(store_prune(s, SAMPLE_TIME, 0, 100 << 10, &deleted),
			 0);
	assert_true(deleted > 100);
	assert_true(share_of(s, 0, 600).number < 90);
	assert_true(share_of(s, 480, 600).number == 20);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(same_as_the_events),
		STORE_TEST(retention_leaves_no_briefs),
		STORE_TEST(migration_makes_briefs),
		STORE_TEST(damage_is_told),
		STORE_TEST(what_was_checked),
		STORE_TEST(connections_of_a_window),
		STORE_TEST(connections_go_with_their_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
