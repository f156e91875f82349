/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one way into the ring: a record is reserved zeroed, and every one is
 * counted as submitted, dropped or folded, so that counts stay exact when
 * details cannot be kept.
 */
#ifndef RSTSCOPE_EMIT_H
#define RSTSCOPE_EMIT_H

#include "bpf/maps.h"

static __always_inline void tally(u32 row, u64 n)
{
	u64 *value = bpf_map_lookup_elem(&tallies, &row);

	if (value)
		__sync_fetch_and_add(value, n);
}

static __always_inline struct rec_count *count_of(u32 kind)
{
	return bpf_map_lookup_elem(&counts, &kind);
}

static __always_inline void emit_folded(u32 kind)
{
	struct rec_count *count = count_of(kind);

	if (count) {
		__sync_fetch_and_add(&count->seen, 1);
		__sync_fetch_and_add(&count->folded, 1);
	}
}

/* A zeroed record of that size, or NULL: the ring is full (counted). */
static __always_inline void *emit_reserve(u32 kind, u32 size)
{
	struct rec_count *count = count_of(kind);
	struct rec_head *head;

	if (!count)
		return NULL;
	__sync_fetch_and_add(&count->seen, 1);
	head = bpf_ringbuf_reserve(&ring, size, 0);
	if (!head) {
		__sync_fetch_and_add(&count->dropped, 1);
		return NULL;
	}
	__sync_fetch_and_add(&count->submitted, 1);
	__builtin_memset(head, 0, size);
	head->kind = kind;
	head->size = size;
	head->cpu = bpf_get_smp_processor_id();
	head->time_ns = bpf_ktime_get_ns();
	return head;
}

static __always_inline void emit_submit(void *record)
{
	/* A wake-up costs more than the record: none while the daemon drains
	 * by timer, one at once when it sleeps. */
	bpf_ringbuf_submit(record, daemon_busy ? BPF_RB_NO_WAKEUP
					       : BPF_RB_FORCE_WAKEUP);
}

/*
 * An interrupt may come between the two steps of counting (an atomic that
 * returns the count is from 5.12, 5ca419f2864a); then it is later than the
 * program that it came upon: no two ids are the same within 18 minutes.
 */
static __always_inline u64 next_failure(void)
{
	struct percpu *cpu = this_cpu();
	u64 now = bpf_ktime_get_ns();

	if (!cpu)
		return 0;
	return ((u64)(bpf_get_smp_processor_id() + 1) << 48) |
	       (now << 24 >> 16) | cpu->serial++;
}

#endif
