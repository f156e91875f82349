// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

#define READY_LIMIT_MS 30000
#define STOP_LIMIT_MS  20000
#define LS_LIMIT_MS    20000
#define ARGS_MAX       32

struct daemon {
	pid_t pid; /* 0: it has ended */
	bool own_dir;
	int64_t since; /* UNIX time of its start */
	char dir[64];
	char log[80];
	char store[96];
	char listen[80];
};

const char *program_path(const char *name)
{
	static char paths[4][256];
	static unsigned int turn;
	const char *build = getenv("RSTSCOPE_BUILD");
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", build ? build : "build",
		 name);
	return path;
}

static int notify_open(const char *dir, char *path, size_t size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", dir);
	snprintf(path, size, "%s", a.sun_path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		harness_die("notify socket: %s", strerror(errno));
	return fd;
}

/* True when READY=1 came, false when the daemon ended or time ran out. */
static bool notify_wait(int fd, struct daemon *d)
{
	int64_t end = harness_now_ms() + harness_ms(READY_LIMIT_MS);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char text[512];
	ssize_t n;

	while (harness_now_ms() < end) {
		if (poll(&p, 1, 50) == 1) {
			n = recv(fd, text, sizeof(text) - 1, 0);
			text[n > 0 ? n : 0] = 0;
			if (strstr(text, "READY=1"))
				return true;
		}
		if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
			d->pid = 0;
			return false;
		}
	}
	return false;
}

static void daemon_exec(const struct daemon *d, const char *notify,
			const char *const more[])
{
	const char *args[ARGS_MAX] = {program_path("rstscoped"), "--store",
				      d->store, "--listen", d->listen};
	int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	const char *methods = getenv("RSTSCOPE_METHODS");
	int n = 5;

	if (methods) {
		args[n++] = "--methods";
		args[n++] = methods;
	}
	for (; more && *more && n < ARGS_MAX - 1; more++)
		args[n++] = *more;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("NOTIFY_SOCKET", notify, 1);
	unsetenv("JOURNAL_STREAM");
	dup2(log, STDERR_FILENO);
	dup2(log, STDOUT_FILENO);
	execv(args[0], (char *const *)args);
	dprintf(log, "%s: %s\n", args[0], strerror(errno));
	_exit(127);
}

static struct daemon *daemon_run(struct daemon *d, const char *const more[])
{
	char notify[128];
	int fd = notify_open(d->dir, notify, sizeof(notify));
	bool ready;

	fflush(NULL);
	d->since = time(NULL) - 1;
	d->pid = fork();
	if (d->pid < 0)
		harness_die("fork");
	if (!d->pid)
		daemon_exec(d, notify, more);
	ready = notify_wait(fd, d);
	close(fd);
	if (ready)
		return d;
	fprintf(stderr, "the daemon %s\n",
		d->pid ? "is not ready in time" : "ended at its start");
	daemon_print_log(d);
	daemon_free(d);
	return NULL;
}

struct daemon *daemon_start_on(const char *dir, const char *const more[])
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d)
		harness_die("memory");
	snprintf(d->dir, sizeof(d->dir), "%s", dir);
	snprintf(d->log, sizeof(d->log), "%s/log", d->dir);
	snprintf(d->store, sizeof(d->store), "sqlite:%s/events.db", d->dir);
	snprintf(d->listen, sizeof(d->listen), "unix:%s/http", d->dir);
	return daemon_run(d, more);
}

struct daemon *daemon_start(const char *const more[])
{
	char dir[] = "/tmp/rstscope-e2e-XXXXXX";
	struct daemon *d;

