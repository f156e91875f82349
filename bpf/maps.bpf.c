// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define RSTSCOPE_MAPS
#include "bpf/maps.h"

/* The kernel accepts GPL-only helpers from these programs. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
