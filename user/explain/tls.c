/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "user/base/base.h"
#include "user/explain/tls.h"

/*
 * The smallest thing a client sends to finish a handshake is TLS 1.3's
 * Finished: 5 header + 4 + 32 + 1 type + 16 tag. What is shorter is an
 * encrypted alert (24), with or without the compatibility ChangeCipherSpec
 * (6), and looks like application data from outside.
 */
#define FINISHED_MIN 58

static bool only_alert_after_hello(const struct facts *f)
{
	if (f->first_out_bytes <= 0 || f->sent_bytes < f->first_out_bytes)
		return false;
	return f->sent_bytes - f->first_out_bytes < FINISHED_MIN;
}

/* The probes look at the first segments only; who got more is past it. */
#define LOOKED_AT_SEGMENTS 4

/*
 * A server that refuses our certificate says so after our Finished: the
 * handshake is over once more than an alert has come after that.
 */
static bool answered_finished(const struct facts *f)
{
	return (f->tls & TLS_ANSWERED) ||
	       f->received_segments > LOOKED_AT_SEGMENTS;
}

static bool client_finished(const struct facts *f)
{
	return (f->tls & TLS_MOVED_OUT) && !only_alert_after_hello(f) &&
	       answered_finished(f);
}

static bool finished(const struct facts *f)
{
	switch (f->role) {
	case ROLE_CLIENT:
		return client_finished(f);
	case ROLE_SERVER:
		return f->tls & TLS_MOVED_IN;
	default:
		return (f->tls & TLS_MOVED_IN) && (f->tls & TLS_MOVED_OUT);
	}
}

const char *facts_tls(const struct facts *f)
{
	const unsigned int hello = TLS_HELLO_OUT | TLS_HELLO_IN;
	const unsigned int alert = TLS_ALERT_OUT | TLS_ALERT_IN;

	if (!f->labels_known)
		return "";
	if (f->tls & hello)
		return finished(f) ? "established" : "handshake";
	if (f->first_out == LABEL_TLS || f->first_in == LABEL_TLS ||
	    (f->tls & alert))
		return "handshake";
	if (f->first_out == LABEL_NONE && f->first_in == LABEL_NONE)
		return "";
	return "no";
}

static const struct {
	int number;
	const char *name;
} alerts[] = {
	{0, "close_notify"},
	{10, "unexpected_message"},
	{20, "bad_record_mac"},
	{22, "record_overflow"},
	{40, "handshake_failure"},
	{42, "bad_certificate"},
	{43, "unsupported_certificate"},
	{44, "certificate_revoked"},
	{45, "certificate_expired"},
	{46, "certificate_unknown"},
	{47, "illegal_parameter"},
	{48, "unknown_ca"},
	{49, "access_denied"},
	{50, "decode_error"},
	{51, "decrypt_error"},
	{70, "protocol_version"},
	{71, "insufficient_security"},
	{80, "internal_error"},
	{86, "inappropriate_fallback"},
	{90, "user_canceled"},
	{109, "missing_extension"},
	{110, "unsupported_extension"},
	{112, "unrecognized_name"},
	{113, "bad_certificate_status_response"},
	{115, "unknown_psk_identity"},
	{116, "certificate_required"},
	{120, "no_application_protocol"},
};

const char *tls_alert_name(int alert)
{
	for (size_t i = 0; i < ARRAY_SIZE(alerts); i++)
		if (alerts[i].number == alert)
			return alerts[i].name;
	return NULL;
}
