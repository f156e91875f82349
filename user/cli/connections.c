/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "user/base/base.h"
#include "user/cli/checkup.h"
#include "user/cli/connections.h"

/* Less of an average says nothing. */
#define LIFE_LEAST_US (10 * USEC_PER_SEC)

static struct connections count(const struct checkup *c, const struct filter *f,
				int64_t end_us, int64_t first_us)
{
	struct connections none = {.number = NOT_KNOWN}, found = none;
	int64_t started = checkup_number(c, NULL, "started_us");
	int64_t updated = checkup_number(c, NULL, "updated_us");
	int64_t client = checkup_number(c, "connections", "client");
	int64_t server = checkup_number(c, "connections", "server");
	int64_t from = f->since_us > started ? f->since_us : started;
	int64_t to = end_us < updated ? end_us : updated;
	char host[80];

	if (started == NOT_KNOWN || updated == NOT_KNOWN ||
	    client == NOT_KNOWN || server == NOT_KNOWN || client + server == 0)
		return none;
	checkup_text(c->daemon, "host", host, sizeof(host));
	if (*f->host && strcmp(f->host, host))
		return none;
	if (first_us != NOT_KNOWN && first_us < started)
		return none;
	if (updated - started < LIFE_LEAST_US || to <= from)
		return none;
	found.number = (double)(client + server) * (double)(to - from) /
		       (double)(updated - started);
	found.estimated = from > started || to < updated;
	return found;
}

struct connections connections_between(struct store *store,
				       const struct filter *f, int64_t end_us,
				       int64_t first_us)
{
	struct connections found = {.number = NOT_KNOWN};
	struct checkup c = {0};
	char *note = NULL;

	if (store_get_note(store, DAEMON_NOTE, &note))
		return found;
	c.daemon = json_loads(note, 0, NULL);
	if (json_is_object(c.daemon))
		found = count(&c, f, end_us, first_us);
	checkup_free(&c);
	free(note);
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
