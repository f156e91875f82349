// SPDX-License-Identifier: Apache-2.0
/*
 * Many hosts let no function be hung on. A program that does nothing shows it
 * in microseconds; that of a hook takes the maps and the kernel's BTF along.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/base/base.h"
#include "user/observe/observer_state.h"

/* Without it libbpf would look for kprobe_events, which come with it. */
#define KPROBES "/sys/bus/event_source/devices/kprobe/type"

static int trial_fentry(const struct btf *btf, const char *function)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC), fd;
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = (__u32)id);

	if (id < 0)
		return 0; /* a module's */
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", nothing,
			   ARRAY_SIZE(nothing), &opts);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int trial_function(const struct btf *btf, const char *section)
{
	const char *slash = strchr(section, '/');

	if (!slash)
		return 0;
	if (!strncmp(section, "fentry/", 7) || !strncmp(section, "fexit/", 6))
		return trial_fentry(btf, slash + 1);
	return access(KPROBES, F_OK) ? -EOPNOTSUPP : 0;
}
