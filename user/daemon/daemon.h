/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon itself: opens everything, runs until told to stop, closes it. */
#ifndef RSTSCOPE_DAEMON_H
#define RSTSCOPE_DAEMON_H

#include "user/base/base.h"
#include "user/daemon/config.h"

enum exit_status daemon_run(const struct config *config);

#endif
