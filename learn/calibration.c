/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/calibration.h"

#include <stdlib.h>
#include <string.h>

#include "learn/adamw.h"
#include "learn/loss.h"

#define BATCH 8 /* windows of a forward pass */

static int allocate(struct calibration *c, struct error *error)
{
	const size_t steps = (size_t)(c->windows * c->steps);

	c->states = calloc(steps * (size_t)c->features, sizeof(float));
	c->returns = calloc(steps, sizeof(float));
	c->actions = calloc(steps, sizeof(float));
	c->timesteps = calloc(steps, sizeof(int32_t));
	c->labels = calloc(steps, sizeof(int32_t));
	if (c->states && c->returns && c->actions && c->timesteps && c->labels)
		return 0;
	return error_set(error, ERR_NO_MEMORY, "%zu steps to calibrate on", steps);
}

static void fill_window(struct calibration *c, const struct dataset *dataset,
			const struct dataset_window *window, int64_t index)
{
	const size_t features = (size_t)c->features;

	for (int64_t s = 0; s < c->steps; s++) {
		const size_t row = window->first + (size_t)s * window->interval;
		const size_t at = (size_t)(index * c->steps + s);

		memcpy(c->states + at * features, dataset->states + row * features,
		       features * sizeof(float));
		c->returns[at] = dataset->target;
		c->actions[at] = policy_action_input(dataset->labels[row]);
		c->labels[at] = dataset->labels[row];
		c->timesteps[at] = dataset_timestep(dataset, row, window->interval);
	}
}

int calibration_new(struct calibration *c, const struct dataset *dataset, size_t first, size_t end,
		    int64_t steps, int64_t windows, double event_share, uint64_t seed,
		    struct error *error)
{
	const struct dataset_window_options options = {
		.steps = steps, .stride = 1, .intervals = {1}, .interval_count = 1};
	struct dataset_windows all;
	struct dataset_window *drawn;
	struct rng rng;
	int status = dataset_windows_new(&all, dataset, first, end, &options, error);

	memset(c, 0, sizeof(*c));
	if (status)
		return status;
	c->windows = windows;
	c->steps = steps;
	c->features = dataset->features;
	drawn = calloc((size_t)windows, sizeof(*drawn));
	status = drawn ? allocate(c, error) : error_set(error, ERR_NO_MEMORY, "windows");
	rng_seed(&rng, seed);
	if (!status)
		dataset_windows_draw(&all, &rng, (size_t)windows, event_share, drawn);
	for (int64_t w = 0; w < windows && !status; w++)
		fill_window(c, dataset, &drawn[w], w);
	if (status)
		calibration_free(c);
	free(drawn);
	dataset_windows_free(&all);
	return status;
}

void calibration_free(struct calibration *c)
{
	free(c->states);
	free(c->returns);
	free(c->actions);
	free(c->timesteps);
	free(c->labels);
	memset(c, 0, sizeof(*c));
}

static struct policy_batch batch_of(const struct calibration *c, int64_t first, int64_t windows)
{
	const int64_t at = first * c->steps;

	return (struct policy_batch){.batch = windows,
				     .steps = c->steps,
				     .states = c->states + at * c->features,
				     .returns = c->returns + at,
				     .actions = c->actions + at,
				     .timesteps = c->timesteps + at};
}

int calibration_loss(const struct calibration *c, const struct policy_net *net, int64_t first,
		     int64_t end, double *loss, struct error *error)
{
	float *logits = malloc((size_t)(BATCH * c->steps * POOL_ACTIONS) * sizeof(*logits));
	struct arena arena;
	double sum = 0;
	int status = logits ? 0 : error_set(error, ERR_NO_MEMORY, "logits");

	arena_init(&arena);
	for (int64_t w = first; w < end && !status; w += BATCH) {
		const int64_t windows = end - w < BATCH ? end - w : BATCH;
		const struct policy_batch batch = batch_of(c, w, windows);

		status = policy_net_forward(net, &arena, &batch, logits, NULL, NULL, error);
		if (!status)
			sum += (double)windows *
			       cross_entropy(logits, c->labels + w * c->steps, windows * c->steps,
					     POOL_ACTIONS, NULL, 1, NULL);
		arena_reset(&arena);
	}
	*loss = sum / (double)(end - first);
	arena_free(&arena);
	free(logits);
	return status;
}

int calibration_slope(const struct calibration *c, struct policy_net *net, int64_t window,
		      struct error *error)
{
	const size_t numbers = (size_t)(c->steps * POOL_ACTIONS);
	float *logits = malloc(2 * numbers * sizeof(*logits));
	const struct policy_batch batch = batch_of(c, window, 1);
	struct policy_tape *tape;
	struct arena arena;
	int status = logits ? 0 : error_set(error, ERR_NO_MEMORY, "logits");

	arena_init(&arena);
	gradients_zero(net->params, net->count);
	if (!status)
		status = policy_net_forward(net, &arena, &batch, logits, &tape, NULL, error);
	if (!status) {
		cross_entropy(logits, c->labels + window * c->steps, c->steps, POOL_ACTIONS, NULL,
			      1, logits + numbers);
		status = policy_net_backward(net, &arena, tape, logits + numbers, error);
	}
	arena_free(&arena);
	free(logits);
	return status;
}
