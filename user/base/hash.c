// SPDX-License-Identifier: Apache-2.0
/*
 * A hash for tables in memory: sixteen bytes a step are folded through one
 * 64 x 64 -> 128 bit multiplication, whose halves are xored. Two or three
 * nanoseconds for the short keys of this program. Its values are not stable
 * across machines of different byte order and must not be stored.
 */
#include <string.h>

#include "user/base/base.h"

__extension__ typedef unsigned __int128 u128;

/* Odd, half of the bits set, no structure: the digits of pi, e, sqrt(2). */
static const uint64_t PI_BITS = 0x243f6a8885a308d3ull;
static const uint64_t E_BITS = 0xb7e151628aed2a6bull;
static const uint64_t ROOT_BITS = 0x6a09e667f3bcc909ull;

static uint64_t fold(uint64_t a, uint64_t b)
{
	u128 wide = (u128)a * b;

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint64_t step(uint64_t state, const uint64_t words[2])
{
	return fold(words[0] ^ E_BITS, words[1] ^ state) ^ state;
}

uint64_t hash_bytes(const void *data, size_t size, uint64_t seed)
{
	const unsigned char *at = data;
	uint64_t state = seed ^ PI_BITS;
	uint64_t words[2];
	size_t left = size;

	for (; left >= sizeof(words); left -= sizeof(words)) {
		memcpy(words, at, sizeof(words));
		state = step(state, words);
		at += sizeof(words);
	}
	if (left) {
		memset(words, 0, sizeof(words));
		memcpy(words, at, left);
		state = step(state, words);
	}
	/* The length tells a tail of zeros from no tail. */
	return fold(state ^ ROOT_BITS, (uint64_t)size ^ E_BITS);
}
