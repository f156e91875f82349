// SPDX-License-Identifier: Apache-2.0
#include "user/observe/kernel_names.h"

#include <errno.h>
#include <string.h>

#include <bpf/btf.h>

#include "user/base/base.h"

#define REASON_PREFIX "SK_RST_REASON_"

static const struct btf_type *find_enum(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);

	return id > 0 ? btf__type_by_id(btf, id) : NULL;
}

int kernel_reset_reasons(const struct btf *btf, struct record_context *ctx)
{
	const struct btf_type *type = find_enum(btf, "sk_rst_reason");
	const struct btf_enum *value;
	const char *name;
	int n = 0;

	memset(ctx->reasons, 0, sizeof(ctx->reasons));
	if (!type)
		return 0;
	value = btf_enum(type);
	for (int i = 0; i < btf_vlen(type); i++, value++) {
		name = btf__name_by_offset(btf, value->name_off);
		if (!name || value->val < 0 ||
		    (size_t)value->val >= ARRAY_SIZE(ctx->reasons))
			continue;
		if (!strncmp(name, REASON_PREFIX, strlen(REASON_PREFIX)))
			name += strlen(REASON_PREFIX);
		snprintf(ctx->reasons[value->val],
			 sizeof(ctx->reasons[value->val]), "%s", name);
		n++;
	}
	return n;
}

int kernel_enum_value(const struct btf *btf, const char *enum_name,
		      const char *enumerator)
{
	const struct btf_type *type = find_enum(btf, enum_name);
	const struct btf_enum *value;
	const char *name;

	if (!type)
		return -ENOENT;
	value = btf_enum(type);
	for (int i = 0; i < btf_vlen(type); i++, value++) {
		name = btf__name_by_offset(btf, value->name_off);
		if (name && !strcmp(name, enumerator))
			return value->val;
	}
	return -ENOENT;
}

int kernel_function_args(const struct btf *btf, const char *function)
{
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	const struct btf_type *type;

	if (id < 0)
		return -ENOENT;
	type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	return type && btf_is_func_proto(type) ? btf_vlen(type) : -ENOENT;
}
