/* SPDX-License-Identifier: Apache-2.0 */
#include "user/daemon/namer.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/base/base.h"

#define LIMIT_S	     10 /* for one stack: large ones on slow machines */
#define MEMORY_BYTES (2ull << 30) /* of address space: files are mapped */
#define NAMER_FD     3

static void limit_memory(void)
{
	struct rlimit none = {0, 0}, space;
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f && fscanf(f, "%lu", &pages) == 1) {
		space.rlim_cur = pages * sysconf(_SC_PAGESIZE) + MEMORY_BYTES;
		space.rlim_max = space.rlim_cur;
		setrlimit(RLIMIT_AS, &space);
	}
	if (f)
		fclose(f);
	setrlimit(RLIMIT_CORE, &none);
}

/* What reading files of other processes needs, as far as it is there. */
static void keep_reading(void)
{
	static const int keep[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
	bool held[ARRAY_SIZE(keep)];

	if (capng_get_caps_process())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
		held[i] = capng_have_capability(CAPNG_PERMITTED, keep[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
		if (held[i])
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     keep[i]);
	capng_apply(CAPNG_SELECT_CAPS);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void serve(struct symbolizer *s)
{
	static struct namer_answer answer;
	struct rec_stack rec;

	while (recv(NAMER_FD, &rec, sizeof(rec), 0) == sizeof(rec)) {
		alarm(LIMIT_S); /* the end of a hostile file's reader */
		symbolizer_read(s, &rec, &answer.stack);
		alarm(0);
		answer.failure = rec.head.failure;
		if (send(NAMER_FD, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
}

/* Ends with the daemon: by the socket, or should it hang, by the kernel. */
static void run(const char *proc_root, int fd)
{
	struct symbolizer *s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "rstscoped-names");
	/* of the daemon's descriptors none but this one and its log */
	if (fd != NAMER_FD && dup2(fd, NAMER_FD) < 0)
		_exit(EXIT_FAILED);
	close_range(NAMER_FD + 1, ~0u, 0);
	signal(SIGALRM, SIG_DFL);
	unsetenv("DEBUGINFOD_URLS"); /* libdw would ask the network */
	limit_memory();
	keep_reading();
	s = symbolizer_new(proc_root);
	if (s)
		serve(s);
	_exit(EXIT_OK);
}

pid_t namer_start(const char *proc_root, int *fd)
{
	int ends[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		run(proc_root, ends[1]);
	}
	err = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -err;
	}
	*fd = ends[0];
	return pid;
}
