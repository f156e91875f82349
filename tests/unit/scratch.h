/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for one test, removed after it; cmocka setup and teardown. */
#ifndef RSTSCOPE_SCRATCH_H
#define RSTSCOPE_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char dir[64];
	char path[96]; /* DIR/events.db */
};

static inline int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	strcpy(s->dir, "/tmp/rstscope-test.XXXXXX");
	if (!mkdtemp(s->dir) || chmod(s->dir, 0755))
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/events.db", s->dir);
	*state = s;
	return 0;
}

static inline int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	DIR *dir = opendir(s->dir);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(s->dir);
	free(s);
	return 0;
}

static inline int scratch_files(const struct scratch *s)
{
	DIR *dir = opendir(s->dir);
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static inline off_t scratch_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

#endif
