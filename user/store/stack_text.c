/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "user/base/base.h"
#include "user/store/stack_text.h"

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

/*
 * The address only where it is all that is known: of a process that lives it
 * would tell others how its memory is laid out.
 */
static json_t *frame_json(const struct stack *st, const struct stack_frame *f)
{
	char address[24] = "";

	if (st->gone)
		snprintf(address, sizeof(address), "0x%" PRIx64, f->address);
	return json_pack(
		"{s:o, s:o, s:o, s:o}", "symbol", text_or_null(f->symbol),
		"module", text_or_null(f->module), "offset",
		f->offset == NOT_KNOWN ? json_null() : json_integer(f->offset),
		"address", text_or_null(address));
}

char *stack_text(const struct stack *st)
{
	json_t *list = json_array();
	char *text;

	for (uint32_t i = 0; i < st->frames && i < STACK_FRAMES; i++)
		if (json_array_append_new(list, frame_json(st, &st->frame[i])))
			goto fail;
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
fail:
	json_decref(list);
	return NULL;
}

json_t *stack_of(struct store *s, int64_t id)
{
	json_t *list = NULL;
	char *text = NULL;

	if (!store_get_stack(s, id, &text))
		list = json_loads(text, 0, NULL);
	free(text);
	if (json_array_size(list))
		return list;
	json_decref(list);
	return NULL;
}

void stack_add(struct store *s, int64_t id, json_t *event)
{
	json_t *list = stack_of(s, id);

	if (list)
		json_object_set_new(event, "stack", list);
}
