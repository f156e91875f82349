/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two counts of equally long windows: did the rate change, or is it chance?
 *
 * Where both come from one Poisson process, each failure falls into the later
 * window with the same probability, so that the later count is binomial: the
 * test is exact and needs no estimate. That probability is the later window's
 * part of the connections made in both, and 1/2 where these are not known.
 * Failures come in bursts more often than Poisson says; hence the strict
 * COMPARE_LEVEL.
 */
#ifndef RSTSCOPE_COMPARE_H
#define RSTSCOPE_COMPARE_H

#include <stdint.h>

#define COMPARE_LEVEL 0.01
#define COMPARE_EVEN  0.5 /* the later window's part, if nothing is known */

enum change {
	CHANGE_TOO_FEW, /* so few that no split of them could tell */
	CHANGE_SAME,	/* no difference beyond chance */
	CHANGE_NEW,	/* none before */
	CHANGE_GONE,	/* none now */
	CHANGE_WORSE,
	CHANGE_BETTER,
	CHANGES,
};

/* Two-sided: how likely chance alone splits them at least so unevenly. */
double compare_p(int64_t now, int64_t before, double part);
enum change compare_counts(int64_t now, int64_t before, double part);
const char *change_name(enum change change);

#endif
