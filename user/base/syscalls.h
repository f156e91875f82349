/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of system calls by architecture ("x86_64", "i386", "aarch64"), from
 * the headers of the machine that built this (tools/gen-syscalls). A call
 * newer than those headers, or an architecture they do not have, has no name.
 */
#ifndef RSTSCOPE_SYSCALLS_H
#define RSTSCOPE_SYSCALLS_H

#include <stddef.h>

/* The kernel's name ("recvfrom"), or NULL. */
const char *syscall_name(const char *arch, int nr);
/* The number, or -ENOENT. */
int syscall_by_name(const char *arch, const char *name);

/* What tools/gen-syscalls writes; ends with a row whose arch is NULL. */
struct syscall_table {
	const char *arch;
	const char *const *names; /* by number, NULL in gaps */
	size_t count;
};
extern const struct syscall_table syscall_tables[];

#endif
