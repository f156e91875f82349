/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "user/daemon/config.h"
#include "user/daemon/timers.h"

enum exit_status timers_open(struct engine **out, const char *path)
{
	struct engine *engine = engine_new();
	struct engine_stats stats;
	char err[1024];
	size_t builtin;
	int rc;

	if (!engine) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	engine_get_stats(engine, &stats);
	builtin = stats.timeouts;
	rc = engine_add_timeouts(engine, path, err, sizeof(err));
	if (rc && (rc != -ENOENT || strcmp(path, TIMEOUTS_DEFAULT))) {
		log_error("%s", err);
		engine_free(engine);
		return rc == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
	}
	*out = engine;
	if (rc)
		return EXIT_OK;
	engine_get_stats(engine, &stats);
	log_info("timers added from %s: %zu", path, stats.timeouts - builtin);
	return EXIT_OK;
}
