/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * BPF's twin of aqm/platform.h: no libc, and clang's own <stdint.h> has no 64-bit constants for
 * this target.  Division by 0 is 0 in BPF; nothing here asks for it.
 */
#ifndef AQM_PLATFORM_H
#define AQM_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;

#define UINT32_C(value) value##U
#define UINT64_C(value) value##ULL
#define INT64_C(value) value##LL
#define UINT32_MAX 0xffffffffU
#define UINT64_MAX 0xffffffffffffffffULL

#define AQM_INLINE static inline __attribute__((always_inline))
#define AQM_PART static __attribute__((noinline, unused))

AQM_INLINE uint64_t aqm_div64(uint64_t dividend, uint64_t divisor)
{
	return dividend / divisor;
}

/*
 * By halves: BPF has no such instruction, and clang 14 no answer to the builtin.  Not static: the
 * verifier then looks at it once, not on every path that leads to a logarithm.
 */
__attribute__((noinline)) int aqm_leading_zeros(uint64_t value)
{
	int zeros = 0;

	for (int bits = 32; bits > 0; bits /= 2) {
		if (value >> (64 - bits) == 0) {
			value <<= bits;
			zeros += bits;
		}
	}
	return zeros;
}

#endif
