/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces of links whose rate moves, made from a seed in the manner of three kinds of access:
 * moments at which 1500 bytes may leave, in Mahimahi's form.
 *
 *   lte        the logarithm of the rate wanders around its mean (deviation 0.5, over 1 s), packets
 *              come as a Poisson process of this rate, and every 30 s or so nothing comes for half
 *              a second (the model of Sprout, NSDI 2013, with a mean to come back to)
 *   wifi       turns of 1 to 4 ms at the rate of one of six modulations, kept for 1 s or so; others
 *              have their turns in between (3 ms or so)
 *   satellite  every 15 s another beam: nothing for 20 to 100 ms, then a rate between half and one
 *              and a half times the mean, with a little noise on it
 */
#ifndef SIM_RATE_MODEL_H
#define SIM_RATE_MODEL_H

#include <stdint.h>

#include "base/rng.h"
#include "sim/network.h"

/* By name; RATE_NONE: there is no such kind.  The name of a kind; NULL behind the last one. */
enum rate_kind rate_kind_find(const char *name);
const char *rate_kind_name(enum rate_kind kind);

/*
 * Opportunities in milliseconds (count of them in `count`), never decreasing, the last one at
 * `duration_ms` (> 0), where the trace repeats.  The caller frees; NULL: out of memory.
 */
uint64_t *rate_model_trace(enum rate_kind kind, double mean_mbps, uint64_t duration_ms,
			   struct rng random, uint64_t *count);

#endif
