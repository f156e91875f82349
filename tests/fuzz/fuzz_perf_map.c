/* SPDX-License-Identifier: Apache-2.0 */
/* /tmp/perf-PID.map is written by whoever owns the process. */
#include <stdlib.h>
#include <string.h>

#include "user/attribute/stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes are addresses, the rest is the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stack st;
	FILE *in;

	memset(&st, 0, sizeof(st));
	while (size > 8 && st.frames < 4) {
		memcpy(&st.frame[st.frames++].address, data, 8);
		data += 8;
		size -= 8;
	}
	if (!size)
		return 0;
	in = fmemopen((void *)data, size, "r");
	if (!in)
		return 0;
	perf_map_read(in, &st);
	fclose(in);
	for (uint32_t i = 0; i < st.frames; i++) {
		const char *name = st.frame[i].symbol;

		if (strnlen(name, STACK_NAME) == STACK_NAME)
			abort();
		for (; *name; name++)
			if ((unsigned char)*name < ' ')
				abort();
	}
	return 0;
}
