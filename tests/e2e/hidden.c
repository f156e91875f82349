// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/hidden.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

static struct {
	char mount[PATH_MAX], instance[PATH_MAX]; /* "": there is none */
} at;

static bool write_to(const char *file, const char *text)
{
	char path[2 * PATH_MAX];
	FILE *out;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", at.instance, file);
	out = fopen(path, "we");
	if (!out)
		return false;
	ok = fputs(text, out) >= 0;
	return !fclose(out) && ok;
}

/* The kernel takes the events of an instance along. */
static void unwatch(void *unused)
{
	(void)unused;
	if (*at.instance && rmdir(at.instance))
		print_error("%s stays behind\n", at.instance);
	if (*at.mount && (umount2(at.mount, MNT_DETACH) || rmdir(at.mount)))
		print_error("%s stays mounted\n", at.mount);
	*at.instance = *at.mount = '\0';
}

static void mount_tracefs(void)
{
	snprintf(at.mount, sizeof(at.mount), "%s/tracefs", scratch());
	if (mkdir(at.mount, 0700))
		harness_die("%s", at.mount);
	if (!mount("none", at.mount, "tracefs", 0, NULL))
		return;
	rmdir(at.mount);
	*at.mount = '\0';
}

void hidden_watch(void)
{
	mount_tracefs();
	harness_defer(unwatch, NULL);
	if (!*at.mount)
		return;
	snprintf(at.instance, sizeof(at.instance), "%.4000s/instances/e2e-%d",
		 at.mount, (int)getpid());
	if (mkdir(at.instance, 0700)) {
		*at.instance = '\0';
		return;
	}
	if (!write_to("buffer_size_kb", "8192") ||
	    !write_to("events/sock/inet_sock_set_state/filter",
		      "oldstate == 2 && newstate == 7") ||
	    !write_to("events/sock/inet_sock_set_state/enable", "1") ||
	    !write_to("events/tcp/tcp_send_reset/enable", "1"))
		harness_die("the events of %s", at.instance);
}

/* "   comm-123   [000] flags time: event: ..."; 0: no such line. */
static int interrupted(const char *line)
{
	const char *cpu = strstr(line, " ["), *dash = NULL;
	int tid = 0;

	for (const char *c = line; cpu && c < cpu; c++)
		if (*c == '-')
			dash = c;
	return dash && sscanf(dash + 1, "%d", &tid) == 1 ? tid : 0;
}

static bool is_guarded(int tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/1/task/%d", tid);
	return tid > 0 && !access(path, F_OK);
}

struct hidden hidden_read(void)
{
	struct hidden hidden = {0};
	char path[2 * PATH_MAX], line[1024];
	FILE *in;

	if (!*at.instance)
		return hidden;
	snprintf(path, sizeof(path), "%s/trace", at.instance);
	in = fopen(path, "re");
	if (!in)
		harness_die("%s", path);
	while (fgets(line, sizeof(line), in)) {
		if (*line == '#' || !is_guarded(interrupted(line)))
			continue;
		hidden.attempts += strstr(line, "inet_sock_set_state:") != NULL;
		hidden.resets += strstr(line, "tcp_send_reset:") != NULL;
	}
	fclose(in);
	if (hidden.attempts || hidden.resets)
		print_message("met while PID 1 was running: %lld attempts "
			      "ended, %lld RSTs sent\n",
			      (long long)hidden.attempts,
			      (long long)hidden.resets);
	return hidden;
}
