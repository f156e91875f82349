// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "user/base/syscalls.h"

static const struct syscall_table *find_table(const char *arch)
{
	for (const struct syscall_table *t = syscall_tables; t->arch; t++) {
		if (strcmp(t->arch, arch) == 0)
			return t;
	}
	return NULL;
}

const char *syscall_name(const char *arch, int nr)
{
	const struct syscall_table *t = find_table(arch);

	if (!t || nr < 0 || (size_t)nr >= t->count)
		return NULL;
	return t->names[nr];
}

int syscall_by_name(const char *arch, const char *name)
{
	const struct syscall_table *t = find_table(arch);

	for (size_t nr = 0; t && nr < t->count; nr++) {
		if (t->names[nr] && strcmp(t->names[nr], name) == 0)
			return (int)nr;
	}
	return -ENOENT;
}
