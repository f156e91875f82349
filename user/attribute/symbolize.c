/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From addresses to functions. The process decides about its root, its maps
 * and its files: paths are resolved within its root, only regular files are
 * opened, and what it says is cut to size and made fit to print.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "user/attribute/procfs.h"
#include "user/attribute/stack.h"
#include "user/attribute/symbols.h"
#include "user/base/base.h"

#define MAPS_MAX       100000
#define PERF_MAP_BYTES (64ll << 20)
#define PATH_BYTES     4096
#define ADDRESSES      (REC_FRAMES + REC_TOP)

/* Where an address of the process lies. */
struct place {
	uint64_t address;
	bool code;	 /* in an executable mapping */
	uint64_t offset; /* in the file */
	char *path;	 /* of the file, on the heap; NULL: no file */
};

struct symbolizer {
	char *proc_root;
	struct symbols *symbols;
	struct place place[ADDRESSES];
	size_t places;
};

void stack_bare(const struct rec_stack *rec, struct stack *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < rec->depth && i < REC_FRAMES; i++) {
		out->frame[i].address = rec->frame[i];
		out->frame[i].offset = NOT_KNOWN;
		out->frames++;
	}
	out->gone = true;
}

struct symbolizer *symbolizer_new(const char *proc_root)
{
	struct symbolizer *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->proc_root = strdup(proc_root);
	s->symbols = symbols_new();
	if (s->proc_root && s->symbols)
		return s;
	symbolizer_free(s);
	return NULL;
}

static void forget_places(struct symbolizer *s)
{
	for (size_t i = 0; i < s->places; i++)
		free(s->place[i].path);
	memset(s->place, 0, sizeof(s->place));
	s->places = 0;
}

void symbolizer_free(struct symbolizer *s)
{
	if (!s)
		return;
	forget_places(s);
	symbols_free(s->symbols);
	free(s->proc_root);
	free(s);
}

/* --- the process ---------------------------------------------------------- */

/* The directory of exactly the process of the record, or negative. */
static int open_process(const struct symbolizer *s, const struct rec_stack *rec)
{
	int dir = procfs_open(s->proc_root, rec->tgid);
	struct procfs_stat st;

	if (dir < 0)
		return dir;
	if (!procfs_stat(dir, &st) &&
	    st.start_ticks == rec->start_ns / procfs_tick_ns())
		return dir;
	close(dir);
	return -ESRCH;
}

/* A regular file, by its path in the root of the process, or negative. */
static int open_inside(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	long fd;

	if (root < 0)
		return -errno;
	fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	close(root);
	if (fd < 0)
		return -errno;
	if (!fstat((int)fd, &st) && S_ISREG(st.st_mode))
		return (int)fd;
	close((int)fd);
	return -EINVAL;
}

/* --- its maps ------------------------------------------------------------- */

struct mapping {
	uint64_t start, end, offset;
	bool code;
	const char *path; /* "" or a name in brackets: no file */
};

static bool read_mapping(char *line, struct mapping *m)
{
	char permissions[8] = "";
	int path = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%lx-%lx %7s %lx %*x:%*x %*u %n", &m->start, &m->end,
		   permissions, &m->offset, &path) != 4)
		return false;
	m->code = strlen(permissions) == 4 && permissions[2] == 'x';
	m->path = path ? line + path : "";
	return true;
}

static void place_in(struct symbolizer *s, const struct mapping *m)
{
	for (size_t i = 0; i < s->places; i++) {
		struct place *p = &s->place[i];

		if (p->code || p->address - m->start >= m->end - m->start)
			continue;
		p->code = true;
		p->offset = p->address - m->start + m->offset;
		if (m->path[0] == '/')
			p->path = strdup(m->path);
	}
}

static int read_maps(struct symbolizer *s, int dir)
{
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	char line[PATH_BYTES + 256];
	struct mapping m;
	int n = 0;

	if (!in) {
		if (fd >= 0)
			close(fd);
		return -ESRCH;
	}
	for (; n < MAPS_MAX && fgets(line, sizeof(line), in); n++)
		if (read_mapping(line, &m) && m.code)
			place_in(s, &m);
	fclose(in);
	return n ? 0 : -ESRCH; /* a process that exits has none */
}

static void add_place(struct symbolizer *s, uint64_t address)
{
	s->place[s->places++].address = address;
}

/* --- functions ------------------------------------------------------------ */

static struct symbols_file *open_module(struct symbolizer *s, int dir,
					const struct place *p)
{
	int fd = p->path ? open_inside(dir, p->path, 0) : -ENOENT;

	return fd < 0 ? NULL : symbols_open(s->symbols, fd);
}

