/* SPDX-License-Identifier: Apache-2.0 */
#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/daemon/privileges.h"

#define BIT(cap) (1ull << (cap))

struct need {
	int cap;
	const char *name;
};

/* bpf(2): since 5.8 these two load tracing programs. */
static const struct need to_load[] = {
	{CAP_BPF, "CAP_BPF"},
	{CAP_PERFMON, "CAP_PERFMON"},
};

/* /proc/PID/exe and /proc/PID/fd of other users; tracefs. */
static const struct need to_see[] = {
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH"},
};

/*
 * Kept: reading /proc, and CAP_BPF, without which kernels before 5.19 refuse
 * to read a map where unprivileged BPF is off, even through a descriptor.
 */
static const int keep[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_BPF};

/* Names of what is missing, "A and B"; "" where nothing is. */
static void missing(const struct privileges *p, const struct need *needs,
		    size_t n, char *out, size_t size)
{
	size_t i, used = 0;

	out[0] = '\0';
	for (i = 0; i < n; i++)
		if (!(p->effective & BIT(needs[i].cap)) && used < size)
			used += snprintf(out + used, size - used, "%s%s",
					 used ? " and " : "", needs[i].name);
}

int privileges_judge(const struct privileges *p, char *err, size_t err_size)
{
	char names[80];

	/* The kernel asks for them in the initial user namespace. */
	if (!p->host_user_namespace) {
		snprintf(
			err, err_size,
			"probes cannot be loaded from inside a user namespace; "
			"run it as root of the host");
		return -EPERM;
	}
	missing(p, to_load, ARRAY_SIZE(to_load), names, sizeof(names));
	/* CAP_SYS_ADMIN stands for both, as it did before 5.8. */
	if (names[0] && !(p->effective & BIT(CAP_SYS_ADMIN))) {
		snprintf(err, err_size,
			 "loading probes needs %s; run it as root, for "
			 "example with sudo",
			 names);
		return -EPERM;
	}
	missing(p, to_see, ARRAY_SIZE(to_see), names, sizeof(names));
	if (names[0]) {
		snprintf(err, err_size,
			 "without %s, executables and older sockets of other "
			 "users stay unknown",
			 names);
		return 1;
	}
	return 0;
}

/* The first user namespace maps all ids to themselves (user_namespaces(7)). */
static bool in_host_user_namespace(void)
{
	unsigned long inside, outside, length;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool identity;

	if (!f)
		return true; /* a kernel without user namespaces */
	identity = fscanf(f, "%lu %lu %lu", &inside, &outside, &length) == 3 &&
		   inside == 0 && outside == 0 && length >= 4294967295ul;
	fclose(f);
	return identity;
}

int privileges_check(char *err, size_t err_size)
{
	struct privileges p = {
		.host_user_namespace = in_host_user_namespace(),
	};
	int cap;

	if (capng_get_caps_process()) {
		snprintf(err, err_size, "the capabilities cannot be read");
		return -EPERM;
	}
	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (capng_have_capability(CAPNG_EFFECTIVE, cap))
			p.effective |= BIT(cap);
	return privileges_judge(&p, err, err_size);
}

/* Could this user create files there by the permissions alone? */
static bool dir_is_ours(const char *dir)
{
	struct stat st;

	return !dir || (!stat(dir, &st) && st.st_uid == geteuid() &&
			(st.st_mode & S_IRWXU) == S_IRWXU);
}

static void keep_if_held(int cap, uint64_t held)
{
	if (held & BIT(cap))
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
}

int privileges_drop(const char *dir, char *err, size_t err_size)
{
	capng_select_t what = CAPNG_SELECT_CAPS;
	uint64_t held = 0;
	size_t i;
	int cap;

	if (capng_get_caps_process()) {
		snprintf(err, err_size, "the capabilities cannot be read");
		return -EPERM;
	}
	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (capng_have_capability(CAPNG_PERMITTED, cap))
			held |= BIT(cap);
	/* Only CAP_SETPCAP may empty the bounding set. */
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		what = CAPNG_SELECT_BOTH;
	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < ARRAY_SIZE(keep); i++)
		keep_if_held(keep[i], held);
	if (!dir_is_ours(dir))
		keep_if_held(CAP_DAC_OVERRIDE, held);
	if (capng_apply(what)) {
		snprintf(err, err_size, "privileges cannot be given up: %s",
			 strerror(errno));
		return -EPERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		snprintf(err, err_size, "no_new_privs: %s", strerror(errno));
		return -EPERM;
	}
	return 0;
}
