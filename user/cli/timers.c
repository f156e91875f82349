/* SPDX-License-Identifier: Apache-2.0 */
#include "user/cli/timers.h"

#include <errno.h>

int set_timeouts(struct cli *cli, struct request *req,
		 const struct cli_option *option, const char *value)
{
	(void)cli, (void)option;
	req->timeouts = value;
	return 0;
}

int timers_engine(const struct cli *cli, const char *path,
		  struct engine **engine)
{
	struct engine *e = engine_new();
	char err[1024];
	int ret;

	if (!e)
		return -ENOMEM;
	ret = path ? engine_add_timeouts(e, path, err, sizeof(err)) : 0;
	if (!ret) {
		*engine = e;
		return 0;
	}
	cli_error(cli, "%s", err);
	engine_free(e);
	return ret == -ENOMEM ? ret : -EINVAL; /* the user's own file */
}
