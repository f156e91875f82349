/* SPDX-License-Identifier: Apache-2.0 */
/* What came after a verdict and may have changed it, in words. */
#ifndef RSTSCOPE_NEWS_H
#define RSTSCOPE_NEWS_H

#include <stddef.h>

#include "user/explain/history.h"

/* Since history_stamp() was `stamp`; "" where nothing is known to have come. */
void news_tell(const struct history *h, const struct facts *f, uint64_t stamp,
	       char *text, size_t size);

#endif
