/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel itself counts (RFC 4022's names), of one network namespace:
 * tells an agent that sees nothing from a host where nothing happens.
 */
#ifndef RSTSCOPE_METRICS_HOST_H
#define RSTSCOPE_METRICS_HOST_H

#include "user/serve/exposition.h"

/* dir: /proc/net, of whose snmp and netstat what can be read is shown. */
void metrics_host_render(struct exposition *x, const char *dir);

#endif
