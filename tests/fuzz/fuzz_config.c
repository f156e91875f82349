/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files of any bytes: taken with values in their ranges, or
 * refused with one line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/daemon/config.h"
#include "user/serve/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], err[1024] = "";
	char *argv[] = {"rstscoped", "--config", path, NULL};
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct config c;
	int rc;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = config_parse(&c, 3, argv, err, sizeof(err));
	close(fd);
	if (rc && !err[0])
		abort();
	if (!rc && (c.metric_processes < 0 ||
		    c.metric_processes > METRICS_PROCESSES_MAX ||
		    c.retain_age_s < 0 || c.retain_bytes < 0 || c.once_us < 0 ||
		    !memchr(c.store, '\0', sizeof(c.store)) || !c.store[0]))
		abort();
	return 0;
}
