/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections a host established in a window: what failures are a
 * share of. The daemon notes them minute by minute while it runs.
 */
#ifndef RSTSCOPE_CONNECTIONS_H
#define RSTSCOPE_CONNECTIONS_H

#include "user/cli/cli.h"

struct connections {
	double number;	/* NOT_KNOWN */
	bool estimated; /* some are a part of a minute's */
};

/*
 * Of since_us to end_us. `first_us` is the oldest failure in it (NOT_KNOWN:
 * none): one from before the first note has no denominator here.
 */
struct connections connections_between(struct store *store,
				       const struct filter *f, int64_t end_us,
				       int64_t first_us);
/* "0.12%", "~0.12%", "" where not known. */
void connections_share_text(const struct connections *c, int64_t failures,
			    char *out, size_t size);

#endif