	if (!mkdtemp(dir))
		harness_die("%s: %s", dir, strerror(errno));
	d = daemon_start_on(dir, more);
	if (d)
		d->own_dir = true;
	return d;
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* The exit status, or 124 after a SIGKILL at the limit. */
static int wait_limited(pid_t pid, int limit_ms)
{
	int64_t end = harness_now_ms() + harness_ms(limit_ms);
	int status = 0;

	while (harness_now_ms() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status_of(status);
		usleep(2000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 124;
}

int daemon_stop(struct daemon *d)
{
	int status;

	if (!d->pid)
		return 0;
	kill(d->pid, SIGTERM);
	status = wait_limited(d->pid, STOP_LIMIT_MS);
	d->pid = 0;
	return status;
}

void daemon_kill(struct daemon *d)
{
	if (!d->pid)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
	d->pid = 0;
}

void daemon_free(struct daemon *d)
{
	const char *const rm[] = {"rm", "-rf", d->dir, NULL};

	if (d->pid && daemon_stop(d))
		fprintf(stderr, "the daemon did not end well\n");
	if (d->own_dir)
		run_program(rm, 5000, NULL, NULL);
	free(d);
}

pid_t daemon_pid(const struct daemon *d)
{
	return d->pid;
}

const char *daemon_dir(const struct daemon *d)
{
	return d->dir;
}

const char *daemon_store(const struct daemon *d)
{
	return d->store;
}

const char *daemon_listen(const struct daemon *d)
{
	return d->listen;
}

void daemon_print_log(const struct daemon *d)
{
	char line[512];
	FILE *f = fopen(d->log, "re");

	while (f && fgets(line, sizeof(line), f))
		fprintf(stderr, "    rstscoped: %s", line);
	if (f)
		fclose(f);
}

/* --- programs --------------------------------------------------------------
 */
static char *slurp(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, size + 1);

	if (!text || pread(fd, text, size, 0) != size)
		harness_die("reading output");
	return text;
}

static int temporary_file(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) /* the VM's root has no O_TMPFILE */
		fd = fileno(tmpfile());
	return fd;
}

int run_program(const char *const argv[], int limit_ms, char **out, char **err)
{
	int out_fd = temporary_file(), err_fd = temporary_file(), status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		harness_die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	status = wait_limited(pid, limit_ms);
	if (out)
		*out = slurp(out_fd);
	if (err)
		*err = slurp(err_fd);
	close(out_fd);
	close(err_fd);
	return status;
}

/* --- events ----------------------------------------------------------------
 */
static json_t *parse_lines(char *text, int64_t after)
{
	json_t *events = json_array(), *event;
	char *next = NULL;

	for (char *line = strtok_r(text, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		json_error_t error;

		event = json_loads(line, 0, &error);
		if (!event)
			harness_die("ls --json: %s: %s", error.text, line);
		if (json_integer_value(json_object_get(event, "id")) > after)
			json_array_append(events, event);
		json_decref(event);
	}
	return events;
}

json_t *daemon_events(const struct daemon *d, int64_t after)
{
	char since[32];
	const char *const argv[] = {program_path("rstscope"),
				    "ls",
				    "--json",
				    "--benign",
				    "--since",
				    since,
				    "--store",
				    d->store,
				    NULL};
	char *out = NULL, *err = NULL;
	json_t *events = NULL;
	int status;

	snprintf(since, sizeof(since), "@%lld", (long long)d->since);
	status = run_program(argv, LS_LIMIT_MS, &out, &err);
	if (status)
		fprintf(stderr, "ls: status %d: %s\n", status, err);
	else
		events = parse_lines(out, after);
	free(out);
	free(err);
	return events;
}

int64_t daemon_last_id(const struct daemon *d)
{
	json_t *events = daemon_events(d, 0);
	size_t n = events ? json_array_size(events) : 0;
	int64_t last = 0, id;

	for (size_t i = 0; i < n; i++) {
		id = json_integer_value(
			json_object_get(json_array_get(events, i), "id"));
		last = id > last ? id : last;
	}
	json_decref(events);
	return last;
}

bool daemon_probe_up(const struct daemon *d, const char *hook)
{
	const char *const argv[] = {program_path("rstscope"),
				    "doctor",
				    "--json",
				    "--store",
				    d->store,
				    NULL};
	const json_t *probe;
	json_t *doctor;
	char *out = NULL;
	bool up = false;
	size_t i;

	run_program(argv, LS_LIMIT_MS, &out, NULL);
	doctor = json_loads(out, 0, NULL);
	free(out);
	json_array_foreach(
		json_object_get(json_object_get(doctor, "daemon"), "probes"), i,
		probe)
	{
		const json_t *name = json_object_get(probe, "hook");

		if (!strcmp(json_string_value(name), hook))
			up = json_is_true(json_object_get(probe, "up"));
	}
	if (!i)
		harness_die("doctor --json tells of no probes");
	json_decref(doctor);
	return up;
}
