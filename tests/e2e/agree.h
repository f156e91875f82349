/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a test the kernel's own counters, the store and the metrics tell the
 * same numbers.
 */
#ifndef E2E_AGREE_H
#define E2E_AGREE_H

#include "tests/e2e/harness.h"

/* From here on they are compared. */
void agree_start(void);
/* Of these the store may miss so many in this test (hidden.h). */
void agree_allow(int64_t attempts, int64_t resets);
/* Waits until they agree; false, with what does not, where they never do. */
bool agree_at_end(struct world *w);

#endif
