/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes about the bottleneck during a run: generated rates, handovers, steps of its delay.
 *
 * All of it is drawn before the run begins.
 */
#ifndef SIM_VARIATION_H
#define SIM_VARIATION_H

#include "base/rng.h"
#include "sim/node.h"
#include "sim/scenario.h"

/* Sets a delay line's delay at the times of steps; packets under way keep their order. */
struct delay_changer {
	struct sim_node node;
	struct delay_line *line;
	const struct delay_step *steps;
	uint64_t next, count;
};

void delay_changer_init(struct delay_changer *changer, struct clock *clock,
			struct delay_line *line, const struct delay_step *steps, uint64_t count);

/* The generator of what changes in a run of that seed. */
struct rng variation_random(uint64_t seed);

/* The trace of a run over such a link, as of rate_model_trace(); it repeats after 120 s. */
uint64_t *variation_trace(enum rate_kind kind, double mean_mbps, double duration_s,
			  const struct rng *random, uint64_t *count);

struct variation {
	uint64_t *trace_ms;               /* generated; owned, as all here */
	struct rate_step *rate_steps;
	struct delay_step *delay_steps;
	struct delay_changer delay;
};

/* Draws into a zeroed variation, and what it says into `rate`; on failure variation_free() is due.
 */
int variation_build(struct variation *variation, const struct scenario *scenario,
		    struct rng random, struct rate_plan *rate, struct error *error);

/* Begins to change `line`. */
void variation_start(struct variation *variation, const struct scenario *scenario,
		     struct clock *clock, struct delay_line *line);
void variation_free(struct variation *variation);

#endif
