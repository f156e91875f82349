// SPDX-License-Identifier: Apache-2.0
/*
 * What one reset costs the daemon's ingest thread, without a kernel: raw
 * records of a storm (both ends on this host, the reader told) through join,
 * attribution, cause engine and folding. CPU time of this process; no root.
 *   pipeline_bench [RESETS [ROUNDS]]
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/base/base.h"
#include "user/daemon/pipeline.h"

#define RESETS	     100000
#define ROUNDS	     5
#define SERVICE_PORT 8080
#define GAP_NS	     20000 /* 50,000 resets a second */
#define BATCH	     1000

struct totals {
	uint64_t handed_over, folded;
};

static void on_event(const struct event *ev, int64_t counted, void *ctx)
{
	struct totals *t = ctx;

	(void)ev;
	if (counted)
		t->handed_over++;
}

static void on_folded(const struct event *ev, int64_t counted, void *ctx)
{
	struct totals *t = ctx;

	(void)ev;
	t->folded += (uint64_t)counted;
}

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void set_task(struct rec_task *task, const char *comm, uint32_t pid)
{
	memset(task, 0, sizeof(*task));
	task->tgid = task->tid = pid;
	task->start_ns = 1000000000ull * pid;
	task->how = HOW_CURRENT;
	task->nr = 3; /* close on x86-64; a number is all that counts here */
	task->flags = TASK_NR;
	snprintf(task->comm, sizeof(task->comm), "%s", comm);
}

static void set_head(struct rec_head *h, enum rec_kind kind, uint16_t size,
		     uint64_t time_ns, uint64_t failure)
{
	h->kind = kind;
	h->size = size;
	h->time_ns = time_ns;
	h->failure = failure;
}

static void set_tuple(struct rec_failure *r, uint16_t lport, uint16_t rport)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};

	r->family = 4;
	r->netns = 4026531840u;
	r->lport = lport;
	r->rport = rport;
	memcpy(r->laddr, loopback, 4);
	memcpy(r->raddr, loopback, 4);
}

static void make_received(struct rec_failure *r, uint64_t now, uint64_t n)
{
	memset(r, 0, sizeof(*r));
	set_head(&r->head, REC_RECEIVED, sizeof(*r), now, 3 * n + 1);
	r->known = KNOWN_TUPLE | KNOWN_SOCK | KNOWN_OWNER | KNOWN_BIRTH;
	set_tuple(r, (uint16_t)(20000 + n % 40000), SERVICE_PORT);
	r->state = TCP_ESTABLISHED;
	r->role = ROLE_CLIENT;
	r->established_ns = now - 30000;
	set_task(&r->owner, "client", 1001);
	r->owner.how = HOW_CONNECT;
}

static void make_sent(struct rec_failure *r, uint64_t now, uint64_t n)
{
	memset(r, 0, sizeof(*r));
	set_head(&r->head, REC_SENT, sizeof(*r), now + 1000, 3 * n + 2);
	r->known = KNOWN_TUPLE | KNOWN_SOCK | KNOWN_TASK | KNOWN_BIRTH |
		   KNOWN_REASON;
	set_tuple(r, SERVICE_PORT, (uint16_t)(20000 + n % 40000));
	r->state = TCP_CLOSE;
	r->role = ROLE_SERVER;
	r->reason = 11;
	r->established_ns = now - 29000;
	r->sock.shutdown = 3;
	r->sock.flags = SOCKF_LINGER0 | SOCKF_OWNED | SOCKF_HAS_SOCKET;
	set_task(&r->task, "server", 1002);
}

static void make_told(struct rec_told *r, uint64_t now, uint64_t n)
{
	memset(r, 0, sizeof(*r));
	set_head(&r->head, REC_TOLD, sizeof(*r), now + 20000, 3 * n + 1);
	r->failed_ns = now;
	r->ret = -ECONNRESET;
	set_task(&r->task, "client", 1001);
	r->task.nr = 0;
}

static double run(struct pipeline *p, uint64_t from, uint64_t resets,
		  uint64_t *clock_ns)
{
	struct rec_failure received, sent;
	struct rec_told told;
	double start = cpu_us();

	for (uint64_t n = from; n < from + resets; n++) {
		*clock_ns += GAP_NS;
		make_received(&received, *clock_ns, n);
		make_sent(&sent, *clock_ns, n);
		make_told(&told, *clock_ns, n);
		pipeline_feed(p, &received, sizeof(received));
		pipeline_feed(p, &sent, sizeof(sent));
		pipeline_feed(p, &told, sizeof(told));
		if (n % BATCH == 0) {
			pipeline_advance(p, *clock_ns);
			pipeline_flush(p);
		}
	}
	pipeline_advance(p, UINT64_MAX);
	return (cpu_us() - start) / (double)resets;
}

int main(int argc, char *argv[])
{
	static struct record_context context = {
		.jiffy_ms = 4,
		.arch = "x86_64",
		.kernel = "bench",
		.reasons = {[11] = "TCP_ABORT_ON_CLOSE"},
	};
	uint64_t resets = argc > 1 ? strtoull(argv[1], NULL, 10) : RESETS;
	int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
	uint64_t clock_ns = 1000000000000ull;
	struct totals totals = {0};
	struct pipeline_config config = {
		.host = "bench",
		.context = &context,
		.proc_root = "/nonexistent",
		.first_id = 1,
		.on_event = on_event,
		.on_folded = on_folded,
		.ctx = &totals,
	};
	struct pipeline *p;

	context.unix_offset_ns = clock_unix_us() * 1000 - (int64_t)clock_ns;
	p = pipeline_new(&config);
	if (!p || !resets)
		return 1;
	for (int i = 0; i < rounds; i++)
		printf("round %d: %.2f us of CPU a reset (both ends)\n", i,
		       run(p, (uint64_t)i * resets, resets, &clock_ns));
	printf("failures handed over one by one: %llu, folded: %llu\n",
	       (unsigned long long)totals.handed_over,
	       (unsigned long long)totals.folded);
	pipeline_free(p);
	return 0;
}
