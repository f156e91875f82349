// SPDX-License-Identifier: Apache-2.0
/*
 * From a tuple to a process, the slow way: any process of the network
 * namespace shows the table of its sockets, the table tells the inode, and the
 * processes that have the socket open show that inode among their files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/attribute/process.h"
#include "user/attribute/procfs.h"
#include "user/base/base.h"

/* A scan gives up beyond these: seconds of work on the largest hosts. */
#define LINES_MAX (1u << 20)
#define FILES_MAX (1u << 22)

struct wanted {
	const struct facts *f;
	uint64_t inode;
	unsigned int files; /* looked at so far */
};

/* Visits a process by its directory: 0 goes on, else the scan ends with it. */
typedef int (*visit_fn)(int64_t pid, int dir, struct wanted *w,
			struct fact_task *out);

static int for_each_process(const char *proc_root, visit_fn visit,
			    struct wanted *w, struct fact_task *out)
{
	DIR *root = opendir(proc_root);
	struct dirent *d;
	int found = 0;

	if (!root)
		return -errno;
	while (!found && (d = readdir(root))) {
		int64_t pid;
		int dir;

		if (parse_int(d->d_name, 1, INT32_MAX, &pid))
			continue;
		dir = procfs_open(proc_root, pid);
		if (dir < 0)
			continue; /* gone meanwhile */
		found = visit(pid, dir, w, out);
		close(dir);
	}
	closedir(root);
	return found;
}

/*
 * "0100007F:1F90": 32-bit words in this machine's order, port in host order.
 * IPv4-mapped addresses of /proc/net/tcp6 become IPv4.
 */
static bool read_endpoint(const char *text, uint8_t *family,
			  struct endpoint *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	size_t digits = strspn(text, "0123456789ABCDEF"), n = digits / 8;
	unsigned int port;

	if ((digits != 8 && digits != 32) || text[digits] != ':' ||
	    sscanf(text + digits + 1, "%4X", &port) != 1)
		return false;
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		uint32_t word;

		if (sscanf(text + 8 * i, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(out->ip + 4 * i, &word, sizeof(word));
	}
	*family = n == 1 ? 4 : 6;
	if (n == 4 && memcmp(out->ip, mapped, sizeof(mapped)) == 0) {
		*family = 4;
		memcpy(out->ip, out->ip + 12, 4);
		memset(out->ip + 4, 0, 12);
	}
	out->port = (uint16_t)port;
	return true;
}

static bool is_same_end(const struct endpoint *a, const struct endpoint *b,
			uint8_t family)
{
	return a->port == b->port &&
	       memcmp(a->ip, b->ip, family == 4 ? 4 : 16) == 0;
}

/* The inode of the socket if this line is that of the tuple, else 0. */
static uint64_t match_line(const char *line, const struct facts *f)
{
	char local[48], peer[48];
	struct endpoint from, to;
	uint8_t family, family_to;
	uint64_t inode;

	/* sl local peer st queues timer retrnsmt uid timeout inode */
	if (sscanf(line,
		   " %*[0-9]: %47s %47s %*x %*[^ ] %*[^ ] %*x %*u %*d %" SCNu64,
		   local, peer, &inode) != 3)
		return 0;
	if (!read_endpoint(local, &family, &from) ||
	    !read_endpoint(peer, &family_to, &to))
		return 0;
	if (family != f->family || family_to != f->family ||
	    !is_same_end(&from, &f->local, family) ||
	    !is_same_end(&to, &f->peer, family))
		return 0;
	return inode; /* 0 too where no file refers to it any more */
}

static uint64_t find_inode(int dir, const char *table, const struct facts *f)
{
	int fd = openat(dir, table, O_RDONLY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	uint64_t inode = 0;
	char line[512];

	if (!in) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (unsigned int i = 0; i < LINES_MAX && !inode; i++) {
		if (!fgets(line, sizeof(line), in))
			break;
		inode = match_line(line, f);
	}
	fclose(in);
	return inode;
}

static bool is_in_netns(int dir, int64_t netns)
{
	char link[64];
	uint64_t inode;

	return procfs_link(dir, "ns/net", link, sizeof(link)) > 0 &&
	       sscanf(link, "net:[%" SCNu64 "]", &inode) == 1 &&
	       inode == (uint64_t)netns;
}

/*
 * The first process of the namespace ends the search, found or not, unless it
 * died before its table was read: that table is the same for all of them.
 */
static int visit_table(int64_t pid, int dir, struct wanted *w,
		       struct fact_task *out)
{
	(void)pid;
	(void)out;
	if (!is_in_netns(dir, w->f->netns))
		return 0;
	if (w->f->family == 4)
		w->inode = find_inode(dir, "net/tcp", w->f);
	if (!w->inode) /* IPv4 on an IPv6 socket stands there as well */
		w->inode = find_inode(dir, "net/tcp6", w->f);
	if (w->inode)
		return 1;
	return is_in_netns(dir, w->f->netns) ? -ENOENT : 0;
}

static int describe(int64_t pid, int dir, struct fact_task *out)
{
	struct fact_task task = {
		.pid = pid,
		.tid = pid,
		.how = HOW_SCAN,
		.exit_signal = NOT_KNOWN,
		.exit_status = NOT_KNOWN,
	};
	struct procfs_stat st;

	if (procfs_stat(dir, &st))
		return 0; /* died just now: perhaps another one has it too */
	task.uid = procfs_uid(dir);
	if (task.uid < 0)
		task.uid = NOT_KNOWN;
	task.start_ns = st.start_ticks * procfs_tick_ns();
	memcpy(task.comm, st.comm, sizeof(task.comm));
	*out = task;
	return 1;
}

static DIR *open_files(int dir)
{
	int fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files;

	if (fd < 0)
		return NULL;
	files = fdopendir(fd);
	if (!files)
		close(fd);
	return files;
}

static int visit_files(int64_t pid, int dir, struct wanted *w,
		       struct fact_task *out)
{
	DIR *files = open_files(dir);
	char want[40], link[40];
	struct dirent *d;
	int found = 0;

	if (!files)
		return 0; /* gone, or not ours to see */
	snprintf(want, sizeof(want), "socket:[%" PRIu64 "]", w->inode);
	while (!found && (d = readdir(files))) {
		if (++w->files > FILES_MAX)
			found = -ENOENT;
		else if (procfs_link(dirfd(files), d->d_name, link,
				     sizeof(link)) > 0 &&
			 strcmp(link, want) == 0)
			found = describe(pid, dir, out);
	}
	closedir(files);
	return found;
}

int scan_socket_owner(const char *proc_root, const struct facts *f,
		      struct fact_task *out)
{
	struct wanted w = {.f = f};

	if (!f->tuple_known || f->netns <= 0)
		return -ENOENT;
	if (for_each_process(proc_root, visit_table, &w, out) != 1)
		return -ENOENT;
	if (for_each_process(proc_root, visit_files, &w, out) != 1)
		return -ENOENT;
	return 0;
}
