/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients send and the daemon reads itself: Host and Accept headers; and
 * the address to listen on. A Host that is let in names this machine.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "user/serve/endpoints.h"
#include "user/serve/listen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(const char *host)
{
	if (!http_host_is_local(host))
		return;
	if (strncasecmp(host, "localhost", 9) && strncmp(host, "127.", 4) &&
	    strncmp(host, "[::1]", 5))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), err[200];
	struct listen_address a;

	memcpy(text, data, size);
	text[size] = '\0';
	check_host(text);
	if (endpoints_format(text) == METRICS_OPENMETRICS &&
	    !strcasestr(text, "openmetrics"))
		abort();
	if (!listen_parse(text, &a, err, sizeof(err)) && strcmp(a.text, text))
		abort();
	free(text);
	return 0;
}
