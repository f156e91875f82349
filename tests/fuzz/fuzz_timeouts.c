/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's timeouts file: any bytes are either refused with a line number or
 * give rows whose fields are within their bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "user/explain/timeouts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct timeout_row *row)
{
	if (!(row->low > 0) || row->high < row->low ||
	    row->measure >= MEASURES || row->ending >= ENDINGS ||
	    row->checked >= CHECKEDS || row->ports > TIMEOUT_PORTS ||
	    !row->component[0] ||
	    strlen(row->component) >= sizeof(row->component) ||
	    strlen(row->setting) >= sizeof(row->setting))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct timeouts *t = timeouts_new();
	char err[160] = "";
	size_t before;

	if (!t)
		return 0;
	before = timeouts_count(t);
	if (timeouts_add_text(t, (const char *)data, size, "fuzz", err,
			      sizeof(err))) {
		if (strncmp(err, "fuzz:", 5) != 0 ||
		    timeouts_count(t) != before)
			abort();
	}
	for (size_t i = before; i < timeouts_count(t); i++)
		check_row(timeouts_row(t, i));
	timeouts_match(t, 6, ~0u, ~0u, 80);
	timeouts_free(t);
	return 0;
}
