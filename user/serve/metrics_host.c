/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/serve/metrics_host.h"

#define LINE_BYTES 8192 /* TcpExt has some 130 names */

static const char *const of_snmp[] = {
	"ActiveOpens", "PassiveOpens", "AttemptFails",
	"EstabResets", "OutRsts",      NULL,
};
static const char *const of_netstat[] = {
	"TCPChallengeACK",
	"TCPSYNChallenge",
	"EmbryonicRsts",
	NULL,
};

struct table {
	const char *file, *prefix;
	const char *const *shown;
};
static const struct table tables[] = {
	{"snmp", "Tcp:", of_snmp},
	{"netstat", "TcpExt:", of_netstat},
};

static void put(struct exposition *x, const char *const *shown,
		const char *name, const char *value)
{
	struct label labels[] = {{"counter", name}, {NULL, NULL}};

	for (; *shown; shown++) {
		if (!strcmp(name, *shown))
			exposition_count(x, labels, strtoull(value, NULL, 10),
					 NULL);
	}
}

/* Two lines with that prefix: names, then values in the same order. */
static bool read_lines(const char *dir, const struct table *t,
		       char names[LINE_BYTES], char values[LINE_BYTES])
{
	size_t n = strlen(t->prefix);
	char path[256];
	bool got = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, t->file);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!got && fgets(names, LINE_BYTES, f))
		got = !strncmp(names, t->prefix, n);
	got = got && fgets(values, LINE_BYTES, f);
	fclose(f);
	return got;
}

static void render(struct exposition *x, const struct table *t, char *names,
		   char *values)
{
	char *next_name, *next_value;
	char *name = strtok_r(names, " \n", &next_name);
	char *value = strtok_r(values, " \n", &next_value);

	while (name && value) {
		put(x, t->shown, name, value);
		name = strtok_r(NULL, " \n", &next_name);
		value = strtok_r(NULL, " \n", &next_value);
	}
}

void metrics_host_render(struct exposition *x, const char *dir)
{
	char names[LINE_BYTES], values[LINE_BYTES];
	bool begun = false;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!read_lines(dir, &tables[i], names, values))
			continue;
		if (!begun)
			exposition_family(
				x, "rstscope_host_tcp", METRIC_COUNTER,
				"The kernel's own counters of the daemon's "
				"network namespace since boot, to compare "
				"with.");
		begun = true;
		render(x, &tables[i], names, values);
	}
}
