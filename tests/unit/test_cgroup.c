// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "user/attribute/process.h"
#include "user/base/base.h"

#define HEX	   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX2	   "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID	   "3f2a9c1e-0b1d-4c5e-8f70-112233445566"
#define UID_	   "3f2a9c1e_0b1d_4c5e_8f70_112233445566"
#define STATIC_UID "0123456789abcdef0123456789abcdef"

struct cgroup_case {
	const char *text, *unit, *container, *pod;
};

static const struct cgroup_case cases[] = {
	/* systemd */
	{"0::/system.slice/nginx.service\n", "nginx.service", "", ""},
	{"0::/system.slice/nginx.service", "nginx.service", "", ""},
	{"0::/system.slice/system-getty.slice/getty@tty1.service\n",
	 "getty@tty1.service", "", ""},
	{"0::/system.slice/system-postgresql.slice/"
	 "postgresql@15-main.service\n",
	 "postgresql@15-main.service", "", ""},
	{"0::/system.slice/foo.service/worker/1\n", "foo.service", "", ""},
	{"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope",
	 "", ""},
	{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
	 "app-gnome-firefox-123.scope\n",
	 "app-gnome-firefox-123.scope", "", ""},
	{"0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
	 "init.scope", "", ""},
	{"0::/init.scope\n", "init.scope", "", ""},
	{"0::/system.slice/systemd-fsck@dev-disk-by\\x2duuid-1.service\n",
	 "systemd-fsck@dev-disk-by\\x2duuid-1.service", "", ""},
	{"0::/system.slice/_cpu.service\n", "cpu.service", "", ""},
	{"0::/system.slice/gone.service (deleted)\n", "gone.service", "", ""},
	{"0::/system.slice\n", "", "", ""},
	{"0::/\n", "", "", ""},
	{"0::/../../system.slice/cron.service\n", "cron.service", "", ""},
	{"0::/system.slice/a\033b.service\n", "a?b.service", "", ""},
	/* version 1 and hybrid */
	{"12:pids:/system.slice/ssh.service\n"
	 "1:name=systemd:/system.slice/ssh.service\n",
	 "ssh.service", "", ""},
	{"4:memory:/other.slice/wrong.service\n"
	 "1:name=systemd:/system.slice/right.service\n0::/\n",
	 "right.service", "", ""},
	{"1:name=systemd:/system.slice/old.service\n"
	 "0::/system.slice/new.service\n",
	 "new.service", "", ""},
	{"3:cpu,cpuacct:/docker/" HEX "\n1:name=systemd:/docker/" HEX "\n", "",
	 HEX, ""},
	/* docker, podman, containerd, crio */
	{"0::/system.slice/docker-" HEX ".scope\n", "", HEX, ""},
	{"0::/docker/" HEX "\n", "", HEX, ""},
	{"0::/system.slice/docker-" HEX ".scope/system.slice/"
	 "nginx.service\n",
	 "nginx.service", HEX, ""},
	{"0::/docker/" HEX "/docker/" HEX2 "\n", "", HEX2, ""},
	{"0::/machine.slice/libpod-" HEX ".scope/container\n", "", HEX, ""},
	{"0::/machine.slice/libpod-conmon-" HEX ".scope\n",
	 "libpod-conmon-" HEX ".scope", "", ""},
	{"0::/user.slice/user-1000.slice/user@1000.service/user.slice/"
	 "libpod-" HEX ".scope\n",
	 "user@1000.service", HEX, ""},
	{"0::/system.slice/web.service/libpod-payload-" HEX "\n", "web.service",
	 HEX, ""},
	/* Kubernetes */
	{"0::/kubepods.slice/kubepods-burstable.slice/"
	 "kubepods-burstable-pod" UID_ ".slice/cri-containerd-" HEX ".scope\n",
	 "", HEX, UID},
	{"0::/kubepods.slice/kubepods-besteffort.slice/"
	 "kubepods-besteffort-pod" UID_ ".slice/crio-" HEX ".scope\n",
	 "", HEX, UID},
	{"0::/kubepods.slice/kubepods-pod" UID_ ".slice/docker-" HEX ".scope\n",
	 "", HEX, UID},
	{"11:memory:/kubepods/burstable/pod" UID "/" HEX "\n", "", HEX, UID},
	{"0::/kubepods/pod" STATIC_UID "/" HEX "\n", "", HEX, STATIC_UID},
	{"0::/system.slice/containerd.service/kubepods-burstable-pod" UID_
	 ".slice:cri-containerd:" HEX "\n",
	 "containerd.service", HEX, UID},
	{"0::/kubelet.slice/kubelet-kubepods.slice/podcast/" HEX "\n", "", HEX,
	 ""},
	/* LXC: its units are not this host's */
	{"0::/lxc.payload.web/system.slice/nginx.service\n", "", "", ""},
	{"4:memory:/lxc/web/system.slice/nginx.service\n", "", "", ""},
	{"0::/lxc.payload.web\n", "", "", ""},
	/* nearly */
	{"0::/docker/0123\n", "", "", ""},
	{"0::/docker/" HEX "0\n", "", "", ""},
	{"0::/kubepods/pod" UID "0/x\n", "", "", ""},
	{"0::/kubepods/pod3f2a9c1e-0b1d-4c5e-8f70x112233445566\n", "", "", ""},
	{"0::/.service\n", "", "", ""},
	{"0::/system.slice/.scope\n", "", "", ""},
	{"0:/system.slice/a.service\n", "", "", ""},
	{"garbage\n:\n::\n", "", "", ""},
	{"\n\n", "", "", ""},
	{"", "", "", ""},
};

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cgroup_case *c = &cases[i];
		struct process p;

		memset(&p, 'Z', sizeof(p));
		cgroup_identify(c->text, &p);
		if (strcmp(p.unit, c->unit) || strcmp(p.pod, c->pod) ||
		    strcmp(p.container, c->container))
			fail_msg("%s-> unit '%s' container '%s' pod '%s'",
				 c->text, p.unit, p.container, p.pod);
	}
}

static void test_long_names(void **state)
{
	char text[700], want[128];
	struct process p;

	(void)state;
	memset(text, 0, sizeof(text));
	strcpy(text, "0::/system.slice/");
	memset(text + strlen(text), 'u', 200);
	strcat(text, ".service\n");
	cgroup_identify(text, &p);
	memset(want, 'u', 127);
	want[127] = '\0';
	assert_string_equal(p.unit, want);
	/* Longer than a name in a file system can be: no unit at all. */
	memset(text, 0, sizeof(text));
	strcpy(text, "0::/system.slice/");
	memset(text + strlen(text), 'u', 400);
	strcat(text, ".service\n");
	cgroup_identify(text, &p);
	assert_string_equal(p.unit, "");
}

/* Every cut and every flipped bit of real text is survived. */
static void test_garbage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = strlen(cases[i].text);

		for (size_t n = 0; n <= size; n++) {
			char *text = strndup(cases[i].text, n);
			struct process p;

			cgroup_identify(text, &p);
			for (size_t bit = 0; n && bit < 8; bit++) {
				text[n - 1] ^= (char)(1 << bit);
				cgroup_identify(text, &p);
				assert_true(strlen(p.unit) < sizeof(p.unit));
				assert_true(strlen(p.pod) < sizeof(p.pod));
			}
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest cgroup[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(cgroup, NULL, NULL);
}
