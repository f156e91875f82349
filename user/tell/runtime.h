/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is written in, as far as it words its own errors. */
#ifndef RSTSCOPE_RUNTIME_H
#define RSTSCOPE_RUNTIME_H

#include "user/store/event.h"

enum runtime {
	RUNTIME_OTHER, /* errno and strerror() are all that is known */
	RUNTIME_CURL,
	RUNTIME_GO,
	RUNTIME_JAVA,
	RUNTIME_NODE,
	RUNTIME_PHP,
	RUNTIME_PYTHON,
	RUNTIME_RUBY,
	RUNTIME_WGET,
	RUNTIMES,
};

/*
 * By the name of its executable, else of the process; a program of Go is known
 * by its file, where that is on this host and still there.
 */
enum runtime runtime_of(const struct event_process *p);

#endif
