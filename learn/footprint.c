/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The peak of a run: what is resident, the optimizer's moments, and the larger
 * of a training pass and a held-out pass (the learner's arena is empty while
 * held-out rows are scored).
 */
#include "learn/footprint.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "learn/usage.h"
#include "tensor/threads.h"

#define PACKING_MAX ((size_t)16 << 20) /* that is allowed for, a thread */
#define SHORT 2 /* steps of the shortest trial; then twice and three times as many */

/* One trial: bytes that a pass over `batch` windows of `steps` steps takes at its peak. */
struct trial {
	struct learner *learner;
	bool trains; /* forward and backward; else forward alone */
};

static int trial_pass(const struct trial *trial, const struct policy_batch *batch, float *logits,
		      size_t *bytes, struct error *error)
{
	const size_t rows = (size_t)(batch->batch * batch->steps);
	struct learner *learner = trial->learner;
	int32_t *labels = calloc(rows, sizeof(*labels));
	struct rng dropout;
	double loss;
	int status;

	if (!labels)
		return error_set(error, ERR_NO_MEMORY, "labels of a trial");
	rng_seed(&dropout, 1);
	arena_free(&learner->arena);
	if (trial->trains)
		status = learner_accumulate(learner, batch, labels, NULL, &dropout, logits, &loss,
					    error);
	else
		status = policy_net_forward(learner->net, &learner->arena, batch, logits, NULL,
					    NULL, error);
	*bytes = learner->arena.peak_bytes;
	arena_free(&learner->arena);
	free(labels);
	return status;
}

static int trial_run(const struct trial *trial, int64_t batch, int64_t steps, double *bytes,
		     struct error *error)
{
	const size_t rows = (size_t)(batch * steps);
	const size_t features = (size_t)trial->learner->net->shape.features;
	float *numbers = calloc(rows * (features + 2 + POOL_ACTIONS), sizeof(float));
	int32_t *timesteps = calloc(rows, sizeof(*timesteps));
	const struct policy_batch windows = {.batch = batch,
					     .steps = steps,
					     .states = numbers,
					     .returns = numbers + rows * features,
					     .actions = numbers + rows * (features + 1),
					     .timesteps = timesteps};
	size_t counted = 0;
	int status;

	if (numbers && timesteps)
		status = trial_pass(trial, &windows, numbers + rows * (features + 2), &counted,
				    error);
	else
		status = error_set(error, ERR_NO_MEMORY, "a trial of %zu steps", rows);
	*bytes = (double)counted;
	free(numbers);
	free(timesteps);
	return status;
}

/* Windows so short that the pass itself is cheap: only their number grows. */
static int extend_batch(const struct trial *trial, int64_t batch, int64_t steps, size_t *bytes,
			struct error *error)
{
	double one, two = 0;
	int status = trial_run(trial, 1, steps, &one, error);

	if (!status)
		status = trial_run(trial, 2, steps, &two, error);
	*bytes = (size_t)(one + (two - one) * (double)(batch - 1));
	return status;
}

/* bytes(B, s) = constant + rows B s + square B s^2 + line s, from four trials. */
static int extend(const struct trial *trial, int64_t batch, int64_t steps, size_t *bytes,
		  struct error *error)
{
	const double unit = SHORT, b = (double)batch, s = (double)steps;
	double at[3] = {0}, two = 0, constant, rows, square, line;
	int status = 0;

	if (steps <= 3 * SHORT)
		return extend_batch(trial, batch, steps, bytes, error);
	for (int i = 0; !status && i < 3; i++)
		status = trial_run(trial, 1, (i + 1) * SHORT, &at[i], error);
	if (!status)
		status = trial_run(trial, 2, SHORT, &two, error);
	square = (at[2] - 2 * at[1] + at[0]) / (2 * unit * unit);
	rows = (two - at[0]) / unit - square * unit;
	line = (at[1] - at[0]) / unit - 3 * square * unit - rows;
	constant = at[0] - (rows + line) * unit - square * unit * unit;
	*bytes = (size_t)(constant + (rows * b + line) * s + square * b * s * s);
	return status;
}

/* Memory that malloc() keeps after the trials would be taken for the run's own. */
static void give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/*
 * Products pack their operands.  With helper threads, malloc() keeps that
 * memory for each of them in pieces: measured at one to seven times the
 * largest operand in all, and never above 32 MB a thread.
 */
static size_t packing_bytes(const struct backbone_shape *shape, int64_t rows)
{
	const int threads = tensor_threads_get();
	const size_t operand = (size_t)(rows * shape->ffn_width) * sizeof(float);
	const size_t all = threads == 1 ? operand : operand * 5 / 2;
	const size_t most = (size_t)threads * PACKING_MAX;

	return all < most ? all : most;
}

int footprint_predict(struct footprint *footprint, struct learner *learner, int64_t batch,
		      int64_t steps, int64_t held_out_batch, struct error *error)
{
	struct policy_net *net = learner->net;
	const struct trial training = {learner, true}, scoring = {learner, false};
	struct usage usage;
	size_t need;
	int status;

	*footprint = (struct footprint){
		.weights = backbone_memory_bytes(net->backbone) + net->memory.used_bytes,
		.optimizer = 2 * learner->adamw.elements * sizeof(float),
	};
	status = extend(&training, batch, steps, &footprint->activations, error);
	if (!status && held_out_batch)
		status = extend(&scoring, held_out_batch, steps, &footprint->held_out, error);
	gradients_zero(net->params, net->count);
	learner->arena_bytes = footprint->activations;
	give_back();
	usage = usage_now();
	need = footprint->activations > footprint->held_out ? footprint->activations
							    : footprint->held_out;
	need += (size_t)usage.now_bytes + footprint->optimizer +
		packing_bytes(backbone_shape(net->backbone),
			      batch * steps * (net->shape.features + 2));
	footprint->peak = need > (size_t)usage.peak_bytes ? need : (size_t)usage.peak_bytes;
	return status;
}
