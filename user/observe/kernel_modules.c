// SPDX-License-Identifier: Apache-2.0
#include "user/observe/kernel_modules.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#define BTF_DIR "/sys/kernel/btf"

static void add_module(struct kernel_modules *m, struct btf *vmlinux,
		       const char *name)
{
	struct btf *btf = btf__load_module_btf(name, vmlinux), **more;

	if (!btf)
		return;
	more = realloc(m->btfs, (m->count + 1) * sizeof(*more));
	if (!more) {
		btf__free(btf);
		return;
	}
	m->btfs = more;
	m->btfs[m->count++] = btf;
}

static void read_modules(struct kernel_modules *m, struct btf *vmlinux)
{
	DIR *dir = opendir(BTF_DIR);
	struct dirent *entry;

	m->read = true;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "vmlinux"))
			add_module(m, vmlinux, entry->d_name);
	if (dir)
		closedir(dir);
}

/* Looks at the module's own types only, which follow those of vmlinux. */
static bool has_function(const struct btf *btf, const char *function)
{
	__u32 first = btf__type_cnt(btf__base_btf(btf));

	for (__u32 id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);

		if (btf_is_func(type) &&
		    !strcmp(btf__name_by_offset(btf, type->name_off), function))
			return true;
	}
	return false;
}

bool kernel_modules_have(struct kernel_modules *m, struct btf *vmlinux,
			 const char *function)
{
	if (!m->read)
		read_modules(m, vmlinux);
	for (size_t i = 0; i < m->count; i++)
		if (has_function(m->btfs[i], function))
			return true;
	return false;
}

void kernel_modules_free(struct kernel_modules *m)
{
	for (size_t i = 0; i < m->count; i++)
		btf__free(m->btfs[i]);
	free(m->btfs);
}
