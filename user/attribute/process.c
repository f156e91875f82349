// SPDX-License-Identifier: Apache-2.0
/*
 * A table of processes by (pid, start), least recently used first out. The
 * start counts in ticks, as /proc tells it, so that a record's nanoseconds and
 * a scan's ticks name the same process. Dead ones stay until they are the
 * least recently used: nothing but the capacity removes an entry.
 *
 * A process that is gone before it was looked up still gets unit, container
 * and pod where another process of the same cgroup told them: ids of cgroups
 * are not reused. Only version 2 paths count there, since the id is that of
 * the version 2 hierarchy.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "user/attribute/process.h"
#include "user/attribute/procfs.h"
#include "user/base/base.h"

#define CGROUPS	    256 /* a power of two */
#define RELOOKS_MAX 8

struct key {
	int64_t pid;
	uint64_t start_ticks;
};

struct entry {
	struct key key;
	struct process info;
	char exe_comm[REC_COMM + 1]; /* raw: the name info.exe goes with */
	unsigned int relooks;
	struct entry *collided;	   /* next in the same bucket */
	struct entry *prev, *next; /* by use, the least recent first */
};

struct cgroup {
	uint64_t id;	      /* 0: empty */
	struct process names; /* unit, container, pod */
};

struct processes {
	char *proc_root;
	uint64_t tick_ns;
	size_t capacity, buckets; /* buckets: a power of two */
	struct entry *pool;	  /* the first stats.cached ones are in use */
	struct entry **table;
	struct entry *by_use;
	struct processes_stats stats;
	struct cgroup cgroups[CGROUPS];
};

struct processes *processes_new(const char *proc_root, size_t capacity)
{
	struct processes *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->tick_ns = procfs_tick_ns();
	p->capacity = capacity ? capacity : 1;
	p->buckets = 1;
	while (p->buckets < p->capacity)
		p->buckets *= 2;
	/* All of it now, so that nothing can fail later; pages come by use. */
	p->proc_root = strdup(proc_root);
	p->pool = calloc(p->capacity, sizeof(*p->pool));
	p->table = calloc(p->buckets, sizeof(struct entry *));
	if (!p->proc_root || !p->pool || !p->table) {
		processes_free(p);
		return NULL;
	}
	return p;
}

void processes_free(struct processes *p)
{
	if (!p)
		return;
	free(p->proc_root);
	free(p->pool);
	free(p->table);
	free(p);
}

static void copy_names(struct process *to, const struct process *from)
{
	memcpy(to->unit, from->unit, sizeof(to->unit));
	memcpy(to->container, from->container, sizeof(to->container));
	memcpy(to->pod, from->pod, sizeof(to->pod));
}

static struct cgroup *cgroup_slot(struct processes *p, uint64_t id)
{
	return &p->cgroups[hash_bytes(&id, sizeof(id), 0) & (CGROUPS - 1)];
}

/* Keeps the names of a cgroup, where its version 2 path has any. */
static void learn_cgroup(struct processes *p, uint64_t id, const char *text)
{
	const char *v2 =
		strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	struct cgroup *slot = cgroup_slot(p, id);
	char line[4096];
	size_t n;

	if (id == 0 || !v2)
		return;
	v2 += *v2 == '\n';
	n = strcspn(v2, "\n");
	if (n >= sizeof(line))
		return;
	memcpy(line, v2, n);
	line[n] = '\0';
	slot->id = id;
	cgroup_identify(line, &slot->names);
}

static void recall_cgroup(struct processes *p, uint64_t id,
			  struct process *info)
{
	const struct cgroup *slot = cgroup_slot(p, id);

	if (id != 0 && slot->id == id)
		copy_names(info, &slot->names);
}

static void read_exe(int dir, struct process *info)
{
	static const char gone[] = " (deleted)";
	char exe[sizeof(info->exe) + sizeof(gone)];
	ssize_t n = procfs_link(dir, "exe", exe, sizeof(exe));
	size_t tail = sizeof(gone) - 1;

	if (n <= 0)
		return;
	if ((size_t)n > tail && strcmp(exe + n - tail, gone) == 0)
		exe[(size_t)n - tail] = '\0';
	if (strlen(exe) < sizeof(info->exe))
		format_safe(exe, info->exe, sizeof(info->exe));
}

/* The directory of exactly this process, or negative. */
static int open_process(struct processes *p, const struct key *key,
			struct procfs_stat *st)
{
	int dir = procfs_open(p->proc_root, key->pid);

	if (dir < 0)
		return dir;
	if (procfs_stat(dir, st) == 0 && st->start_ticks == key->start_ticks)
		return dir;
	close(dir);
	return -1;
}

/* Of the moment itself; an owner or closer bears the name it had back then. */
static bool is_current(const struct fact_task *task)
{
	return task->how == HOW_CURRENT && task->comm[0] != '\0';
}

