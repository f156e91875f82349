/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "user/base/base.h"
#include "user/cli/compare.h"

/* Terms below this part of the sum no longer move it. */
#define NEGLIGIBLE 1e-16

/* P(X >= k) of a binomial with n trials at p, k above the mean. */
static double upper_tail(int64_t n, int64_t k, double p)
{
	double term =
		exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) +
		    k * log(p) + (n - k) * log1p(-p));
	double sum = 0;

	for (; k <= n && term > NEGLIGIBLE * sum; k++) {
		sum += term;
		term *= (double)(n - k) / (k + 1) * p / (1 - p);
	}
	return sum;
}

double compare_p(int64_t now, int64_t before, double part)
{
	int64_t n = now + before;

	if (now > n * part)
		return fmin(1, 2 * upper_tail(n, now, part));
	return fmin(1, 2 * upper_tail(n, before, 1 - part));
}

enum change compare_counts(int64_t now, int64_t before, double part)
{
	int64_t n = now + before;

	if (compare_p(n, 0, part) >= COMPARE_LEVEL &&
	    compare_p(0, n, part) >= COMPARE_LEVEL)
		return CHANGE_TOO_FEW;
	if (compare_p(now, before, part) >= COMPARE_LEVEL)
		return CHANGE_SAME;
	if (!before)
		return CHANGE_NEW;
	if (!now)
		return CHANGE_GONE;
	return now > n * part ? CHANGE_WORSE : CHANGE_BETTER;
}

const char *change_name(enum change change)
{
	static const char *const names[] = {
		[CHANGE_TOO_FEW] = "too few", [CHANGE_SAME] = "same",
		[CHANGE_NEW] = "new",	      [CHANGE_GONE] = "gone",
		[CHANGE_WORSE] = "worse",     [CHANGE_BETTER] = "better",
	};
	_Static_assert(ARRAY_SIZE(names) == CHANGES, "one name each");

	return names[change];
}
