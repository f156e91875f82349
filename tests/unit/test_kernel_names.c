/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "user/base/base.h"
#include "user/observe/kernel_names.h"

static void add_value(struct btf *btf, const char *name, int value)
{
	assert_int_equal(btf__add_enum_value(btf, name, value), 0);
}

static struct btf *btf_with_enum(const char *name)
{
	struct btf *btf = btf__new_empty();

	assert_non_null(btf);
	assert_true(btf__add_enum(btf, name, 4) > 0);
	return btf;
}

/* Numbers move between kernels: only the names count. */
static void test_reasons(void **state)
{
	struct btf *btf = btf_with_enum("sk_rst_reason");
	struct record_context ctx;

	(void)state;
	add_value(btf, "SK_RST_REASON_NOT_SPECIFIED", 0);
	add_value(btf, "SK_RST_REASON_TCP_STATE", 31);
	add_value(btf, "SK_RST_REASON_LAST", 39);
	memset(&ctx, 0x5a, sizeof(ctx));
	assert_int_equal(kernel_reset_reasons(btf, &ctx), 3);
	assert_string_equal(ctx.reasons[0], "NOT_SPECIFIED");
	assert_string_equal(ctx.reasons[1], "");
	assert_string_equal(ctx.reasons[31], "TCP_STATE");
	assert_string_equal(ctx.reasons[39], "LAST");
	btf__free(btf);
}

static void test_reasons_odd(void **state)
{
	struct btf *btf = btf_with_enum("sk_rst_reason");
	struct record_context ctx;
	char name[120] = "SK_RST_REASON_";

	(void)state;
	memset(name + strlen(name), 'X', 100);
	add_value(btf, "SK_RST_REASON_BEYOND", 40);
	add_value(btf, "SK_RST_REASON_NEGATIVE", -1);
	add_value(btf, "OTHERWISE", 2); /* without the prefix */
	add_value(btf, name, 3);
	assert_int_equal(kernel_reset_reasons(btf, &ctx), 2);
	assert_string_equal(ctx.reasons[2], "OTHERWISE");
	assert_int_equal(strlen(ctx.reasons[3]), sizeof(ctx.reasons[3]) - 1);
	btf__free(btf);
}

/* Before 6.10 there is no such type; what was there before is gone. */
static void test_no_reasons(void **state)
{
	struct btf *btf = btf_with_enum("another");
	struct record_context ctx;

	(void)state;
	add_value(btf, "SK_RST_REASON_TCP_STATE", 1);
	memset(&ctx, 0x5a, sizeof(ctx));
	assert_int_equal(kernel_reset_reasons(btf, &ctx), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ctx.reasons); i++)
		assert_string_equal(ctx.reasons[i], "");
	btf__free(btf);
}

static void test_value(void **state)
{
	struct btf *btf = btf_with_enum("skb_drop_reason");

	(void)state;
	add_value(btf, "SKB_DROP_REASON_NETFILTER_DROP", 8);
	add_value(btf, "SKB_DROP_REASON_MAX", 90);
	assert_int_equal(kernel_enum_value(btf, "skb_drop_reason",
					   "SKB_DROP_REASON_NETFILTER_DROP"),
			 8);
	assert_int_equal(kernel_enum_value(btf, "skb_drop_reason",
					   "SKB_DROP_REASON_MAX"),
			 90);
	assert_int_equal(kernel_enum_value(btf, "skb_drop_reason", "SKB"),
			 -ENOENT);
	assert_int_equal(
		kernel_enum_value(btf, "no_such_enum", "SKB_DROP_REASON_MAX"),
		-ENOENT);
	btf__free(btf);
}

static void test_arguments(void **state)
{
	struct btf *btf = btf__new_empty();
	int proto;

	(void)state;
	assert_non_null(btf);
	assert_int_equal(btf__add_int(btf, "int", 4, BTF_INT_SIGNED), 1);
	proto = btf__add_func_proto(btf, 0);
	assert_int_equal(btf__add_func_param(btf, "a", 1), 0);
	assert_int_equal(btf__add_func_param(btf, "b", 1), 0);
	assert_true(btf__add_func(btf, "two", BTF_FUNC_STATIC, proto) > 0);
	assert_int_equal(kernel_function_args(btf, "two"), 2);
	assert_int_equal(kernel_function_args(btf, "three"), -ENOENT);
	assert_int_equal(kernel_function_args(btf, "int"), -ENOENT);
	btf__free(btf);
}

/* A struct of that name is no enum. */
static void test_other_kind(void **state)
{
	struct btf *btf = btf__new_empty();
	struct record_context ctx;

	(void)state;
	assert_non_null(btf);
	assert_true(btf__add_struct(btf, "sk_rst_reason", 4) > 0);
	assert_int_equal(kernel_reset_reasons(btf, &ctx), 0);
	assert_int_equal(kernel_enum_value(btf, "sk_rst_reason", "X"), -ENOENT);
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_reasons_odd),
		cmocka_unit_test(test_no_reasons),
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_other_kind),
	};

	return cmocka_run_group_tests_name("kernel_names", tests, NULL, NULL);
}
