/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as OTLP log records in JSON, with attributes after OpenTelemetry's
 * semantic conventions where there are some, else rstscope.*. New references;
 * NULL: out of memory.
 */
#ifndef RSTSCOPE_OTLP_JSON_H
#define RSTSCOPE_OTLP_JSON_H

#include "user/store/event.h"

json_t *otlp_record(const struct event *ev, int64_t observed_us);
/* A whole request; takes over the array of records of one host. */
json_t *otlp_request(json_t *records, const char *host);

/* From an answer's partialSuccess: what was not taken of a request that was. */
struct otlp_rejection {
	uint64_t events; /* 0: a warning only */
	char why[200];	 /* as the receiver sent it */
};
/* False: all is well, or the text says nothing of it. */
bool otlp_rejection(const char *answer, size_t size,
		    struct otlp_rejection *out);

#endif
