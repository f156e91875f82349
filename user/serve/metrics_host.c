/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/metrics_host.h"

static const char *const shown[] = {
	"ActiveOpens", "PassiveOpens", "AttemptFails", "EstabResets", "OutRsts",
};

static void put(struct exposition *x, const char *name, const char *value)
{
	struct label labels[] = {{"counter", name}, {NULL, NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (!strcmp(name, shown[i]))
			exposition_count(x, labels, strtoull(value, NULL, 10),
					 NULL);
	}
}

/* Two lines that begin with "Tcp:": names, then values in the same order. */
static bool read_tcp(FILE *f, char names[1024], char values[1024])
{
	while (fgets(names, 1024, f)) {
		if (!strncmp(names, "Tcp:", 4))
			return fgets(values, 1024, f) != NULL;
	}
	return false;
}

void metrics_host_render(struct exposition *x, const char *path)
{
	char names[1024], values[1024], *next_name, *next_value;
	char *name, *value;
	FILE *f = fopen(path, "re");
	bool got;

	if (!f)
		return;
	got = read_tcp(f, names, values);
	fclose(f);
	if (!got)
		return;
	exposition_family(x, "rstscope_host_tcp", METRIC_COUNTER,
			  "The kernel's own counters of the daemon's network "
			  "namespace since boot, to compare with.");
	name = strtok_r(names, " \n", &next_name);
	value = strtok_r(values, " \n", &next_value);
	while (name && value) {
		put(x, name, value);
		name = strtok_r(NULL, " \n", &next_name);
		value = strtok_r(NULL, " \n", &next_value);
	}
}
