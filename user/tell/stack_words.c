/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bpf/event.h"
#include "user/base/base.h"
#include "user/tell/stack_words.h"

/* Fewer frames than that are not a whole program. */
#define WHOLE_FRAMES 3

static const char *text_at(const json_t *frame, const char *name)
{
	return json_string_value(json_object_get(frame, name));
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void stack_frame_words(const json_t *frame, char *out, size_t size)
{
	const char *symbol = text_at(frame, "symbol");
	const char *module = text_at(frame, "module");
	const char *address = text_at(frame, "address");
	json_int_t offset =
		json_integer_value(json_object_get(frame, "offset"));
	char text[512];

	if (symbol && module)
		snprintf(text, sizeof(text), "%s (%s)", symbol,
			 file_name(module));
	else if (symbol)
		snprintf(text, sizeof(text), "%s", symbol);
	else if (module)
		snprintf(text, sizeof(text), "%s+0x%llx", file_name(module),
			 (unsigned long long)offset);
	else
		snprintf(text, sizeof(text), "%s",
			 address ? address : "code without a name (JIT?)");
	format_safe(text, out, size);
}

const char *stack_remark(const json_t *stack)
{
	const json_t *first = json_array_get(stack, 0);

	if (text_at(first, "address"))
		return "the process had ended before its functions could be "
		       "named";
	if (json_array_size(stack) < WHOLE_FRAMES)
		return "cut here: the code has no frame pointers";
	if (json_array_size(stack) >= REC_FRAMES)
		return "deeper frames were not taken";
	return "";
}
