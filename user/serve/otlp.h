/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept events to an OpenTelemetry collector: OTLP logs over HTTP, in JSON. In
 * batches, from a thread of its own; a receiver that is away or says 429, 502,
 * 503 or 504 is asked again, ever more rarely or when its Retry-After says.
 */
#ifndef RSTSCOPE_OTLP_H
#define RSTSCOPE_OTLP_H

#include "user/serve/outbox.h"

struct otlp;

/* "http://HOST:PORT", "https://...": -EINVAL with one line in err. */
int otlp_check_url(const char *url, char *err, size_t err_size);

struct otlp_config {
	const char *url; /* without /v1/logs */
	const char *ca;	 /* PEM file, read at the start; "": the system's */
	const char *host;
};

/* 0 or -errno with one line in err; -EINVAL: the configuration is at fault. */
int otlp_start(struct otlp **out, const struct otlp_config *config, char *err,
	       size_t err_size);
/* Where the events go. */
struct outbox *otlp_outbox(struct otlp *o);
/* Is it the failure of a connection of our own to the receiver? */
bool otlp_own(const struct otlp *o, const struct event *ev);
/* Sends what waits, for at most 1.5 s. */
void otlp_stop(struct otlp *o);

#endif
