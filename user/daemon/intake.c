// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/intake.h"

#include <poll.h>

#include "user/base/base.h"

/* After QUIET_TURNS empty turns the kernel is asked to wake us again. */
#define DRAIN_MS    20
#define QUIET_TURNS 10
#define DRAIN_BATCH 8192
#define CHORES_US   (USEC_PER_SEC / 2)

static void set_busy(struct intake *in, bool busy)
{
	in->busy = busy;
	in->quiet = 0;
	observer_set_busy(in->observer, busy);
}

static size_t drain_batch(struct intake *in)
{
	return observer_drain(in->observer, DRAIN_BATCH, in->on_record,
			      in->ctx);
}

void intake_drain(struct intake *in)
{
	if (drain_batch(in)) {
		if (!in->busy)
			set_busy(in, true);
		in->quiet = 0;
	} else if (in->busy && ++in->quiet >= QUIET_TURNS) {
		set_busy(in, false);
		/* what came before the kernel saw the change woke nobody */
		if (drain_batch(in))
			set_busy(in, true);
	}
}

static int wait_ms(const struct intake *in, int64_t until_us)
{
	uint64_t due = pipeline_due_ns(in->pipeline), now_ns = clock_mono_ns();
	int64_t ms;

	if (in->chores_us < until_us)
		until_us = in->chores_us;
	ms = (until_us - clock_unix_us()) / 1000 + 1;
	if (in->busy && ms > DRAIN_MS)
		ms = DRAIN_MS;
	if (due) {
		int64_t due_ms = due > now_ns
					 ? (int64_t)(due - now_ns) / 1000000 + 1
					 : 0;

		if (due_ms < ms)
			ms = due_ms < DRAIN_MS ? DRAIN_MS : due_ms;
	}
	return ms < 0 ? 0 : (int)ms;
}

void intake_turn(struct intake *in, int fd, int64_t until_us)
{
	struct pollfd fds[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = stacks_fd(in->stacks), .events = POLLIN},
		{.fd = observer_fd(in->observer), .events = POLLIN},
	};
	int64_t now_us;

	/* while busy the timer drains: the ring's fd would wake us at once */
	poll(fds, in->busy ? 2 : 3, wait_ms(in, until_us));
	intake_drain(in);
	pipeline_advance(in->pipeline, clock_mono_ns());
	if (in->stacks)
		stacks_advance(in->stacks);
	now_us = clock_unix_us();
	if (now_us < in->chores_us)
		return;
	observer_take_strays(in->observer, in->on_record, in->ctx);
	observer_seed_again(in->observer);
	pipeline_flush(in->pipeline);
	in->chores_us = now_us + CHORES_US;
}
