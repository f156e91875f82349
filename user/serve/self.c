/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/serve/self.h"

struct self {
	double cpu_seconds, start_seconds; /* start: since boot */
	double virtual_bytes, resident_bytes;
};

/* proc(5): fields 14, 15, 22, 23, 24 of /proc/self/stat. */
static bool read_stat(struct self *out)
{
	unsigned long long user, system, start, virtual;
	long resident, ticks = sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/self/stat", "re");
	char line[1024], *end;
	bool got;

	if (!f)
		return false;
	got = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	/* The name may hold spaces and parentheses: the last one ends it. */
	end = got ? strrchr(line, ')') : NULL;
	if (!end || sscanf(end + 1,
			   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			   " %llu %llu %*d %*d %*d %*d %*d %*d %llu %llu %ld",
			   &user, &system, &start, &virtual, &resident) != 5)
		return false;
	out->cpu_seconds = (double)(user + system) / ticks;
	out->start_seconds = (double)start / ticks;
	out->virtual_bytes = virtual;
	out->resident_bytes = (double)resident * sysconf(_SC_PAGESIZE);
	return true;
}

static bool read_boot_time(double *seconds)
{
	FILE *f = fopen("/proc/stat", "re");
	char line[256];
	bool got = false;

	if (!f)
		return false;
	while (!got && fgets(line, sizeof(line), f))
		got = sscanf(line, "btime %lf", seconds) == 1;
	fclose(f);
	return got;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n - 1; /* the directory itself was open */
}

static void put(struct exposition *x, const char *name, enum metric_type type,
		const char *help, double value)
{
	exposition_family(x, name, type, help);
	exposition_value(x, NULL, value);
}

void self_render(struct exposition *x)
{
	struct rlimit limit;
	struct self self;
	double boot;
	int fds;

	if (read_stat(&self)) {
		put(x, "process_cpu_seconds", METRIC_COUNTER,
		    "User and system CPU time of the daemon.",
		    self.cpu_seconds);
		put(x, "process_resident_memory_bytes", METRIC_GAUGE,
		    "Resident memory of the daemon.", self.resident_bytes);
		put(x, "process_virtual_memory_bytes", METRIC_GAUGE,
		    "Virtual memory of the daemon.", self.virtual_bytes);
		if (read_boot_time(&boot))
			put(x, "process_start_time_seconds", METRIC_GAUGE,
			    "Start of the daemon, UNIX time.",
			    boot + self.start_seconds);
	}
	fds = count_fds();
	if (fds >= 0)
		put(x, "process_open_fds", METRIC_GAUGE,
		    "Open file descriptors of the daemon.", fds);
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		put(x, "process_max_fds", METRIC_GAUGE,
		    "Limit of open file descriptors.", limit.rlim_cur);
}
