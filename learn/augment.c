/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each measure draws only when it is on, in one order, so that a run with one
 * of them does not depend on the existence of the others.
 *
 * A queue that is perturbed is a longer or shorter queue: one factor for delay
 * and length alike, in the router's units, then scaled as ever.  Offsets and
 * noise are in scaled units, where 1 is half the range of the training rows.
 */
#include "learn/augment.h"

#include <math.h>
#include <string.h>

#include "policy/encoder.h"

uint32_t augment_first(const struct augment_options *options, const struct dataset *dataset,
		       const struct dataset_window *window, int64_t steps, bool cross, size_t cut,
		       struct rng *rng)
{
	const int64_t span = (steps - 1) * (int64_t)window->interval;
	const int64_t shift = (int64_t)options->shift;
	int64_t first = window->first, low = 0, last = (int64_t)cut - 1;

	if (shift == 0)
		return window->first;
	if (!cross) {
		low = dataset->episode[first];
		for (int64_t row = first + span; row < last && row < first + span + shift; row++)
			if (dataset->episode[row + 1] != low)
				last = row;
	}
	first += (int64_t)rng_below(rng, (uint64_t)(2 * shift + 1)) - shift;
	if (first > last - span)
		first = last - span;
	return (uint32_t)(first < low ? low : first);
}

static void perturb_queue(const struct augment_options *options, const struct dataset *dataset,
			  const struct dataset_window *window, int64_t steps, struct rng *rng,
			  float *states)
{
	static const char *const names[] = {"current_queue_delay", "length_in_bytes"};
	const double factor = exp(options->queue * rng_normal(rng));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const int feature = dataset_feature(dataset, names[i]);

		for (int64_t s = 0; feature >= 0 && s < steps; s++)
			states[s * dataset->features + feature] = dataset_scaled(
				dataset, window->first + (size_t)s * window->interval, feature,
				factor);
	}
}

static void disturb_series(const struct augment_options *options, const struct dataset *dataset,
			   int64_t steps, struct rng *rng, float *states)
{
	for (int i = 0; i < dataset->features; i++) {
		double offset = 0;

		if (!policy_encoder_is_series(dataset->config->feature[i].name))
			continue;
		if (options->offset > 0)
			offset = options->offset * rng_normal(rng);
		for (int64_t s = 0; s < steps; s++) {
			const double noise =
				options->noise > 0 ? options->noise * rng_normal(rng) : 0;

			states[s * dataset->features + i] += (float)(offset + noise);
		}
	}
}

static void hide_steps(const struct augment_options *options, int features, int64_t steps,
		       struct rng *rng, float *states, float *weights)
{
	for (int64_t s = 0; s < steps; s++) {
		if (rng_uniform(rng) < options->mask) {
			memset(states + s * features, 0, (size_t)features * sizeof(float));
			weights[s] = 0;
		}
		weights[s] = (float)((double)weights[s] / (1 - options->mask));
	}
}

void augment_window(const struct augment_options *options, const struct dataset *dataset,
		    const struct dataset_window *window, int64_t steps, struct rng *rng,
		    float *states, float *weights)
{
	if (options->queue > 0)
		perturb_queue(options, dataset, window, steps, rng, states);
	if (options->offset > 0 || options->noise > 0)
		disturb_series(options, dataset, steps, rng, states);
	if (options->mask > 0)
		hide_steps(options, dataset->features, steps, rng, states, weights);
}