static void look_up(struct processes *p, struct entry *e,
		    const struct fact_task *task)
{
	struct process *info = &e->info;
	struct procfs_stat st;
	char text[8192];
	int dir = -1;

	/* Without its start, a reused pid could not be told. */
	if (task->start_ns)
		dir = open_process(p, &e->key, &st);
	if (dir < 0) {
		p->stats.missed++;
		recall_cgroup(p, task->cgroup, info);
		return;
	}
	p->stats.looked_up++;
	/* Another name by now: it has called execve, or renamed itself. */
	if (!is_current(task) || strcmp(st.comm, task->comm) == 0) {
		memcpy(e->exe_comm, st.comm, sizeof(e->exe_comm));
		format_safe(st.comm, info->comm, sizeof(info->comm));
		read_exe(dir, info);
	}
	if (info->uid == NOT_KNOWN) {
		int64_t uid = procfs_uid(dir);

		info->uid = uid < 0 ? NOT_KNOWN : uid;
	}
	if (procfs_read(dir, "cgroup", text, sizeof(text)) > 0) {
		cgroup_identify(text, info);
		/* An owner may have been moved to another one since. */
		if (is_current(task))
			learn_cgroup(p, task->cgroup, text);
	}
	close(dir);
}

static struct entry **bucket_of(struct processes *p, const struct key *key)
{
	return &p->table[hash_bytes(key, sizeof(*key), 0) & (p->buckets - 1)];
}

static struct entry *find(struct processes *p, const struct key *key)
{
	struct entry *e = *bucket_of(p, key);

	while (e && (e->key.pid != key->pid ||
		     e->key.start_ticks != key->start_ticks))
		e = e->collided;
	return e;
}

/* A place for one more: a fresh one, or that of the least recently used. */
static struct entry *take_entry(struct processes *p)
{
	struct entry **bucket, *e;

	if (p->stats.cached < p->capacity)
		return &p->pool[p->stats.cached++];
	e = p->by_use;
	bucket = bucket_of(p, &e->key);
	LL_DELETE2(*bucket, e, collided);
	DL_DELETE(p->by_use, e);
	p->stats.evicted++;
	return e;
}

static struct entry *add(struct processes *p, const struct key *key,
			 const struct fact_task *task)
{
	struct entry *e = take_entry(p), **bucket = bucket_of(p, key);

	memset(e, 0, sizeof(*e));
	e->key = *key;
	e->info.pid = task->pid;
	e->info.start_ns = task->start_ns;
	e->info.uid = task->uid;
	e->info.exit_signal = NOT_KNOWN;
	e->info.exit_status = NOT_KNOWN;
	e->info.exit_time_us = NOT_KNOWN;
	format_safe(task->comm, e->info.comm, sizeof(e->info.comm));
	memcpy(e->exe_comm, task->comm, sizeof(e->exe_comm));
	LL_PREPEND2(*bucket, e, collided);
	DL_APPEND(p->by_use, e);
	look_up(p, e, task);
	return e;
}

/*
 * A process that bears another name than before has called execve, and its
 * executable is another one; or it has renamed itself, as some do time and
 * again, hence the limit.
 */
static void follow_exec(struct processes *p, struct entry *e,
			const struct fact_task *task)
{
	memcpy(e->exe_comm, task->comm, sizeof(e->exe_comm));
	format_safe(task->comm, e->info.comm, sizeof(e->info.comm));
	if (e->info.exited || e->relooks >= RELOOKS_MAX)
		return;
	e->relooks++;
	e->info.exe[0] = '\0';
	look_up(p, e, task);
}

static struct entry *get(struct processes *p, const struct fact_task *task)
{
	struct key key = {task->pid, task->start_ns / p->tick_ns};
	struct entry *e = find(p, &key);

	if (!e)
		return add(p, &key, task);
	if (e != p->by_use->prev) { /* the list's last: used just now */
		DL_DELETE(p->by_use, e);
		DL_APPEND(p->by_use, e);
	}
	if (task->uid != NOT_KNOWN && is_current(task))
		e->info.uid = task->uid;
	if (is_current(task) && strcmp(e->exe_comm, task->comm) != 0)
		follow_exec(p, e, task);
	return e;
}

const struct process *processes_get(struct processes *p,
				    const struct fact_task *task)
{
	return task->pid < 0 ? NULL : &get(p, task)->info;
}

void processes_exit(struct processes *p, const struct fact_task *task,
		    int64_t time_us)
{
	struct process *info;

	if (task->pid < 0)
		return;
	info = &get(p, task)->info;
	info->oom_killed |= task->oom_killed;
	/* Chosen by the OOM killer is not dead yet. */
	if (task->oom_killed && !task->exiting)
		return;
	info->exited = true;
	info->exit_signal = task->exit_signal;
	info->exit_status = task->exit_status;
	info->exit_time_us = time_us;
}

void processes_get_stats(const struct processes *p,
			 struct processes_stats *stats)
{
	*stats = p->stats;
}
