/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * FreeBSD's twin of aqm/platform.h: the same names out of the kernel's headers.
 */
#ifndef AQM_PLATFORM_H
#define AQM_PLATFORM_H

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/stdint.h>

#define AQM_INLINE static inline __attribute__((always_inline))
#define AQM_PART AQM_INLINE

AQM_INLINE uint64_t aqm_div64(uint64_t dividend, uint64_t divisor)
{
	return dividend / divisor;
}

AQM_INLINE int aqm_leading_zeros(uint64_t value)
{
	return __builtin_clzll(value);
}

#endif
