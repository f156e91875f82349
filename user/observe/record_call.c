// SPDX-License-Identifier: Apache-2.0
/* Who, and in which system call, as the records tell. */
#include "user/observe/record.h"

#include <string.h>

#include "user/base/base.h"
#include "user/base/syscalls.h"

#define EXIT_SIGNAL(code) ((code)&0x7f)
#define EXIT_STATUS(code) ((code) >> 8 & 0xff)

void record_task(const struct rec_task *task, struct fact_task *out)
{
	memset(out, 0, sizeof(*out));
	/* the idle task has no sockets: 0 is a task that was not seen */
	out->pid = task->tgid ? (int64_t)task->tgid : NOT_KNOWN;
	out->tid = task->tgid ? (int64_t)task->tid : NOT_KNOWN;
	out->uid = task->uid == (uint32_t)-1 ? NOT_KNOWN : (int64_t)task->uid;
	out->start_ns = task->start_ns;
	out->cgroup = task->cgroup;
	out->how = task->how;
	memcpy(out->comm, task->comm, REC_COMM);
	out->exiting = task->flags & TASK_EXITING;
	out->exit_signal = out->exit_status = NOT_KNOWN;
	if (!out->exiting)
		return;
	out->exit_signal = EXIT_SIGNAL(task->exit_code);
	if (!out->exit_signal)
		out->exit_status = EXIT_STATUS(task->exit_code);
}

static const struct {
	const char *prefix;
	enum call_class class;
} call_classes[] = {
	{"close", CALL_CLOSE},	  {"dup", CALL_CLOSE},
	{"shutdown", CALL_CLOSE}, {"connect", CALL_CONNECT},
	{"accept", CALL_ACCEPT},  {"read", CALL_READ},
	{"recv", CALL_READ},	  {"pread", CALL_READ},
	{"write", CALL_WRITE},	  {"send", CALL_WRITE},
	{"pwrite", CALL_WRITE},	  {"splice", CALL_WRITE},
	{"exit", CALL_EXIT},
};

static enum call_class find_class(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(call_classes); i++) {
		if (!strncmp(name, call_classes[i].prefix,
			     strlen(call_classes[i].prefix)))
			return call_classes[i].class;
	}
	return CALL_OTHER;
}

/* The names are constants of a table: the last ones asked for are remembered.
 */
static enum call_class class_of(const char *name)
{
	static _Thread_local struct {
		const char *name;
		enum call_class class;
	} last[16];
	size_t i = ((uintptr_t)name >> 3) % ARRAY_SIZE(last);

	if (last[i].name != name) {
		last[i].name = name;
		last[i].class = find_class(name);
	}
	return last[i].class;
}

static const char *call_name(const struct rec_task *task,
			     const struct record_context *ctx)
{
	const char *arch = ctx->arch;

	if (task->flags & TASK_IO_WORKER)
		return "io_uring_enter";
	if (!(task->flags & TASK_NR))
		return NULL;
	if (!(task->flags & TASK_COMPAT))
		return syscall_name(arch, task->nr);
	/* the 32-bit calls of other machines are in no table */
	return strcmp(arch, "x86_64") ? NULL : syscall_name("i386", task->nr);
}

void record_call(const struct rec_task *task, const struct record_context *ctx,
		 struct fact_call *out)
{
	const char *name = call_name(task, ctx);

	memset(out, 0, sizeof(*out));
	out->errno_nr = out->delay_us = NOT_KNOWN;
	if (task->flags & TASK_EXITING) {
		/* A fatal signal ends in do_group_exit() like the call of that
		 * name; the one it interrupted made no RST. */
		out->known = true;
		out->class = CALL_EXIT;
		text_copy(out->name, sizeof(out->name),
			  name && !strcmp(name, "exit") ? name : "exit_group");
		return;
	}
	if (!name && (!(task->flags & TASK_NR) || task->nr < 0))
		return; /* a kernel thread, a fault: there is no call */
	out->known = true;
	out->class = name ? class_of(name) : CALL_OTHER;
	if (name)
		text_copy(out->name, sizeof(out->name), name);
	else /* newer than the build machine's headers */
		snprintf(out->name, sizeof(out->name), "syscall_%d", task->nr);
}
