/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a link can carry when: a constant rate, a rate that steps, or a
 * Mahimahi trace of moments at which 1500 bytes may leave.
 */
#ifndef SIM_CAPACITY_H
#define SIM_CAPACITY_H

#include <stdint.h>

#include "sim/scenario.h"

/* Steps and trace belong to whoever made them, and outlive the plan. */
struct rate_plan {
	double rate_mbps;                  /* until the first step */
	const struct scenario_step *steps; /* (step_count), at_s rising; rate 0: stands still */
	uint64_t step_count;
	const uint64_t *trace_ms;          /* (trace_count), in place of rate and steps */
	uint64_t trace_count;
};

/* That of a scenario's bottleneck. */
struct rate_plan rate_plan_of(const struct scenario *scenario);

struct capacity {
	struct rate_plan plan;
	uint64_t next_step;      /* steps before this are in force */
	uint64_t rate_bps;       /* now, without a trace */
	uint64_t opportunity;    /* trace: index of the next one, over all repetitions */
	uint64_t spare_bytes;    /* trace: left over from the last one used */
	uint64_t spare_until_ns; /* trace: when that was */
};

void capacity_init(struct capacity *capacity, const struct rate_plan *plan);

/* When the link takes the next packet, from `now_ns` on: at once, or when it goes on. */
uint64_t capacity_begin_ns(struct capacity *capacity, uint64_t now_ns);

/* When a packet that starts at `now_ns` has left the link. */
uint64_t capacity_finish_ns(struct capacity *capacity, uint64_t now_ns, uint32_t len_bytes);

/* Bytes the link could carry in [from, to). */
double capacity_bytes(const struct rate_plan *plan, double from_s, double to_s);

/* The share of them that `bytes` are, 0..1: a packet under way at `from_s` was counted whole. */
double capacity_share(const struct rate_plan *plan, uint64_t bytes, double from_s, double to_s);

#endif
