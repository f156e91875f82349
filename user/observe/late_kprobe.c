// SPDX-License-Identifier: Apache-2.0
#include "user/observe/late_kprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/base.h"

#define TRACEFS "/sys/kernel/tracing"
#define GROUP	"rstscope_" /* and the pid */
#define KPROBE	"kprobe/"

/* --- tracefs -------------------------------------------------------------- */

/* Where it is mounted; else a mount of our own, which nobody sees. */
static int open_tracefs(void)
{
	int dir = open(TRACEFS, O_PATH | O_DIRECTORY | O_CLOEXEC), fs;

	if (dir >= 0 && !faccessat(dir, "kprobe_events", F_OK, 0))
		return dir;
	if (dir >= 0)
		close(dir);
	fs = fsopen("tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	dir = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)
		      ? -1
		      : fsmount(fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
	return dir;
}

static int event_write(const struct late_kprobes *k, const char *line)
{
	ssize_t n = write(k->events, line, strlen(line));

	return n < 0 ? -errno : 0;
}

/* What one that ended badly left. The kernel keeps those that are in use. */
static void sweep(struct late_kprobes *k)
{
	int fd = openat(k->tracefs, "kprobe_events", O_RDONLY | O_CLOEXEC), pid;
	char line[256], name[64], gone[128];
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (!in && fd >= 0)
		close(fd);
	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, "p:" GROUP "%d/%63s", &pid, name) != 2 ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(gone, sizeof(gone), "-:" GROUP "%d/%s\n", pid, name);
		event_write(k, gone);
	}
	if (in)
		fclose(in);
}

static int open_events(struct late_kprobes *k)
{
	if (k->open)
		return 0;
	k->tracefs = open_tracefs();
	if (k->tracefs < 0)
		return -errno;
	k->events = openat(k->tracefs, "kprobe_events",
			   O_WRONLY | O_APPEND | O_CLOEXEC);
	if (k->events < 0) {
		int err = -errno;

		close(k->tracefs);
		return err;
	}
	k->open = true;
	sweep(k);
	return 0;
}

void late_kprobes_close(struct late_kprobes *k)
{
	if (!k->open)
		return;
	close(k->events);
	close(k->tracefs);
	k->open = false;
}

/* --- one probe ------------------------------------------------------------ */

bool late_kprobe_is(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return !strncmp(section, KPROBE, sizeof(KPROBE) - 1) &&
	       strchr(section, ':');
}

/* MODULE:FUNCTION, or FUNCTION where that is built in. */
static const char *symbol_of(const struct btf *vmlinux,
			     const struct bpf_program *program)
{
	const char *symbol =
		bpf_program__section_name(program) + sizeof(KPROBE) - 1;
	const char *function = strchr(symbol, ':') + 1;

	if (btf__find_by_name_kind(vmlinux, function, BTF_KIND_FUNC) > 0)
		return function;
	return symbol;
}

static int read_id(const struct late_kprobes *k, const char *name)
{
	char path[128], text[16];
	ssize_t n;
	int fd, id = -1;

	snprintf(path, sizeof(path), "events/" GROUP "%d/%s/id", getpid(),
		 name);
	fd = openat(k->tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	return sscanf(text, "%d", &id) == 1 ? id : -EIO;
}

/* Programs of an event run on every CPU, whichever it was opened for. */
static int open_event(int id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)id,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1,
			  PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static struct bpf_link *attach_event(struct late_kprobes *k,
				     const struct bpf_program *program)
{
	int id = read_id(k, bpf_program__name(program));
	int fd = id < 0 ? id : open_event(id);
	struct bpf_link *link;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		int err = errno;

		close(fd);
		errno = err;
	}
	return link;
}

struct bpf_link *late_kprobe_attach(struct late_kprobes *k,
				    const struct btf *vmlinux,
				    const struct bpf_program *program)
{
	char line[192];
	struct bpf_link *link;
	int err = open_events(k);

	if (!err) {
		snprintf(line, sizeof(line), "p:" GROUP "%d/%s %s\n", getpid(),
			 bpf_program__name(program),
			 symbol_of(vmlinux, program));
		err = event_write(k, line);
	}
	if (err) {
		errno = -err;
		return NULL;
	}
	link = attach_event(k, program);
	err = errno;
	if (!link)
		late_kprobe_remove(k, program);
	errno = err;
	return link;
}

void late_kprobe_remove(struct late_kprobes *k,
			const struct bpf_program *program)
{
	char line[128];

	if (!k->open)
		return;
	snprintf(line, sizeof(line), "-:" GROUP "%d/%s\n", getpid(),
		 bpf_program__name(program));
	event_write(k, line);
}
