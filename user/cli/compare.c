/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "user/base/base.h"
#include "user/cli/compare.h"

/* Terms below this part of the sum no longer move it. */
#define NEGLIGIBLE 1e-16

/* P(X >= k) of a binomial with n trials at 1/2, k above the middle. */
static double upper_tail(int64_t n, int64_t k)
{
	double term = exp(lgamma(n + 1.0) - lgamma(k + 1.0) -
			  lgamma(n - k + 1.0) - n * M_LN2);
	double sum = 0;

	for (; k <= n && term > NEGLIGIBLE * sum; k++) {
		sum += term;
		term *= (double)(n - k) / (k + 1);
	}
	return sum;
}

double compare_p(int64_t now, int64_t before)
{
	int64_t more = now > before ? now : before;

	return fmin(1, 2 * upper_tail(now + before, more));
}

enum change compare_counts(int64_t now, int64_t before)
{
	if (compare_p(now + before, 0) >= COMPARE_LEVEL)
		return CHANGE_TOO_FEW;
	if (compare_p(now, before) >= COMPARE_LEVEL)
		return CHANGE_SAME;
	if (!before)
		return CHANGE_NEW;
	if (!now)
		return CHANGE_GONE;
	return now > before ? CHANGE_WORSE : CHANGE_BETTER;
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
