/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of config.c that reading an INI file needs, and the other way. */
#ifndef RSTSCOPE_CONFIG_FILE_H
#define RSTSCOPE_CONFIG_FILE_H

#include "user/daemon/config.h"

/* NULL: there is none of that name. */
const struct config_option *config_find(const char *name);
/*
 * Sets one option from text; value NULL: a flag that was given. -EINVAL with
 * what is wrong (without the option's name) in err.
 */
int config_set(struct config *c, const struct config_option *o,
	       const char *value, char *err, size_t err_size);

/* -EINVAL with "FILE:LINE: ..." or "FILE: ..." in err. */
int config_read_file(struct config *c, const char *path, char *err,
		     size_t err_size);

#endif
