/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as it passes: how long something took, when something is due.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Of the monotonic clock, from some moment in the past. */
uint64_t clock_ns(void);
double clock_s(void);

#endif
