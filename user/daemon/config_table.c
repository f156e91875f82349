/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "user/base/base.h"
#include "user/daemon/config.h"
#include "user/observe/plan.h"
#include "user/serve/metrics.h"

#define FIELD(member)                                                          \
	offsetof(struct config, member), sizeof(((struct config *)0)->member)

#define YEARS_100_S  (100ll * 365 * 86400)
#define YEARS_100_US (YEARS_100_S * USEC_PER_SEC)

const struct config_option config_options[] = {
	{"config", 0, OPTION_TEXT, "FILE",
	 "read options from an INI file as well", FIELD(file),
	 .line_only = true},
	{"store", 0, OPTION_TEXT, "URL",
	 "the store (sqlite:/var/lib/rstscope/events.db)", FIELD(store)},
	{"listen", 0, OPTION_TEXT, "ADDR:PORT",
	 "HTTP there, or unix:PATH, or off (" LISTEN_DEFAULT ")",
	 FIELD(listen)},
	{"insecure-listen", 0, OPTION_FLAG, NULL,
	 "allow an address that other hosts can reach", FIELD(insecure_listen)},
	{"token-file", 0, OPTION_TEXT, "FILE",
	 "HTTP requests must bear the token in it (off)", FIELD(token_file)},
	{"retain-age", 0, OPTION_DURATION, "DURATION",
	 "forget failures older than this; 0 never (7d)", FIELD(retain_age_s),
	 0, YEARS_100_S, USEC_PER_SEC},
	{"retain-size", 0, OPTION_SIZE, "SIZE",
	 "forget the oldest beyond this size; 0 never (512M)",
	 FIELD(retain_bytes), 0, INT64_MAX},
	{"syscalls", 0, OPTION_SWITCH, "on|off",
	 "probes on send and receive: which call failed (on)", FIELD(syscalls)},
	{"netfilter", 0, OPTION_SWITCH, "on|off",
	 "probe on dropped packets: REJECT rules (on)", FIELD(netfilter)},
	{"methods", 0, OPTION_TEXT, "LIST", "probe by (" PLAN_METHODS_ALL ")",
	 FIELD(methods)},
	{"stacks", 0, OPTION_SWITCH, "on|off",
	 "the functions that a failing call came from (off)", FIELD(stacks)},
	{"packet", 0, OPTION_SWITCH, "on|off",
	 "probe on each segment: TTL, window of a RST (off)", FIELD(packet)},
	{"separate-netns", 0, OPTION_FLAG, NULL,
	 "treat each network namespace as a host of its own",
	 FIELD(separate_netns)},
	{"connections", 0, OPTION_NUMBER, "N",
	 "connections to keep track of; 0 by memory (0)", FIELD(connections), 0,
	 1 << 24, 1},
	{"timeouts", 0, OPTION_TEXT, "FILE",
	 "timers of your own (" TIMEOUTS_DEFAULT ")", FIELD(timeouts)},
	{"metric-processes", 0, OPTION_NUMBER, "N",
	 "process names with metrics of their own (50)",
	 FIELD(metric_processes), 0, METRICS_PROCESSES_MAX, 1},
	{"once", 0, OPTION_DURATION, "SECONDS", "observe that long, then end",
	 FIELD(once_us), 1, YEARS_100_US, 1},
	{"record", 0, OPTION_TEXT, "FILE",
	 "keep the raw records, for rstscope replay", FIELD(record)},
	{"journal", 0, OPTION_SWITCH, "on|off",
	 "each failure to journald (off)", FIELD(journal)},
	{"otlp", 0, OPTION_TEXT, "URL",
	 "each failure to an OpenTelemetry receiver (off)", FIELD(otlp)},
	{"otlp-ca", 0, OPTION_TEXT, "FILE",
	 "certificates to trust there (those of the system)", FIELD(otlp_ca)},
	{"export", 0, OPTION_REFUSED, "URL", "this build has no exporter"},
	{"verbose", 'v', OPTION_FLAG, NULL, "log more", FIELD(verbose)},
	{"version", 0, OPTION_ACTION, NULL, "print the version",
	 .min = CONFIG_VERSION, .line_only = true},
	{"help", 'h', OPTION_ACTION, NULL, "print this help",
	 .min = CONFIG_HELP, .line_only = true},
	{"dump-options", 0, OPTION_ACTION, NULL,
	 "print the options as a table for tools", .min = CONFIG_DUMP,
	 .line_only = true},
	{NULL},
};

static bool shown(const struct config_option *o)
{
	return o->type != OPTION_REFUSED;
}

void config_print_help(FILE *out)
{
	const struct config_option *o;

	fputs("Usage: rstscoped [OPTION...]\n"
	      "Ties every TCP connection failure of this host to its "
	      "process, system call\nand cause.\n\n",
	      out);
	for (o = config_options; o->name; o++) {
		char left[64];

		if (!shown(o))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", o->name,
			 o->argument ? " " : "",
			 o->argument ? o->argument : "");
		if (o->letter)
			fprintf(out, "  -%c, %-24s%s\n", o->letter, left,
				o->help);
		else
			fprintf(out, "      %-24s%s\n", left, o->help);
	}
	fputs("\nExit status: 0 ended as asked, 1 failed while running, 2 "
	      "wrong "
	      "usage,\n3 the kernel or the privileges do not suffice.\n",
	      out);
}

void config_print_options(FILE *out)
{
	const struct config_option *o;

	for (o = config_options; o->name; o++) {
		char letter[2] = {o->letter, '\0'};

		if (shown(o))
			fprintf(out, "rstscoped\t%s\t%s\t%s\t%s\n", o->name,
				letter, o->argument ? o->argument : "",
				o->help);
	}
}