static void add_frame(struct symbolizer *s, int dir, const struct place *p,
		      struct stack *out)
{
	struct stack_frame *f = &out->frame[out->frames];
	struct symbols_file *file = open_module(s, dir, p);
	/* A call may be a function's last instruction. */
	uint64_t back = out->frames ? 1 : 0;

	f->address = p->address;
	f->offset = p->path ? (int64_t)p->offset : NOT_KNOWN;
	if (p->path)
		format_safe(p->path, f->module, sizeof(f->module));
	if (file && p->offset >= back)
		symbols_name(s->symbols, file, p->offset - back, f->symbol,
			     sizeof(f->symbol));
	out->frames++;
}

/*
 * Who called the innermost function. The system call wrappers of most C
 * libraries make no frame, so that frame pointers lead to their caller's
 * caller; but their unwind information tells where the return address is.
 */
static const struct place *caller(struct symbolizer *s, int dir, size_t depth)
{
	struct symbols_file *file = open_module(s, dir, &s->place[0]);
	const struct place *p;
	int slot;

	slot = file ? symbols_return_slot(file, s->place[0].offset) : -ENOENT;
	if (slot < 0 || slot >= REC_TOP)
		return NULL;
	p = &s->place[depth + (size_t)slot];
	if (!p->code || (depth > 1 && p->address == s->place[1].address))
		return NULL;
	return p;
}

/*
 * Code without frame pointers uses their register for other things: what then
 * follows is no code, and ends the stack.
 */
static void name_frames(struct symbolizer *s, int dir, size_t depth,
			struct stack *out)
{
	const struct place *between;

	memset(out, 0, sizeof(*out));
	if (!depth)
		return;
	between = caller(s, dir, depth);
	for (size_t i = 0; i < depth && (i == 0 || s->place[i].code); i++) {
		add_frame(s, dir, &s->place[i], out);
		if (i == 0 && between)
			add_frame(s, dir, between, out);
	}
}

/* --- code that a JIT made ------------------------------------------------- */

/* The last of "NSpid:\t700\t5": the pid in the process's own namespace. */
static long own_pid(int dir)
{
	char text[4096], *at, *end;

	if (procfs_read(dir, "status", text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, "\nNSpid:");
	if (!at)
		return -1;
	end = at + 1 + strcspn(at + 1, "\n");
	*end = '\0';
	at = strrchr(at, '\t');
	return at ? atol(at + 1) : -1;
}

static int64_t started_s(const struct rec_stack *rec)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return clock_unix_us() / USEC_PER_SEC - boot.tv_sec +
	       (int64_t)(rec->start_ns / NSEC_PER_SEC);
}

/* The process itself has written it, and not an earlier one of its pid. */
static bool is_its_own(int fd, int dir, const struct rec_stack *rec)
{
	int64_t uid = procfs_uid(dir);
	struct stat st;

	if (uid < 0 || fstat(fd, &st))
		return false;
	return (st.st_uid == 0 || st.st_uid == (uid_t)uid) &&
	       st.st_size <= PERF_MAP_BYTES &&
	       st.st_mtim.tv_sec + 1 >= started_s(rec);
}

static void name_jit(int dir, const struct rec_stack *rec, struct stack *out)
{
	long pid = own_pid(dir);
	char path[64];
	FILE *in;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%ld.map", pid);
	fd = pid > 0 ? open_inside(dir, path, O_NOFOLLOW) : -ENOENT;
	if (fd < 0)
		return;
	in = is_its_own(fd, dir, rec) ? fdopen(fd, "r") : NULL;
	if (!in) {
		close(fd);
		return;
	}
	perf_map_read(in, out);
	fclose(in);
}

static bool has_unnamed(const struct stack *st)
{
	for (uint32_t i = 0; i < st->frames; i++)
		if (!st->frame[i].symbol[0])
			return true;
	return false;
}

void symbolizer_read(struct symbolizer *s, const struct rec_stack *rec,
		     struct stack *out)
{
	size_t depth = rec->depth < REC_FRAMES ? rec->depth : REC_FRAMES;
	int dir = open_process(s, rec);

	stack_bare(rec, out);
	if (dir < 0)
		return;
	for (size_t i = 0; i < depth; i++)
		add_place(s, rec->frame[i]);
	for (size_t i = 0; i < REC_TOP; i++)
		add_place(s, rec->top[i]);
	if (!read_maps(s, dir)) {
		name_frames(s, dir, depth, out);
		if (has_unnamed(out))
			name_jit(dir, rec, out);
	}
	forget_places(s);
	close(dir);
}
