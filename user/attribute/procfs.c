// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/attribute/procfs.h"
#include "user/base/base.h"

/* Fields of /proc/PID/stat, counted from 1; the second is "(comm)". */
#define FIELD_STATE 3
#define FIELD_START 22

uint64_t procfs_tick_ns(void)
{
	long hz = sysconf(_SC_CLK_TCK);

	return NSEC_PER_SEC / (hz > 0 ? (uint64_t)hz : 100);
}

int procfs_open(const char *proc_root, int64_t pid)
{
	char path[256];
	int n, fd;

	n = snprintf(path, sizeof(path), "%s/%" PRId64, proc_root, pid);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t procfs_read(int dir, const char *file, char *out, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		n = read(fd, out + used, size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	if (n < 0)
		n = -errno;
	close(fd);
	out[n < 0 ? 0 : used] = '\0';
	return n < 0 ? n : (ssize_t)used;
}

ssize_t procfs_link(int dir, const char *file, char *out, size_t size)
{
	char target[4096];
	ssize_t n = readlinkat(dir, file, target, sizeof(target));

	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG; /* a cut path would name another file */
	memcpy(out, target, (size_t)n);
	out[n] = '\0';
	return n;
}

/* comm may hold blanks and brackets itself: it ends at the last one. */
static const char *read_comm(const char *text, char comm[REC_COMM + 1])
{
	const char *open = strchr(text, '('), *end = strrchr(text, ')');
	size_t n;

	if (!open || !end || end < open)
		return NULL;
	n = (size_t)(end - open - 1);
	if (n > REC_COMM)
		n = REC_COMM;
	memcpy(comm, open + 1, n);
	comm[n] = '\0';
	return end + 1;
}

int procfs_stat(int dir, struct procfs_stat *out)
{
	struct procfs_stat st = {0};
	char text[1024];
	ssize_t n = procfs_read(dir, "stat", text, sizeof(text));
	const char *at;

	if (n < 0)
		return (int)n;
	at = read_comm(text, st.comm);
	if (!at || at[0] != ' ' || at[1] == '\0')
		return -EINVAL;
	st.state = at[1];
	for (int field = FIELD_STATE; field < FIELD_START; field++) {
		at = strchr(at + 1, ' ');
		if (!at)
			return -EINVAL;
	}
	if (sscanf(at, " %" SCNu64, &st.start_ticks) != 1)
		return -EINVAL;
	*out = st;
	return 0;
}

int64_t procfs_uid(int dir)
{
	char text[2048];
	ssize_t n = procfs_read(dir, "status", text, sizeof(text));
	unsigned int uid;
	const char *at;

	if (n < 0)
		return n;
	/* The name comes first, on one line, line breaks in it escaped. */
	at = strstr(text, "\nUid:");
	if (!at || sscanf(at, "\nUid: %u", &uid) != 1)
		return -EINVAL;
	return uid;
}
