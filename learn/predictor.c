/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scoring rows, in batches of windows of equal length.
 *
 * The network is causal, so one pass over a window gives a prediction for each
 * of its rows that knows only what came before; the last `stride` of them are
 * taken.  With stride 1 every row has the fullest context there is.
 *
 * A bidirectional backbone (T5 as the released code runs it) would read a row's
 * action off the window itself.  Its rows are scored one window each, with the last
 * action hidden.
 */
#include "learn/predictor.h"

#include <stdlib.h>
#include <string.h>

#include "learn/loss.h"

struct pass {
	const struct policy_net *net;
	const struct dataset *dataset;
	const struct predictor_options *options;
	struct metrics *metrics;
	void (*each)(void *context, size_t row, const double probability[POOL_ACTIONS]);
	void *context;
	bool hides;	/* the last action of each window */
	int64_t stride; /* rows scored by a window */
	struct arena arena;
	/* What waits to be run: windows of the same number of steps. */
	int64_t waiting, steps;
	size_t last[PREDICTOR_BATCH];    /* last row of each window */
	int64_t scored[PREDICTOR_BATCH]; /* rows scored by each, its last ones */
	/* Room for PREDICTOR_BATCH windows */
	float *states, *returns, *actions, *logits;
	int32_t *timesteps;
};

static int pass_init(struct pass *pass, struct error *error)
{
	const size_t steps = (size_t)(PREDICTOR_BATCH * pass->options->window);

	arena_init(&pass->arena);
	pass->states = calloc(steps * (size_t)pass->dataset->features, sizeof(float));
	pass->returns = calloc(steps, sizeof(float));
	pass->actions = calloc(steps, sizeof(float));
	pass->timesteps = calloc(steps, sizeof(int32_t));
	pass->logits = calloc(steps * POOL_ACTIONS, sizeof(float));
	if (pass->states && pass->returns && pass->actions && pass->timesteps && pass->logits)
		return 0;
	return error_set(error, ERR_NO_MEMORY, "%zu steps of context", steps);
}

static void pass_free(struct pass *pass)
{
	arena_free(&pass->arena);
	free(pass->states);
	free(pass->returns);
	free(pass->actions);
	free(pass->timesteps);
	free(pass->logits);
}

static size_t row_of(const struct pass *pass, int64_t window, int64_t step)
{
	return pass->last[window] -
	       (size_t)(pass->steps - 1 - step) * (size_t)pass->options->interval;
}

static void fill_step(struct pass *pass, size_t row, size_t at, bool last)
{
	const struct dataset *dataset = pass->dataset;
	const size_t features = (size_t)dataset->features;

	memcpy(pass->states + at * features, dataset->states + row * features,
	       features * sizeof(float));
	pass->returns[at] = pass->options->true_returns ? dataset->returns[row] : dataset->target;
	pass->actions[at] = last && pass->hides ? 0 : policy_action_input(dataset->labels[row]);
	pass->timesteps[at] = dataset_timestep(dataset, row, pass->options->interval);
}

static void take_row(struct pass *pass, size_t row, const float *logits)
{
	double probability[POOL_ACTIONS];

	softmax_row(logits, POOL_ACTIONS, probability);
	metrics_add(pass->metrics, pass->dataset->labels[row], probability,
		    (enum metrics_part)pass->dataset->parts[row]);
	if (pass->each)
		pass->each(pass->context, row, probability);
}

/* Runs what waits. */
static int flush(struct pass *pass, struct error *error)
{
	const struct policy_batch batch = {.batch = pass->waiting,
					   .steps = pass->steps,
					   .states = pass->states,
					   .returns = pass->returns,
					   .actions = pass->actions,
					   .timesteps = pass->timesteps};
	int status;

	if (pass->waiting == 0)
		return 0;
	for (int64_t w = 0; w < pass->waiting; w++)
		for (int64_t s = 0; s < pass->steps; s++)
			fill_step(pass, row_of(pass, w, s), (size_t)(w * pass->steps + s),
				  s + 1 == pass->steps);
	status = policy_net_forward(pass->net, &pass->arena, &batch, pass->logits, NULL, NULL,
				    error);
	for (int64_t w = 0; !status && w < pass->waiting; w++)
		for (int64_t s = pass->steps - pass->scored[w]; s < pass->steps; s++)
			take_row(pass, row_of(pass, w, s),
				 pass->logits + (w * pass->steps + s) * POOL_ACTIONS);
	pass->waiting = 0;
	arena_reset(&pass->arena);
	return status;
}

/* Queues a window that ends at `last` and scores `scored` rows. */
static int push(struct pass *pass, size_t last, int64_t scored, struct error *error)
{
	const size_t past = (last - pass->dataset->episode[last]) / pass->options->interval;
	const int64_t whole = pass->options->window, kept = whole - pass->stride;
	const int64_t most =
		pass->options->streamed && kept + scored < whole ? kept + scored : whole;
	const int64_t steps = (int64_t)past + 1 < most ? (int64_t)past + 1 : most;
	int status = 0;

	if (pass->waiting == PREDICTOR_BATCH || (pass->waiting && steps != pass->steps))
		status = flush(pass, error);
	pass->steps = steps;
	pass->last[pass->waiting] = last;
	pass->scored[pass->waiting] = scored;
	pass->waiting++;
	return status;
}

/*
 * Cuts [first, end) into runs of `stride` rows within an episode and pushes a
 * window for each.  With an interval above 1 neighbouring rows are not steps
 * of the same window, so each row is its own run.
 */
static int push_all(struct pass *pass, size_t first, size_t end, struct error *error)
{
	const uint32_t *episode = pass->dataset->episode;
	const size_t usual = pass->options->interval > 1 ? 1 : (size_t)pass->stride;
	const size_t limit = pass->options->limit;
	const size_t skip = limit && end - first > limit ? (end - first) / limit : 1;
	int status = 0;

	for (size_t row = first; !status && row < end;) {
		const bool begins =
			pass->options->streamed && !pass->hides && episode[row] == row;
		const size_t stride = begins ? (size_t)pass->options->window : usual;
		size_t run = 1;

		while (run < stride && row + run < end && episode[row + run] == episode[row])
			run++;
		status = push(pass, row + run - 1, (int64_t)run, error);
		row += run * skip;
	}
	return status ? status : flush(pass, error);
}

int predictor_run(const struct policy_net *net, const struct dataset *dataset, size_t first,
		  size_t end, const struct predictor_options *options, struct metrics *metrics,
		  void (*each)(void *context, size_t row, const double probability[POOL_ACTIONS]),
		  void *context, struct error *error)
{
	struct pass pass = {.net = net,
			    .dataset = dataset,
			    .options = options,
			    .metrics = metrics,
			    .each = each,
			    .context = context,
			    .hides = backbone_sees_both_ways(net->backbone),
			    .stride = options->stride};
	int status;

	if (options->stride < 1 || options->stride > options->window || options->interval < 1)
		return error_set(error, ERR_RANGE, "a stride of %lld in a window of %lld steps",
				 (long long)options->stride, (long long)options->window);
	if (pass.hides)
		pass.stride = 1;
	status = pass_init(&pass, error);
	if (!status)
		status = push_all(&pass, first, end, error);
	pass_free(&pass);
	return status;
}
