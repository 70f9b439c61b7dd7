/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A relative rate for every millisecond, brought to the mean, then opportunities from it.
 */
#include "sim/rate_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OPPORTUNITY_BITS (1500 * 8)

/* State of a model: what the next millisecond depends on. */
struct model {
	struct rng random;
	double wander;	/* logarithm of the rate, around 0 */
	double level;	/* relative, kept for a while */
	double left_ms; /* of the turn, the modulation, the beam or the outage under way */
	double turn_ms; /* wifi: of the turn (above 0) or of the others' (below) */
};

static const char *const names[] = {
	[RATE_NONE] = "none",
	[RATE_LTE] = "lte",
	[RATE_WIFI] = "wifi",
	[RATE_SATELLITE] = "satellite",
};

enum rate_kind rate_kind_find(const char *name)
{
	for (int kind = RATE_LTE; rate_kind_name((enum rate_kind)kind); kind++)
		if (strcmp(names[kind], name) == 0)
			return (enum rate_kind)kind;
	return RATE_NONE;
}

const char *rate_kind_name(enum rate_kind kind)
{
	return (size_t)kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

/* One millisecond of an Ornstein-Uhlenbeck process of that deviation and memory. */
static double wander(struct model *model, double deviation, double memory_ms)
{
	const double keep = exp(-1 / memory_ms);

	model->wander = keep * model->wander +
			deviation * sqrt(1 - keep * keep) * rng_normal(&model->random);
	return exp(model->wander);
}

static double lte_next(struct model *model)
{
	const double rate = wander(model, 0.5, 1000);

	if (model->left_ms <= 0 && rng_uniform(&model->random) < 1.0 / 30000)
		model->left_ms = 500 * rng_exponential(&model->random);
	return model->left_ms-- > 0 ? 0 : rate;
}

static double wifi_next(struct model *model)
{
	static const double modulations[] = {0.3, 0.6, 0.9, 1.2, 1.4, 1.6};

	if (model->left_ms-- <= 0) {
		model->left_ms = 1000 * rng_exponential(&model->random);
		model->level = modulations[rng_below(&model->random, 6)];
	}
	if (model->turn_ms > 0 && --model->turn_ms <= 0)
		model->turn_ms = -3 * rng_exponential(&model->random);
	else if (model->turn_ms <= 0 && ++model->turn_ms >= 0)
		model->turn_ms = 1 + (double)rng_below(&model->random, 4);
	return model->turn_ms > 0 ? model->level : 0;
}

static double satellite_next(struct model *model, uint64_t at_ms)
{
	if (at_ms % 15000 == 0) {
		model->left_ms = at_ms ? 20 + 80 * rng_uniform(&model->random) : 0;
		model->level = 0.5 + rng_uniform(&model->random);
	}
	return (model->left_ms-- > 0 ? 0 : model->level) * wander(model, 0.15, 500);
}

static double next_rate(struct model *model, enum rate_kind kind, uint64_t at_ms)
{
	switch (kind) {
	case RATE_LTE:
		return lte_next(model);
	case RATE_WIFI:
		return wifi_next(model);
	default:
		return satellite_next(model, at_ms);
	}
}

/* Relative rates whose mean is 1. */
static double *draw_rates(struct model *model, enum rate_kind kind, uint64_t duration_ms)
{
	double *rates = malloc(duration_ms * sizeof(*rates));
	double sum = 0;

	for (uint64_t i = 0; rates && i < duration_ms; i++)
		sum += rates[i] = next_rate(model, kind, i);
	for (uint64_t i = 0; rates && i < duration_ms; i++)
		rates[i] = sum > 0 ? rates[i] * (double)duration_ms / sum : 1;
	return rates;
}

/* Opportunities that fall into a millisecond in which `expected` of them are due. */
static uint64_t draw_count(struct model *model, enum rate_kind kind, double expected, double *owed)
{
	uint64_t count = 0;

	if (kind == RATE_LTE) {
		for (double left = expected - rng_exponential(&model->random); left > 0;
		     left -= rng_exponential(&model->random))
			count++;
		return count;
	}
	*owed += expected;
	count = (uint64_t)*owed;
	*owed -= (double)count;
	return count;
}

static uint64_t *fill_trace(struct model *model, enum rate_kind kind, const double *rates,
			    double mean_per_ms, uint64_t duration_ms, uint64_t *count)
{
	uint64_t room = (uint64_t)(mean_per_ms * (double)duration_ms) + 64, used = 0;
	uint64_t *trace_ms = malloc(room * sizeof(*trace_ms));
	double owed = 0;

	for (uint64_t i = 0; trace_ms && i <= duration_ms; i++) {
		uint64_t due = i < duration_ms
				       ? draw_count(model, kind, rates[i] * mean_per_ms, &owed)
				       : 1;

		if (used + due > room) {
			uint64_t *grown;

			room = 2 * (used + due);
			grown = realloc(trace_ms, room * sizeof(*grown));
			if (grown == NULL)
				free(trace_ms);
			trace_ms = grown;
		}
		while (trace_ms && due--)
			trace_ms[used++] = i;
	}
	*count = used;
	return trace_ms;
}

uint64_t *rate_model_trace(enum rate_kind kind, double mean_mbps, uint64_t duration_ms,
			   struct rng random, uint64_t *count)
{
	struct model model = {.random = random, .turn_ms = 1};
	double *rates = draw_rates(&model, kind, duration_ms);
	uint64_t *trace_ms =
		rates ? fill_trace(&model, kind, rates, mean_mbps * 1e3 / OPPORTUNITY_BITS,
				   duration_ms, count)
		      : NULL;

	free(rates);
	return trace_ms;
}
