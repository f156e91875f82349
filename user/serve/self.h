/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon about itself: the process_* metrics that every exporter has.
 */
#ifndef RSTSCOPE_SELF_H
#define RSTSCOPE_SELF_H

#include "user/serve/exposition.h"

/* What cannot be read is left out. */
void self_render(struct exposition *x);

#endif
