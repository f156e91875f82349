/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rstscoped: says what to do, checks that it may, and does it. The only place
 * where results become exit statuses, but for daemon_run()'s own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "user/base/base.h"
#include "user/daemon/config.h"
#include "user/daemon/daemon.h"
#include "user/daemon/privileges.h"
#include "version.h"

/* A full disk behind stdout is a failure, not a success. */
static enum exit_status print(enum config_action action)
{
	if (action == CONFIG_HELP)
		config_print_help(stdout);
	else if (action == CONFIG_DUMP)
		config_print_options(stdout);
	else
		printf("rstscoped %s (%s)\n", RSTSCOPE_VERSION,
		       RSTSCOPE_REVISION);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("cannot write to standard output: %m");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int main(int argc, char *argv[])
{
	struct config config;
	char err[1024];
	int rc;

	log_set_program("rstscoped");
	if (config_parse(&config, argc, argv, err, sizeof(err))) {
		log_error("%s", err);
		return EXIT_USAGE;
	}
	if (config.action != CONFIG_RUN)
		return print(config.action);
	if (config.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	rc = privileges_check(err, sizeof(err));
	if (rc < 0) {
		log_error("%s", err);
		return EXIT_KERNEL;
	}
	if (rc)
		log_warn("%s", err);
	/* The store tells who talks to whom: not for everybody to read. */
	umask(0027);
	return daemon_run(&config);
}
