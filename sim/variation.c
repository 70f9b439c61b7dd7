/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variations drawn from the run's seed.
 */
#include "sim/variation.h"

#include <math.h>
#include <stdlib.h>

#include "sim/rate_model.h"

/* Generated traces repeat after this. */
#define LONGEST_TRACE_MS 120000

/* Labels of generators: that of the run, which the world's other ones leave free, and its own. */
#define STREAM_OF_RUN 4
enum stream { STREAM_TRACE = 1, STREAM_RATES, STREAM_DELAYS };

static int no_memory(struct error *error)
{
	return error_set(error, ERR_NO_MEMORY, "out of memory for what changes in the network");
}

struct rng variation_random(uint64_t seed)
{
	struct rng root;

	rng_seed(&root, seed);
	return rng_split(&root, STREAM_OF_RUN);
}

uint64_t *variation_trace(enum rate_kind kind, double mean_mbps, double duration_s,
			  const struct rng *random, uint64_t *count)
{
	const double duration_ms = fmin(ceil(duration_s * 1e3), LONGEST_TRACE_MS);

	return rate_model_trace(kind, mean_mbps, (uint64_t)duration_ms,
				rng_split(random, STREAM_TRACE), count);
}

static int draw_trace(struct variation *variation, const struct scenario *scenario,
		      const struct rng *random, struct rate_plan *rate, struct error *error)
{
	variation->trace_ms = variation_trace(scenario->rate_kind, scenario->rate_mean_mbps,
					      scenario->duration_s, random, &rate->trace_count);
	rate->trace_ms = variation->trace_ms;
	return variation->trace_ms ? 0 : no_memory(error);
}

static uint64_t handovers(const struct scenario *scenario)
{
	return (uint64_t)(scenario->duration_s / scenario->handover.every_s);
}

/* At every handover the link stands still, then has another rate. */
static int draw_rates(struct variation *variation, const struct scenario *scenario,
		      struct rng random, struct rate_plan *rate, struct error *error)
{
	const struct handover_plan *plan = &scenario->handover;
	const double spread = plan->rate_spread_percent / 100;
	const uint64_t count = handovers(scenario);
	struct rate_step *steps = calloc(2 * count + 1, sizeof(*steps));

	variation->rate_steps = steps;
	if (steps == NULL)
		return no_memory(error);
	for (uint64_t i = 0; i < count; i++) {
		const double at_s = plan->every_s * (double)(i + 1);
		const double factor = 1 + spread * (2 * rng_uniform(&random) - 1);

		steps[2 * i].at_s = at_s;
		steps[2 * i + 1].at_s = at_s + plan->outage_ms / 1e3;
		steps[2 * i + 1].rate_mbps = fmax(scenario->rate_mbps * factor, 0.001);
	}
	rate->steps = steps;
	rate->step_count = 2 * count;
	return 0;
}

static int draw_delays(struct variation *variation, const struct scenario *scenario,
		       struct rng random, struct error *error)
{
	const struct handover_plan *plan = &scenario->handover;
	const uint64_t count = handovers(scenario);
	struct delay_step *steps = calloc(count + 1, sizeof(*steps));

	variation->delay_steps = steps;
	if (steps == NULL)
		return no_memory(error);
	for (uint64_t i = 0; i < count; i++) {
		steps[i].at_s = plan->every_s * (double)(i + 1);
		steps[i].delay_ms =
			scenario->delay_ms + plan->delay_spread_ms * rng_uniform(&random);
	}
	return 0;
}

int variation_build(struct variation *variation, const struct scenario *scenario, struct rng random,
		    struct rate_plan *rate, struct error *error)
{
	const struct handover_plan *plan = &scenario->handover;
	int code = 0;

	if (scenario->rate_kind != RATE_NONE)
		code = draw_trace(variation, scenario, &random, rate, error);
	if (code == 0 && (plan->outage_ms > 0 || plan->rate_spread_percent > 0))
		code = draw_rates(variation, scenario, rng_split(&random, STREAM_RATES), rate,
				  error);
	if (code == 0 && plan->delay_spread_ms > 0)
		code = draw_delays(variation, scenario, rng_split(&random, STREAM_DELAYS), error);
	return code;
}

void variation_start(struct variation *variation, const struct scenario *scenario,
		     struct clock *clock, struct delay_line *line)
{
	if (variation->delay_steps)
		delay_changer_init(&variation->delay, clock, line, variation->delay_steps,
				   handovers(scenario));
	else if (scenario->delay_step_count)
		delay_changer_init(&variation->delay, clock, line, scenario->delay_steps,
				   scenario->delay_step_count);
}

void variation_free(struct variation *variation)
{
	free(variation->trace_ms);
	free(variation->rate_steps);
	free(variation->delay_steps);
}
