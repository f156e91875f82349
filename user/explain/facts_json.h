/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts as JSON for people and for golden tests: only what is known is there,
 * numbers and names as in struct facts.
 */
#ifndef RSTSCOPE_FACTS_JSON_H
#define RSTSCOPE_FACTS_JSON_H

#include <jansson.h>

#include "user/observe/facts.h"

/* A new reference; NULL: out of memory. */
json_t *facts_to_json(const struct facts *f);

/*
 * Sets the fields that json names, and leaves the others as they are (use
 * facts_init() first). 0, or -EINVAL with the field's name in err and *f
 * partly set.
 */
int facts_from_json(struct facts *f, const json_t *json, char *err,
		    size_t err_size);

#endif
