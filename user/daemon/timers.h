/* SPDX-License-Identifier: Apache-2.0 */
/* The cause engine with the timers of the user's file. */
#ifndef RSTSCOPE_TIMERS_H
#define RSTSCOPE_TIMERS_H

#include "user/base/base.h"
#include "user/explain/engine.h"

/* EXIT_USAGE: the file is wrong; it is said which line. */
enum exit_status timers_open(struct engine **out, const char *path);

#endif
