/* SPDX-License-Identifier: Apache-2.0 */
#include "user/cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/base.h"

static const int passed_on[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
};

int child_prepare(struct child *c)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t set;

	memset(c, 0, sizeof(*c));
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, &c->mask);
	/* where it is ignored, wait() has nothing to tell */
	sigaction(SIGCHLD, &normal, &c->sigchld);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? -errno : 0;
}

/* exec keeps what is ignored, and makes our handlers the default. */
static void restore_signals(const struct child *c)
{
	struct sigaction action;

	sigaction(SIGCHLD, &c->sigchld, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		if (!sigaction(passed_on[i], NULL, &action) &&
		    action.sa_handler != SIG_IGN)
			signal(passed_on[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
}

static void become(const struct child *c, char **argv, int result)
{
	int err;

	restore_signals(c);
	execvp(argv[0], argv);
	err = errno;
	if (write(result, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* The errno of its exec, 0 where that closed the pipe. */
static int exec_result(int fd)
{
	int err = 0;
	ssize_t n;

	do
		n = read(fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? err : 0;
}

int child_start(struct child *c, char **argv)
{
	int result[2], err;

	if (pipe2(result, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (!c->pid)
		become(c, argv, result[1]);
	err = c->pid < 0 ? errno : 0;
	close(result[1]);
	if (!err)
		err = exec_result(result[0]);
	close(result[0]);
	if (!err)
		return 0;
	if (c->pid > 0)
		waitpid(c->pid, NULL, 0);
	c->status = err == ENOENT ? 127 : 126;
	return -err;
}

static void reap(struct child *c)
{
	int status;

	if (c->ended || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return;
	c->ended = true;
	c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
					: WEXITSTATUS(status);
}

/*
 * What the kernel sends (an interrupt from the terminal, a hang-up) goes to the
 * whole process group: the command has it already, and so it has what it sent
 * to its own group.
 */
static bool is_for_us_alone(const struct child *c,
			    const struct signalfd_siginfo *s)
{
	return s->ssi_code <= 0 && (pid_t)s->ssi_pid != c->pid;
}

void child_attend(struct child *c)
{
	struct signalfd_siginfo s;

	while (read(c->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGCHLD)
			reap(c);
		else if (!c->ended && is_for_us_alone(c, &s))
			kill(c->pid, (int)s.ssi_signo);
	}
}

void child_release(struct child *c)
{
	if (c->signals > 0)
		close(c->signals);
	sigaction(SIGCHLD, &c->sigchld, NULL);
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
}
