/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the ring into the pipeline. While records come the ring is drained by
 * timer, without wake-ups; when none come the kernel is asked to wake us. The
 * daemon and `rstscope run` turn it.
 */
#ifndef RSTSCOPE_INTAKE_H
#define RSTSCOPE_INTAKE_H

#include "user/daemon/pipeline.h"
#include "user/observe/observe.h"

struct intake {
	struct observer *observer;
	struct pipeline *pipeline;
	record_fn on_record; /* it feeds the pipeline */
	void *ctx;
	struct stacks *stacks; /* NULL: none are taken */
	/* the rest is its own, zero at first */
	bool busy;
	unsigned int quiet;
	int64_t chores_us; /* when next */
};

/*
 * Waits for records, at most until until_us (clock_unix_us), or for `fd`
 * (negative: none) to become readable; takes them in, settles what is due, and
 * every half second hands over what was only counted.
 */
void intake_turn(struct intake *in, int fd, int64_t until_us);
/* What is in the ring now. */
void intake_drain(struct intake *in);

#endif
