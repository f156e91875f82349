// SPDX-License-Identifier: Apache-2.0
/*
 * Loading follows the plan: programs whose type the kernel's BTF lacks are left
 * out; if the rest does not load as a whole, each program is tried by itself,
 * and what the verifier refuses is left out too and named.
 */
#include "user/observe/observe.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "rstscope.skel.h"
#include "user/base/base.h"
#include "user/observe/kernel_names.h"
#include "user/observe/plan.h"

#define RING_BYTES (8u << 20)
#define PAUSE_MS 900 /* shorter silence is no idle time that a timer ends */

/* The choice made for one hook of the plan. */
struct choice {
	const struct plan_hook *hook;
	const struct plan_method *method; /* NULL: none serves it */
	struct bpf_program *program;
	struct bpf_link *link;
	char why[200];
};

struct observer {
	struct observer_config config;
	struct rstscope *skel;
	struct btf *btf;
	struct ring_buffer *ring;
	struct choice choices[PROBES_MAX];
	size_t choices_count;
	struct record_context ctx;
	int cpus;
	int drop_reason;
	bool strays_left;
	uint64_t stray_serial;
	uint64_t strays_seen; /* TALLY_STRAY when they were last taken */
	record_fn fn; /* while draining */
	void *fn_ctx;
	size_t drained, most;
};

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

/* --- choosing ------------------------------------------------------------- */

static bool group_wanted(const struct observer *o, enum plan_group group)
{
	switch (group) {
	case GROUP_SYSCALLS:
		return o->config.syscalls;
	case GROUP_NETFILTER:
		return o->config.netfilter;
	default:
		return true;
	}
}

/* The best method after the present one that BTF allows, or none. */
static void next_method(const struct observer *o, struct choice *c)
{
	const struct plan_method *m = c->method;

	m = m ? m + 1 : c->hook->methods;
	c->method = NULL;
	for (; m < c->hook->methods + PLAN_METHODS && m->program; m++) {
		if (plan_method_possible(m, o->btf)) {
			c->method = m;
			return;
		}
	}
}

static void choose(struct observer *o, struct choice *c,
		   const struct plan_hook *hook)
{
	c->hook = hook;
	if (!group_wanted(o, hook->group)) {
		snprintf(c->why, sizeof(c->why), "switched off");
		return;
	}
	if (hook->group == GROUP_NETFILTER && o->drop_reason < 0) {
		snprintf(c->why, sizeof(c->why),
			 "this kernel does not say why it drops a segment");
		return;
	}
	next_method(o, c);
	if (!c->method)
		snprintf(c->why, sizeof(c->why), "this kernel has no %s",
			 hook->hook);
}

static void choose_all(struct observer *o)
{
	for (size_t i = 0; i < plan_hooks_count && i < PROBES_MAX; i++)
		choose(o, &o->choices[o->choices_count++], &plan_hooks[i]);
}

/* --- loading -------------------------------------------------------------- */

/* One entry for each 64 KiB of memory: 128 B each, so 0.2 % of it at most. */
static uint32_t connections_default(void)
{
	int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	int64_t n = bytes / 65536;

	return n < 16384 ? 16384 : n > 1048576 ? 1048576 : (uint32_t)n;
}

static void configure(struct observer *o, struct rstscope *skel)
{
	uint32_t n = o->config.connections;

	skel->rodata->set_separate_netns = o->config.separate_netns;
	skel->rodata->set_drop_reason = o->drop_reason < 0 ? 0 : o->drop_reason;
	bpf_map__set_max_entries(skel->maps.conns, n ? n : connections_default());
	bpf_map__set_max_entries(skel->maps.ring,
				 o->config.ring_bytes ? o->config.ring_bytes
						      : RING_BYTES);
}

static struct bpf_program *find_program(struct rstscope *skel, const char *name)
{
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* Opens the object with only those programs enabled that `only` allows. */
static struct rstscope *open_skeleton(struct observer *o,
				      const struct choice *only)
{
	struct rstscope *skel = rstscope__open();

	if (!skel)
		return NULL;
	configure(o, skel);
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];

		if (!c->method || (only && only != c))
			continue;
		bpf_program__set_autoload(find_program(skel, c->method->program),
					  true);
	}
	return skel;
}

static int load_alone(struct observer *o, const struct choice *c)
{
	struct rstscope *skel = open_skeleton(o, c);
	int err = skel ? rstscope__load(skel) : -ENOMEM;

	rstscope__destroy(skel);
	return err;
}

/* Tries each chosen program alone; one that is refused gives way to the next. */
static void drop_refused(struct observer *o)
{
	for (size_t i = 0; i < o->choices_count; i++) {
		struct choice *c = &o->choices[i];
		int err;

		while (c->method && (err = load_alone(o, c))) {
			snprintf(c->why, sizeof(c->why), "%s is refused: %.150s",
				 c->method->method, strerror(-err));
			next_method(o, c);
		}
	}
}

