/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The released trainer's loop body: loss / accumulate, backward, clipping, and
 * every `accumulate` micro-batches AdamW and the schedule.  It clips the sum
 * so far after every micro-batch; clipping once, just before the update, is
 * the default here, for then all micro-batches of a step count alike.
 */
#include "learn/learner.h"

#include <math.h>
#include <string.h>

#include "learn/loss.h"

int learner_init(struct learner *learner, const struct learner_options *options,
		 struct policy_net *net, struct error *error)
{
	memset(learner, 0, sizeof(*learner));
	learner->options = *options;
	learner->net = net;
	learner->share = 1;
	arena_init(&learner->arena);
	gradients_zero(net->params, net->count);
	return adamw_init(&learner->adamw, &options->adamw, net->params, net->count, error);
}

void learner_free(struct learner *learner)
{
	adamw_free(&learner->adamw);
	arena_free(&learner->arena);
	memset(learner, 0, sizeof(*learner));
}

void learner_apply(const struct learner *learner)
{
	const struct learner_disguise *disguise = learner->options.disguise;

	if (disguise)
		disguise->apply(disguise->context);
}

void learner_undo(const struct learner *learner)
{
	const struct learner_disguise *disguise = learner->options.disguise;

	if (disguise)
		disguise->undo(disguise->context);
}

/* The teacher's probabilities (rows, POOL_ACTIONS) for a batch, in the learner's arena. */
static int teacher_targets(struct learner *learner, const struct policy_batch *batch,
			   double **target, struct error *error)
{
	const size_t count = (size_t)(batch->batch * batch->steps * POOL_ACTIONS);
	float *logits = arena_alloc(&learner->arena, count * sizeof(*logits));
	int status;

	*target = arena_alloc(&learner->arena, count * sizeof(**target));
	if (!logits || !*target)
		return error_set(error, ERR_NO_MEMORY, "a teacher's answers");
	status = policy_net_forward(learner->options.teacher, &learner->arena, batch, logits, NULL,
				    NULL, error);
	for (size_t i = 0; i < count && !status; i += POOL_ACTIONS)
		softmax_row(logits + i, POOL_ACTIONS, *target + i);
	return status;
}

int learner_accumulate(struct learner *learner, const struct policy_batch *batch,
		       const int32_t *labels, const float *weights, struct rng *dropout,
		       float *logits, double *loss, struct error *error)
{
	const int64_t rows = batch->batch * batch->steps;
	struct policy_net *net = learner->net;
	struct policy_tape *tape;
	double *target = NULL;
	float *d_logits;
	int status;

	if (arena_reserve(&learner->arena, learner->arena_bytes))
		return error_set(error, ERR_NO_MEMORY, "activations of a micro-batch");
	d_logits = arena_alloc(&learner->arena, (size_t)(rows * POOL_ACTIONS) * sizeof(float));
	if (!d_logits)
		return error_set(error, ERR_NO_MEMORY, "gradients of the logits");
	if (learner->options.teacher) {
		status = teacher_targets(learner, batch, &target, error);
		if (status)
			return status;
	}
	learner_apply(learner);
	status = policy_net_forward(net, &learner->arena, batch, logits, &tape, dropout, error);
	if (!status) {
		const double scale = learner->share / (double)learner->options.accumulate;

		*loss = target ? cross_entropy_soft(logits, target, rows, POOL_ACTIONS, weights,
						    scale, d_logits)
			       : cross_entropy(logits, labels, rows, POOL_ACTIONS, weights, scale,
					       d_logits);
		if (!isfinite(*loss))
			status = error_set(
				error, ERR_FAILED,
				"the loss is not a number any more; choose a smaller --lr");
	}
	if (!status)
		status = policy_net_backward(net, &learner->arena, tape, d_logits, error);
	learner_undo(learner);
	if (!status && learner->options.clip_each)
		learner->grad_norm = gradients_clip(net->params, net->count, learner->options.clip);
	arena_reset(&learner->arena);
	return status;
}

double learner_step(struct learner *learner)
{
	struct policy_net *net = learner->net;
	const double rate = schedule_rate(&learner->options.schedule, learner->adamw.steps);
	float scale = 1;

	if (!learner->options.clip_each) {
		learner->grad_norm = gradients_norm(net->params, net->count);
		scale = gradients_clip_scale(learner->grad_norm, learner->options.clip);
	}
	adamw_step(&learner->adamw, net->params, net->count, rate, scale);
	return rate;
}
