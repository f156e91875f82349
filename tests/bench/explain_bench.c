/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verdict costs, per call and in nanoseconds of one core: the cause
 * alone of a RST that one event proves (as folding asks for it), its verdict
 * with the words, a pattern with a full history, and learning.
 */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/engine.h"

#define CALLS	     200000
#define DESTINATIONS 64

static struct facts linger_zero(void)
{
	struct facts f;

	facts_init(&f);
	f.kind = KIND_SENT;
	f.state = TCP_CLOSE;
	f.role = ROLE_SERVER;
	f.tuple_known = f.sock_known = true;
	f.local.port = 80;
	f.shutdown = 3;
	f.unread_bytes = 0;
	f.linger0 = TRI_YES;
	f.task.pid = 7;
	strcpy(f.task.comm, "bench");
	strcpy(f.reason_name, "TCP_STATE");
	return f;
}

static struct facts reused(void)
{
	struct facts f;

	facts_init(&f);
	f.kind = KIND_RECEIVED;
	f.state = TCP_ESTABLISHED;
	f.role = ROLE_CLIENT;
	f.tuple_known = f.sock_known = true;
	f.peer.port = 8080;
	f.age_ms = 7000;
	f.idle_ms = 6002;
	f.since_send_ms = f.since_request_ms = 0;
	f.since_receive_ms = 6002;
	f.sent_bytes = 300;
	f.received_bytes = 200;
	f.unacked_bytes = 150;
	f.answered = TRI_NO;
	f.peer_fin = TRI_NO;
	return f;
}

typedef void (*step_fn)(struct engine *e, const struct facts *f,
			struct verdict *v);

static void fast(struct engine *e, const struct facts *f, struct verdict *v)
{
	v->cause = (enum cause)engine_cause_fast(e, f);
}

static void cause(struct engine *e, const struct facts *f, struct verdict *v)
{
	v->cause = engine_cause(e, f, &v->confidence);
}

static void explain(struct engine *e, const struct facts *f, struct verdict *v)
{
	engine_explain(e, f, v);
}

static void learn(struct engine *e, const struct facts *f, struct verdict *v)
{
	engine_learn(e, f, v);
}

static void measure(const char *what, struct engine *e, struct facts *f,
		    step_fn step)
{
	struct verdict v = {0};
	uint64_t start = clock_mono_ns();

	for (int i = 0; i < CALLS; i++) {
		f->failure++;
		f->time_us += 100;
		f->peer.ip[0] = (uint8_t)(i % DESTINATIONS);
		step(e, f, &v);
	}
	printf("%-34s %7.0f ns\n", what,
	       (double)(clock_mono_ns() - start) / CALLS);
}

int main(void)
{
	struct engine *e = engine_new();
	struct facts sent = linger_zero(), received = reused();

	if (!e)
		return EXIT_FAILED;
	measure("cause alone, one event proves it", e, &sent, fast);
	measure("its verdict with words", e, &sent, explain);
	measure("a pattern, no history", e, &received, explain);
	measure("its cause alone, no history", e, &received, cause);
	measure("learning", e, &received, learn);
	measure("a pattern, full history", e, &received, explain);
	measure("its cause alone, full history", e, &received, cause);
	engine_free(e);
	return EXIT_OK;
}