static int load(struct observer *o)
{
	int err;

	o->skel = open_skeleton(o, NULL);
	if (!o->skel)
		return -errno;
	err = rstscope__load(o->skel);
	if (!err)
		return 0;
	rstscope__destroy(o->skel);
	o->skel = NULL;
	if (err == -EPERM && geteuid() != 0)
		return err;
	drop_refused(o);
	o->skel = open_skeleton(o, NULL);
	return o->skel ? rstscope__load(o->skel) : -ENOMEM;
}

/* --- attaching ------------------------------------------------------------ */

static bool is_attached_kind(const struct plan_hook *hook)
{
	return hook->group != GROUP_TOOL && hook->group != GROUP_SEED;
}

static void attach(struct observer *o, struct choice *c)
{
	int err;

	if (!c->method)
		return;
	c->program = find_program(o->skel, c->method->program);
	if (!is_attached_kind(c->hook))
		return;
	c->link = bpf_program__attach(c->program);
	if (c->link)
		return;
	err = errno;
	snprintf(c->why, sizeof(c->why), "attach failed: %.170s", strerror(err));
	c->method = NULL;
}

static int attach_all(struct observer *o, char *err, size_t err_size)
{
	for (size_t i = 0; i < o->choices_count; i++)
		attach(o, &o->choices[i]);
	for (size_t i = 0; i < o->choices_count; i++) {
		const struct choice *c = &o->choices[i];

		if (c->method || c->hook->need != NEED_ALWAYS)
			continue;
		snprintf(err, err_size,
			 "the kernel does not give the probe %s (%s); rstscope "
			 "needs 5.15 or newer with BTF and BPF tracing allowed",
			 c->hook->hook, c->why);
		return -ENOTSUP;
	}
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
	static const int known_hz[] = { 100, 250, 300, 1000 };
	uint64_t start = clock_mono_ns(), end;
	int64_t first = read_jiffies(o), last;
	double hz, best = 250;

	usleep(60000);
	last = read_jiffies(o);
	end = clock_mono_ns();
	if (first < 0 || last < 0)
		return 4;
	hz = (double)((last - first) & 0x7fffffff) * 1e9 / (double)(end - start);
	for (size_t i = 0; i < ARRAY_SIZE(known_hz); i++) {
		double now = hz > known_hz[i] ? hz - known_hz[i] : known_hz[i] - hz;
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

static int explain_load_failure(int err, char *text, size_t size)
{
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
	o->ring = ring_buffer__new(bpf_map__fd(o->skel->maps.ring), on_record, o,
				   NULL);
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
	o->drop_reason = kernel_enum_value(o->btf, "skb_drop_reason",
					   "SKB_DROP_REASON_NETFILTER_DROP");
	choose_all(o);
	ret = load(o);
	if (ret) {
		ret = explain_load_failure(ret, err, err_size);
		goto fail;
	}
	ret = open_ring(o);
	if (ret) {
		snprintf(err, err_size, "the ring buffer cannot be opened: %s",
			 strerror(-ret));
		goto fail;
	}
	ret = attach_all(o, err, err_size);
	if (ret)
		goto fail;
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
	for (size_t i = 0; i < o->choices_count; i++)
		bpf_link__destroy(o->choices[i].link);
	ring_buffer__free(o->ring);
	rstscope__destroy(o->skel);
	btf__free(o->btf);
	free(o);
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

static int64_t sum_tally(const struct observer *o, uint32_t row);

int observer_seed(struct observer *o)
{
	struct bpf_link *link;
	char discard[256];
	int fd, err = 0;
	ssize_t n;

	if (!bpf_program__autoload(o->skel->progs.seed_sockets))
		return -ENOTSUP;
	link = bpf_program__attach_iter(o->skel->progs.seed_sockets, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	do {
		n = read(fd, discard, sizeof(discard));
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	err = n < 0 ? -errno : (int)sum_tally(o, TALLY_SEEDED);
	close(fd);
out:
	bpf_link__destroy(link);
	return err;
}

/* --- strays --------------------------------------------------------------- */

#define STRAY_QUIET_NS NSEC_PER_SEC

static void stray_record(struct observer *o, const struct rec_stray *stray,
			 struct rec_failure *r)
{
	memset(r, 0, sizeof(*r));
	r->head.kind = REC_SENT;
	r->head.size = sizeof(*r);
	r->head.time_ns = clock_mono_ns();
	r->head.failure = ++o->stray_serial; /* the kernel's have a CPU on top */
	r->known = KNOWN_TUPLE | KNOWN_SKB;
	if (stray->reason_known)
		r->known |= KNOWN_REASON;
	r->reason = stray->reason;
	r->state = TCP_CLOSE;
	r->family = stray->family;
	r->netns = stray->flow.netns;
	r->lport = stray->flow.ports >> 16;
	r->rport = stray->flow.ports & 0xffff;
	memcpy(r->laddr, stray->flow.laddr, sizeof(r->laddr));
	memcpy(r->raddr, stray->flow.raddr, sizeof(r->raddr));
	r->skb_flags = stray->skb_flags;
	r->folded = stray->folded - 1;
}

static void take_stray(struct observer *o, const struct rec_stray_key *key,
		       record_fn fn, void *ctx)
{
	int fd = bpf_map__fd(o->skel->maps.strays);
	struct rec_failure record;
	struct rec_stray stray;

	if (bpf_map_lookup_elem(fd, key, &stray) || !stray.folded ||
	    clock_mono_ns() - stray.window_ns < STRAY_QUIET_NS)
		return;
	/* what is counted between the two calls is lost to the event, not to
	 * the counters */
	if (bpf_map_delete_elem(fd, key) || !stray.family)
		return;
	stray_record(o, &stray, &record);
	fn(&record, sizeof(record), ctx);
}

void observer_take_strays(struct observer *o, record_fn fn, void *ctx)
{
	int fd = bpf_map__fd(o->skel->maps.strays);
	uint64_t seen = (uint64_t)sum_tally(o, TALLY_STRAY);
	struct rec_stray_key key, next;
	bool more;

	if (seen == o->strays_seen && !o->strays_left)
		return;
	/* one more round after the last one: its window must have passed */
	o->strays_left = seen != o->strays_seen;
	o->strays_seen = seen;
	more = !bpf_map_get_next_key(fd, NULL, &key);
	while (more) {
		more = !bpf_map_get_next_key(fd, &key, &next);
		take_stray(o, &key, fn, ctx);
		key = next;
	}
}

/* --- counters ------------------------------------------------------------- */

static int64_t sum_tally(const struct observer *o, uint32_t row)
{
	uint64_t values[o->cpus], sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(o->skel->maps.tallies), &row, values))
		return 0;
	for (int i = 0; i < o->cpus; i++)
		sum += values[i];
	return (int64_t)sum;
}

static void sum_count(const struct observer *o, uint32_t row,
		      struct rec_count *out)
{
	struct rec_count values[o->cpus];

	memset(out, 0, sizeof(*out));
	if (bpf_map_lookup_elem(bpf_map__fd(o->skel->maps.counts), &row, values))
		return;
	for (int i = 0; i < o->cpus; i++) {
		out->seen += values[i].seen;
		out->submitted += values[i].submitted;
		out->dropped += values[i].dropped;
		out->folded += values[i].folded;
	}
}

void observer_get_counts(const struct observer *o, struct observe_counts *c)
{
	for (uint32_t i = 0; i < REC_KINDS; i++)
		sum_count(o, i, &c->kind[i]);
	for (uint32_t i = 0; i < TALLIES; i++)
		c->tally[i] = (uint64_t)sum_tally(o, i);
}

static void read_run_stats(const struct choice *c, struct probe_status *p)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(c->program), &info, &size))
		return;
	p->runs = info.run_cnt;
	p->run_ns = info.run_time_ns;
}

