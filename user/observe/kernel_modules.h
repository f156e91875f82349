/* SPDX-License-Identifier: Apache-2.0 */
/* The BTF of loaded modules, read when it is first asked for. */
#ifndef RSTSCOPE_KERNEL_MODULES_H
#define RSTSCOPE_KERNEL_MODULES_H

#include <stdbool.h>
#include <stddef.h>

struct btf;

struct kernel_modules {
	struct btf **btfs;
	size_t count;
	bool read;
};

/* Whether one of them has that function. vmlinux must outlive them. */
bool kernel_modules_have(struct kernel_modules *m, struct btf *vmlinux,
			 const char *function);
void kernel_modules_free(struct kernel_modules *m);

#endif
