/* SPDX-License-Identifier: Apache-2.0 */
/* --timeouts of replay and run: timers of the user's own components. */
#ifndef RSTSCOPE_TIMERS_H
#define RSTSCOPE_TIMERS_H

#include "user/cli/cli.h"
#include "user/explain/engine.h"

int set_timeouts(struct cli *cli, struct request *req,
		 const struct cli_option *option, const char *value);
/*
 * An engine with the timers of that file (NULL: none of his own). 0; -EINVAL
 * after one line; or -ENOMEM.
 */
int timers_engine(const struct cli *cli, const char *path,
		  struct engine **engine);

#endif
