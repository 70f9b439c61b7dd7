/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wall time, for how long something took.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds of the monotonic clock, from some moment in the past. */
double clock_s(void);

#endif
