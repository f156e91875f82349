/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events come as JSON from files and as packed bytes from stores. Whatever a
 * reader accepts must come through the other form and back unchanged. The
 * first byte chooses: even JSON, odd packed.
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. \
 *	tests/fuzz/fuzz_event_json.c user/store/event*.c user/base/format.c \
 *	user/base/parse*.c user/explain/names.c -ljansson -lm \
 *	-o build/fuzz_event_json
 */
#include <stdlib.h>
#include <string.h>

#include "user/store/event_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void turn_packed(const struct event *ev)
{
	uint8_t bytes[EVENT_PACK_MAX], again[EVENT_PACK_MAX];
	struct event back;
	int n = event_pack(ev, bytes, sizeof(bytes));

	demand(n > 0);
	demand(event_unpack(&back, bytes, (size_t)n) == 0);
	demand(event_pack(&back, again, sizeof(again)) == n);
	demand(!memcmp(bytes, again, (size_t)n));
}

static void read_json(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, 0, NULL);
	char err[128] = "", *line;
	struct event ev;

	if (event_from_json(&ev, json, err, sizeof(err)) == 0) {
		turn_packed(&ev);
		line = event_to_line(&ev);
		demand(line && strchr(line, '\n') == line + strlen(line) - 1);
		free(line);
	} else {
		demand(err[0] && !strchr(err, '\n'));
	}
	json_decref(json);
}

static void read_packed(const uint8_t *data, size_t size)
{
	struct event ev;
	json_t *json;

	if (event_unpack(&ev, data, size))
		return;
	json = event_to_json(&ev);
	demand(json != NULL);
	json_decref(json);
	turn_packed(&ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		read_packed(data + 1, size - 1);
	else
		read_json(data + 1, size - 1);
	return 0;
}