size_t observer_get_probes(const struct observer *o,
			   struct probe_status probes[PROBES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < o->choices_count; i++) {
		const struct choice *c = &o->choices[i];
		struct probe_status *p = &probes[n];

		if (c->hook->group == GROUP_TOOL)
			continue;
		n++;
		memset(p, 0, sizeof(*p));
		snprintf(p->hook, sizeof(p->hook), "%s", c->hook->hook);
		snprintf(p->method, sizeof(p->method), "%s",
			 c->method ? c->method->method : "none");
		snprintf(p->why, sizeof(p->why), "%s", c->why);
		p->up = c->method != NULL;
		p->required = c->hook->need == NEED_ALWAYS;
		if (c->program)
			read_run_stats(c, p);
	}
	return n;
}

/* What tracepoints alone cannot show, whatever the kernel. */
static const char *const always_blind[] = {
	"splice from a socket, and recvmmsg on one that has failed: the call "
	"that is told is not seen (the process is, when it closes)",
	"errors taken with getsockopt(SO_ERROR) or seen by poll: not seen",
	"the received RST itself (TTL, window, sequence): not seen by "
	"tracepoints",
	"RSTs made by XDP, tc or a netfilter rule on another host's traffic",
	"RSTs that met a listener, no socket, or were out of window: not seen",
};

size_t observer_get_blind_spots(const struct observer *o,
				struct blind_spot spots[BLIND_SPOTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < o->choices_count; i++) {
		const struct choice *c = &o->choices[i];

		if (c->method || n >= BLIND_SPOTS_MAX)
			continue;
		snprintf(spots[n++].text, sizeof(spots[0].text), "%.120s: %.70s",
			 c->hook->blind, c->why);
	}
	for (size_t i = 0; i < ARRAY_SIZE(always_blind) && n < BLIND_SPOTS_MAX;
	     i++)
		snprintf(spots[n++].text, sizeof(spots[0].text), "%s",
			 always_blind[i]);
	return n;
}
