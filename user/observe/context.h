/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RSTSCOPE_CONTEXT_H
#define RSTSCOPE_CONTEXT_H

#include <stdint.h>

/* How to read a kernel's numbers: constant for one boot of the probes. */
struct record_context {
	double jiffy_ms;	/* 1000 / HZ */
	int64_t unix_offset_ns; /* UNIX time minus CLOCK_MONOTONIC */
	char arch[16];		/* system call table: x86_64, aarch64 */
	char kernel[65];	/* release, for people */
	int host_netns;		/* reserved, 0 */
	char reasons[40][40];	/* enum sk_rst_reason by number, no prefix */
};

#endif
