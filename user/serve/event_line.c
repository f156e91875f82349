/* SPDX-License-Identifier: Apache-2.0 */
#include "user/serve/event_line.h"

#include "user/base/base.h"
#include "user/tell/event_text.h"

void event_line(const struct event *ev, char out[EVENT_LINE])
{
	char who[64], failure[64], peer[IP_TEXT + 8];

	event_process_text(ev, who, sizeof(who));
	event_failure_text(ev, failure, sizeof(failure));
	format_endpoint(ev->family, ev->peer.ip, ev->peer.port, peer,
			sizeof(peer));
	snprintf(out, EVENT_LINE, "%s %s, peer %s: %s %.2f",
		 *who ? who : "no process", failure, peer,
		 cause_name(ev->verdict.cause), ev->verdict.confidence);
}
