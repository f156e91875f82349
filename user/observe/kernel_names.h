/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that move between kernels, looked up by name in the running BTF. */
#ifndef RSTSCOPE_KERNEL_NAMES_H
#define RSTSCOPE_KERNEL_NAMES_H

#include "user/observe/context.h"

struct btf;

/* Fills ctx->reasons from enum sk_rst_reason (6.10); their number. */
int kernel_reset_reasons(const struct btf *btf, struct record_context *ctx);

/* How many arguments that function has, or -ENOENT. */
int kernel_function_args(const struct btf *btf, const char *function);

/* The value of an enumerator, or -ENOENT. */
int kernel_enum_value(const struct btf *btf, const char *enum_name,
		      const char *enumerator);

#endif
