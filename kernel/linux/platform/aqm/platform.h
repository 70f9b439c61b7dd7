/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's twin of aqm/platform.h: this folder stands before the sources' in the include path.
 */
#ifndef AQM_PLATFORM_H
#define AQM_PLATFORM_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define AQM_INLINE static __always_inline
#define AQM_PART AQM_INLINE

/* What <stdint.h> has and the kernel spells otherwise. */
#ifndef UINT64_C
#define UINT64_C(value) value##ULL
#define INT64_C(value) value##LL
#define UINT32_C(value) value##U
#endif
#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif

AQM_INLINE uint64_t aqm_div64(uint64_t dividend, uint64_t divisor)
{
	return div64_u64(dividend, divisor);
}

AQM_INLINE int aqm_leading_zeros(uint64_t value)
{
	return __builtin_clzll(value);
}

#endif
