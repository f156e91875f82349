/* SPDX-License-Identifier: Apache-2.0 */
/* What `rstscope run` says at the end of the connections that failed. */
#ifndef RSTSCOPE_RUN_REPORT_H
#define RSTSCOPE_RUN_REPORT_H

#include "user/cli/cli.h"
#include "user/cli/kept.h"

/*
 * Alike ones as one, in the order in which they began, to cli->out; `quiet`:
 * nothing where there is none. 0 or -errno.
 */
int run_report(const struct cli *cli, const struct kept *kept,
	       const struct filter *filter, bool quiet);
/* Each event as a line of JSON. 0 or -errno. */
int run_report_json(FILE *out, const struct kept *kept,
		    const struct filter *filter);

#endif
