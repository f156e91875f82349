// SPDX-License-Identifier: Apache-2.0
/* Opening, draining, seeding; choose.c, counters.c and strays.c do the rest. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "user/base/base.h"
#include "user/observe/kernel_names.h"
#include "user/observe/observer_state.h"

#define PAUSE_MS 900 /* shorter silence is no idle time that a timer ends */

static char last_libbpf_line[200];

static int on_libbpf_print(enum libbpf_print_level level, const char *fmt,
			   va_list args)
{
	char line[512];

	if (level > LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	snprintf(last_libbpf_line, sizeof(last_libbpf_line), "%.199s", line);
	log_debug("libbpf: %s", line);
	return 0;
}

/* --- calibration ---------------------------------------------------------- */

static int64_t read_jiffies(struct observer *o)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = bpf_program__fd(o->skel->progs.read_jiffies);

	return bpf_prog_test_run_opts(fd, &opts) ? -1 : (int64_t)opts.retval;
}

/* HZ is one of four; 60 ms tell them apart. */
static double calibrate_jiffy_ms(struct observer *o)
{
	static const int known_hz[] = {100, 250, 300, 1000};
	uint64_t start = clock_mono_ns(), end;
	int64_t first = read_jiffies(o), last;
	double hz, best = 250;

	usleep(60000);
	last = read_jiffies(o);
	end = clock_mono_ns();
	if (first < 0 || last < 0)
		return 4;
	hz = (double)((last - first) & 0x7fffffff) * 1e9 /
	     (double)(end - start);
	for (size_t i = 0; i < ARRAY_SIZE(known_hz); i++) {
		double now =
			hz > known_hz[i] ? hz - known_hz[i] : known_hz[i] - hz;
		double was = hz > best ? hz - best : best - hz;

		if (now < was)
			best = known_hz[i];
	}
	return 1000 / best;
}

static void fill_context(struct observer *o)
{
	struct record_context *ctx = &o->ctx;
	struct utsname name;

	ctx->jiffy_ms = calibrate_jiffy_ms(o);
	o->skel->bss->pause_jiffies = (uint32_t)(PAUSE_MS / ctx->jiffy_ms);
	ctx->unix_offset_ns = clock_unix_us() * 1000 - (int64_t)clock_mono_ns();
	kernel_reset_reasons(o->btf, ctx);
	if (uname(&name))
		return;
	snprintf(ctx->arch, sizeof(ctx->arch), "%.15s", name.machine);
	snprintf(ctx->kernel, sizeof(ctx->kernel), "%.64s", name.release);
}

/* --- the public side ------------------------------------------------------ */

/* Before 5.11 maps count towards it; libbpf raises it where it may. */
static bool memory_is_limited(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_MEMLOCK, &limit) &&
	       limit.rlim_cur != RLIM_INFINITY;
}

static int explain_load_failure(int err, char *text, size_t size)
{
	if (err == -EPERM && geteuid() == 0 && memory_is_limited()) {
		snprintf(text, size,
			 "loading the probes is not permitted: capabilities "
			 "(CAP_BPF, CAP_PERFMON) are missing or, before kernel "
			 "5.11, a larger RLIMIT_MEMLOCK (ulimit -l unlimited)");
		return -EPERM;
	}
	if (err == -EPERM || err == -EACCES) {
		snprintf(text, size,
			 "loading the probes needs root, or CAP_BPF, "
			 "CAP_PERFMON and CAP_NET_ADMIN: run it with sudo");
		return -EPERM;
	}
	snprintf(text, size, "the probes do not load: %s%s%s", strerror(-err),
		 last_libbpf_line[0] ? ": " : "", last_libbpf_line);
	return -ENOTSUP;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct observer *o = ctx;

	o->fn(data, size, o->fn_ctx);
	/* a negative value ends the turn; this record counts as consumed */
	return ++o->drained >= o->most ? -EAGAIN : 0;
}

static int open_ring(struct observer *o)
{
	o->ring = ring_buffer__new(bpf_map__fd(o->skel->maps.ring), on_record,
				   o, NULL);
	return o->ring ? 0 : -errno;
}

int observer_open(struct observer **out, const struct observer_config *config,
		  char *err, size_t err_size)
{
	struct observer *o = calloc(1, sizeof(*o));
	int ret;

	if (!o)
		return -ENOMEM;
	o->config = *config;
	libbpf_set_print(on_libbpf_print);
	o->cpus = libbpf_num_possible_cpus();
	o->btf = btf__load_vmlinux_btf();
	if (!o->btf) {
		snprintf(err, err_size,
			 "this kernel has no BTF (/sys/kernel/btf/vmlinux); it "
			 "must be built with CONFIG_DEBUG_INFO_BTF=y");
		ret = -ENOTSUP;
		goto fail;
	}
	ret = observer_choose_and_load(o);
	if (ret) {
		ret = explain_load_failure(ret, err, err_size);
		goto fail;
	}
	ret = observer_check_needed(o, err, err_size);
	if (ret)
		goto fail;
	ret = open_ring(o);
	if (ret) {
		snprintf(err, err_size, "the ring buffer cannot be opened: %s",
			 strerror(-ret));
		goto fail;
	}
	fill_context(o);
	*out = o;
	return 0;
fail:
	observer_close(o);
	return ret;
}

void observer_close(struct observer *o)
{
	if (!o)
		return;
	bpf_link__destroy(o->seed_link);
	ring_buffer__free(o->ring);
	observer_unload(o);
	kprobe_events_close(&o->kprobe_events);
	kernel_modules_free(&o->modules);
	btf__free(o->btf);
	free(o);
}

bool observer_is_family(const struct observer *o, int64_t pid)
{
	uint32_t key = (uint32_t)pid;
	uint8_t value;

	return pid > 0 &&
	       !bpf_map_lookup_elem(bpf_map__fd(o->skel->maps.family), &key,
				    &value);
}

int observer_fd(const struct observer *o)
{
	return ring_buffer__epoll_fd(o->ring);
}

void observer_set_busy(struct observer *o, bool busy)
{
	__atomic_store_n(&o->skel->bss->daemon_busy, busy, __ATOMIC_SEQ_CST);
}

size_t observer_drain(struct observer *o, size_t most, record_fn fn, void *ctx)
{
	o->fn = fn;
	o->fn_ctx = ctx;
	o->drained = 0;
	o->most = most;
	ring_buffer__consume(o->ring);
	return o->drained;
}

const struct record_context *observer_context(const struct observer *o)
{
	return &o->ctx;
}

/* --- seeding -------------------------------------------------------------- */

static int run_iterator(struct bpf_link *link)
{
	char discard[256];
	int fd = bpf_iter_create(bpf_link__fd(link)), err;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, discard, sizeof(discard));
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

int observer_seed(struct observer *o)
{
	int err;

	if (!bpf_program__autoload(o->skel->progs.seed_sockets))
		return -ENOTSUP;
	o->seed_link =
		bpf_program__attach_iter(o->skel->progs.seed_sockets, NULL);
	if (!o->seed_link)
		return -errno;
	err = run_iterator(o->seed_link);
	return err ? err : (int)observer_tally(o, TALLY_SEEDED);
}

void observer_seed_again(struct observer *o)
{
	uint64_t unbound = observer_tally(o, TALLY_UNBOUND);

	if (unbound == o->unbound || !o->seed_link)
		return;
	o->unbound = unbound;
	run_iterator(o->seed_link);
}
