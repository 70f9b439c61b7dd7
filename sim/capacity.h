/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a link can carry when: a constant rate, a rate that steps, or a
 * Mahimahi trace of moments at which 1500 bytes may leave.
 */
#ifndef SIM_CAPACITY_H
#define SIM_CAPACITY_H

#include <stdint.h>

#include "sim/scenario.h"

struct capacity {
	const struct scenario *scenario;
	uint64_t next_step;      /* steps before this are in force */
	uint64_t rate_bps;       /* now, without a trace */
	uint64_t opportunity;    /* trace: index of the next one, over all repetitions */
	uint64_t spare_bytes;    /* trace: left over from the last one used */
	uint64_t spare_until_ns; /* trace: when that was */
};

void capacity_init(struct capacity *capacity, const struct scenario *scenario);

/* When a packet that starts at `now_ns` has left the link. */
uint64_t capacity_finish_ns(struct capacity *capacity, uint64_t now_ns, uint32_t len_bytes);

/* Bytes the link could carry in [from, to). */
double capacity_bytes(const struct scenario *scenario, double from_s, double to_s);

#endif
