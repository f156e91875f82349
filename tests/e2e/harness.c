// SPDX-License-Identifier: Apache-2.0
/* Time, clean-up, namespaces and programs; events are in expect.c. */
#include "tests/e2e/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/agree.h"

#define DEFERRED_MAX 64
#define NETNS_MAX    8
#define TEXT_MAX     2048

static struct {
	int outer; /* network namespace of the program */
	int home;  /* of the test that runs */
	unsigned int others;
	int other[NETNS_MAX]; /* its further ones */
	struct daemon *daemon;
	struct world world;
	unsigned int deferred;
	struct {
		void (*fn)(void *);
		void *arg;
	} defer[DEFERRED_MAX];
	char scratch[64];
} here = {.outer = -1, .home = -1};

int harness_ms(int ms)
{
	static double scale;
	const char *text = getenv("RSTSCOPE_TIME_SCALE");

	if (scale == 0)
		scale = text && atof(text) >= 1 ? atof(text) : 1;
	return ms * scale;
}

void harness_sleep(int ms)
{
	usleep(harness_ms(ms) * 1000);
}

int64_t harness_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

bool file_has(const char *path, const char *text)
{
	static char all[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(all, 1, sizeof(all) - 1, f) : 0;

	if (f)
		fclose(f);
	all[n] = '\0';
	return strstr(all, text);
}

void file_wait_for(const char *path, const char *text, int limit_ms)
{
	int64_t end = harness_now_ms() + harness_ms(limit_ms);

	while (!file_has(path, text)) {
		if (harness_now_ms() > end)
			fail_msg("'%s' did not come", text);
		usleep(20000);
	}
}

void harness_die(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_error("the scenario itself failed: %s\n", text);
	_fail(__FILE__, __LINE__);
	abort();
}

void harness_skip(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_message("skipped: %s\n", text);
	skip();
}

void harness_defer(void (*fn)(void *), void *arg)
{
	if (here.deferred == DEFERRED_MAX)
		harness_die("too much to clean up");
	here.defer[here.deferred].fn = fn;
	here.defer[here.deferred++].arg = arg;
}

/* --- one test --------------------------------------------------------------
 */
int setup_program_with(void **state, const char *const options[])
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	here.outer = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (here.outer < 0)
		return -1;
	here.daemon = daemon_start(options);
	return here.daemon ? 0 : -1;
}

int setup_program(void **state)
{
	return setup_program_with(state, NULL);
}

int teardown_program(void **state)
{
	(void)state;
	if (!here.daemon)
		return 0;
	daemon_free(here.daemon);
	here.daemon = NULL;
	return 0;
}

/*
 * Descriptors of namespaces stay open until the program ends: their inode
 * numbers are used again at once, and an event that comes late would be taken
 * for one of another test.
 */
static int netns_unshare(void)
{
	if (unshare(CLONE_NEWNET))
		return -1;
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int setup(void **state, int family)
{
	here.home = netns_unshare();
	if (here.home < 0) {
		print_error("a network namespace: %s\n", strerror(errno));
		return -1;
	}
	must_in(-1, "ip link set lo up");
	here.others = 0;
	here.world = (struct world){.family = family, .daemon = here.daemon};
	expect_start(&here.world);
	*state = &here.world;
	return 0;
}

int setup_ipv4(void **state)
{
	return setup(state, AF_INET);
}

int setup_ipv6(void **state)
{
	return setup(state, AF_INET6);
}

int teardown(void **state)
{
	bool agree = agree_at_end(*state);

	while (here.deferred) {
		here.deferred--;
		here.defer[here.deferred].fn(here.defer[here.deferred].arg);
	}
	return setns(here.outer, CLONE_NEWNET) || !agree ? -1 : 0;
}

/* --- namespaces ------------------------------------------------------------
 */
int netns_home(void)
{
	return here.home;
}

int netns_new(void)
{
	int fd = netns_unshare();

	if (fd < 0 || shell_in(-1, "ip link set lo up") ||
	    setns(here.home, CLONE_NEWNET))
		harness_die("a network namespace: %s", strerror(errno));
	if (here.others == NETNS_MAX)
		harness_die("too many namespaces");
	here.other[here.others++] = fd;
	return fd;
}

unsigned int netns_count(void)
{
	return here.others;
}

int netns_at(unsigned int i)
{
	return here.other[i];
}

static void add_address(int netns, const char *name, const char *address)
{
	if (address)
		must_in(netns, "ip address add %s/%s dev %s", address,
			strchr(address, ':') ? "64 nodad" : "24", name);
}

void netns_link(int a, const char *a_name, const char *a_address, int b,
		const char *b_name, const char *b_address)
{
	if (shell_in(a, "ip link show dev %s >/dev/null 2>&1", a_name))
		must_in(a,
			"ip link add name %s type veth peer name %s "
			"netns /proc/%d/fd/%d && ip link set dev %s up",
			a_name, b_name, getpid(), b, a_name);
	must_in(b, "ip link set dev %s up", b_name);
	add_address(a, a_name, a_address);
	add_address(b, b_name, b_address);
}

static int shell_run(int netns, const char *text)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		harness_die("fork");
	if (!pid) {
		if (netns >= 0 && setns(netns, CLONE_NEWNET))
			_exit(126);
		execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int shell_in(int netns, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return shell_run(netns, text);
}

void must_in(int netns, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (shell_run(netns, text))
		harness_die("%s", text);
}

bool have_program(const char *name)
{
	return !shell_in(-1, "command -v %s >/dev/null", name);
}

/* --- programs --------------------------------------------------------------
 */
static void spawned_end(void *arg)
{
	pid_t pid = (pid_t)(intptr_t)arg;

	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

pid_t spawn(const char *output, char *const argv[])
{
	pid_t pid;
	int out;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		harness_die("fork");
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execvp(argv[0], argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	setpgid(pid, pid);
	harness_defer(spawned_end, (void *)(intptr_t)pid);
	return pid;
}

int spawn_wait(pid_t pid, int ms)
{
	int64_t end = harness_now_ms() + harness_ms(ms);
	siginfo_t info = {0};

	while (harness_now_ms() < end) {
		/* Not reaped here: the number stays ours until the end. */
		if (!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
		    info.si_pid == pid)
			return info.si_code == CLD_EXITED
				       ? info.si_status
				       : 128 + info.si_status;
		usleep(5000);
	}
	harness_die("a program did not end in %d ms", harness_ms(ms));
}

static bool listens(const char *table, int port)
{
	FILE *f = fopen(table, "re");
	unsigned int local, state;
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x",
			       &local, &state) == 2 &&
			local == (unsigned int)port && state == 0x0a;
	if (f)
		fclose(f);
	return found;
}

void wait_listening(int port)
{
	int64_t end = harness_now_ms() + harness_ms(10000);

	while (harness_now_ms() < end) {
		if (listens("/proc/thread-self/net/tcp", port) ||
		    listens("/proc/thread-self/net/tcp6", port))
			return;
		usleep(10000);
	}
	harness_die("nothing listens on port %d", port);
}

static void scratch_end(void *arg)
{
	(void)arg;
	shell_in(-1, "rm -rf '%s'", here.scratch);
	here.scratch[0] = 0;
}

const char *scratch(void)
{
	if (here.scratch[0])
		return here.scratch;
	snprintf(here.scratch, sizeof(here.scratch),
		 "/tmp/rstscope-e2e-XXXXXX");
	if (!mkdtemp(here.scratch))
		harness_die("mkdtemp: %s", strerror(errno));
	chmod(here.scratch, 0755);
	harness_defer(scratch_end, NULL);
	return here.scratch;
}
