/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/checkup.h"
#include "user/cli/connections.h"

/* A share of parts up to this leaves the number as good as counted. */
#define PARTS_FEW 0.01

/* A store is of one host: the daemon's note has its name. */
static bool of_that_host(struct store *store, const char *host)
{
	struct checkup c = {0};
	char *note = NULL, name[80];
	bool same;

	if (store_get_note(store, DAEMON_NOTE, &note))
		return false;
	c.daemon = json_loads(note, 0, NULL);
	checkup_text(c.daemon, "host", name, sizeof(name));
	same = !strcmp(host, name);
	checkup_free(&c);
	free(note);
	return same;
}

struct connections connections_between(struct store *store,
				       const struct filter *f, int64_t end_us,
				       int64_t first_us)
{
	struct connections found = {.number = NOT_KNOWN};
	struct store_share share;

	if (*f->host && !of_that_host(store, f->host))
		return found;
	if (store_count_connections(store, f->since_us, end_us, &share) ||
	    share.number <= 0)
		return found;
	if (first_us != NOT_KNOWN && first_us < share.oldest_us)
		return found;
	found.number = share.number;
	found.estimated = share.parts > PARTS_FEW * share.number;
	return found;
}

void connections_share_text(const struct connections *c, int64_t failures,
			    char *out, size_t size)
{
	double percent;

	*out = '\0';
	if (c->number <= 0)
		return;
	percent = 100 * (double)failures / c->number;
	snprintf(out, size, "%s%.*f%%", c->estimated ? "~" : "",
		 percent >= 1 ? 1 : 3, percent);
}
