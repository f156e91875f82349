// SPDX-License-Identifier: Apache-2.0
#include "user/observe/kprobe_event.h"

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
#define RETURN	"kretprobe/"

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

static int event_write(const struct kprobe_events *k, const char *line)
{
	ssize_t n = write(k->events, line, strlen(line));

	return n < 0 ? -errno : 0;
}

/* What one that ended badly left. The kernel keeps those that are in use. */
static void sweep(struct kprobe_events *k)
{
	int fd = openat(k->tracefs, "kprobe_events", O_RDONLY | O_CLOEXEC), pid;
	char line[256], name[64], gone[128];
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

	if (!in && fd >= 0)
		close(fd);
	while (in && fgets(line, sizeof(line), in)) {
		const char *event = strchr(line, ':'); /* p:, r:, r4096: */

		if (!event ||
		    sscanf(event, ":" GROUP "%d/%63s", &pid, name) != 2 ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(gone, sizeof(gone), "-:" GROUP "%d/%s\n", pid, name);
		event_write(k, gone);
	}
	if (in)
		fclose(in);
}

static int open_events(struct kprobe_events *k)
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

void kprobe_events_close(struct kprobe_events *k)
{
	if (!k->open)
		return;
	close(k->events);
	close(k->tracefs);
	k->open = false;
}

/* --- one probe ------------------------------------------------------------ */

static bool is_return(const struct bpf_program *program)
{
	return !strncmp(bpf_program__section_name(program), RETURN,
			sizeof(RETURN) - 1);
}

bool kprobe_event_is_late(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);

	return !strncmp(section, KPROBE, sizeof(KPROBE) - 1) &&
	       strchr(section, ':');
}

bool kprobe_event_serves(const struct bpf_program *program)
{
	return kprobe_event_is_late(program) || is_return(program);
}

/* MODULE:FUNCTION, or FUNCTION where that is built in. */
static const char *symbol_of(const struct btf *vmlinux,
			     const struct bpf_program *program)
{
	const char *symbol =
		strchr(bpf_program__section_name(program), '/') + 1;
	const char *colon = strchr(symbol, ':');

	if (colon &&
	    btf__find_by_name_kind(vmlinux, colon + 1, BTF_KIND_FUNC) > 0)
		return colon + 1;
	return symbol;
}

static int add_event(struct kprobe_events *k, const struct btf *vmlinux,
		     const struct bpf_program *program)
{
	char kind[16] = "p", line[192];

	if (is_return(program))
		snprintf(kind, sizeof(kind), "r%d", KPROBE_EVENT_CALLS);
	snprintf(line, sizeof(line), "%s:" GROUP "%d/%s %s\n", kind, getpid(),
		 bpf_program__name(program), symbol_of(vmlinux, program));
	return event_write(k, line);
}

static int read_id(const struct kprobe_events *k, const char *name)
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

static struct bpf_link *attach_event(struct kprobe_events *k,
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

struct bpf_link *kprobe_event_attach(struct kprobe_events *k,
				     const struct btf *vmlinux,
				     const struct bpf_program *program)
{
	struct bpf_link *link;
	int err = open_events(k);

	if (!err)
		err = add_event(k, vmlinux, program);
	if (err) {
		errno = -err;
		return NULL;
	}
	link = attach_event(k, program);
	err = errno;
	if (!link)
		kprobe_event_remove(k, program);
	errno = err;
	return link;
}

void kprobe_event_remove(struct kprobe_events *k,
			 const struct bpf_program *program)
{
	char line[128];

	if (!k->open)
		return;
	snprintf(line, sizeof(line), "-:" GROUP "%d/%s\n", getpid(),
		 bpf_program__name(program));
	event_write(k, line);
}
