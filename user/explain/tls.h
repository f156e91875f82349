/* SPDX-License-Identifier: Apache-2.0 */
/* How far a TLS handshake had come, as the labels of the first bytes tell. */
#ifndef RSTSCOPE_TLS_H
#define RSTSCOPE_TLS_H

#include "user/observe/facts.h"

/*
 * For connection.tls of the event: "no", "handshake" or "established"; ""
 * where no first byte was seen.
 */
const char *facts_tls(const struct facts *f);

/* Name of an AlertDescription (RFC 8446, 6), or NULL. */
const char *tls_alert_name(int alert);

#endif
