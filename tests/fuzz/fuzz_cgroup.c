// SPDX-License-Identifier: Apache-2.0
/*
 * /proc/PID/cgroup holds names that containers choose.
 */
#include <stdlib.h>
#include <string.h>

#include "user/attribute/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct process p;
	size_t container;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	cgroup_identify(text, &p);
	container = strlen(p.container);
	if (strlen(p.unit) >= sizeof(p.unit) || strlen(p.pod) > 36 ||
	    (container != 0 && container != 64))
		abort();
	free(text);
	return 0;
}
