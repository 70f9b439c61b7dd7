/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/critic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/adamw.h"
#include "learn/moments.h"
#include "learn/schedule.h"

#define CLIP 1.0
#define HIDDEN 2

static void shape_of(struct aqm_student_model *shape, int inputs, int width)
{
	*shape = (struct aqm_student_model){.kind = AQM_STUDENT_net, .inputs = (uint8_t)inputs,
					    .outputs = 1, .layers = HIDDEN + 1};
	for (int l = 0; l <= HIDDEN; l++)
		shape->layer[l] = (struct aqm_student_layer){
			.kind = AQM_STUDENT_dense,
			.activation = l < HIDDEN ? AQM_STUDENT_relu : AQM_STUDENT_linear,
			.inputs = (uint16_t)(l ? width : inputs),
			.outputs = (uint16_t)(l < HIDDEN ? width : 1)};
}

/* Column `column` of the pool as input `at`; one that never changes is 0.  `seen` (rows): room. */
static void read_column(struct critic *critic, const struct pool *pool, size_t column, size_t at,
			size_t cut, float *seen)
{
	struct moments moments;
	double deviation;

	for (size_t row = 0; row < pool->rows; row++) {
		const double x = pool->state[row * pool->features + column];

		seen[row] = (float)copysign(log2(1 + fabs(x)), x);
	}
	moments = moments_of(seen, NULL, cut);
	deviation = sqrt(moments.variance);
	for (size_t row = 0; row < pool->rows; row++)
		critic->input[row * critic->shape.inputs + at] =
			deviation > 1e-6 ? (float)(((double)seen[row] - moments.mean) / deviation)
					 : 0;
}

int critic_open(struct critic *critic, const struct pool *pool, size_t cut, int width,
		struct rng *rng, struct error *error)
{
	const int law = pool_feature(pool, POOL_LAW_COLUMN);
	const size_t inputs = pool->features - (law >= 0);
	float *seen = calloc(pool->rows + 1, sizeof(*seen));
	size_t at = 0;

	*critic = (struct critic){.rows = pool->rows};
	shape_of(&critic->shape, (int)inputs, width);
	critic->theta = calloc(student_float_count(&critic->shape), sizeof(*critic->theta));
	critic->input = calloc(pool->rows * inputs + 1, sizeof(*critic->input));
	if (!critic->theta || !critic->input || !seen) {
		free(seen);
		return error_set(error, ERR_NO_MEMORY, "a critic of %zu rows", pool->rows);
	}
	for (size_t column = 0; column < pool->features; column++)
		if ((int)column != law)
			read_column(critic, pool, column, at++, cut, seen);
	student_float_init(&critic->shape, critic->theta, rng);
	free(seen);
	return 0;
}

void critic_free(struct critic *critic)
{
	free(critic->theta);
	free(critic->input);
	*critic = (struct critic){0};
}

/* What returns are measured in, from the first ones on. */
static void learn_size(struct critic *critic, const float *returned, size_t cut)
{
	const struct moments moments = moments_of(returned, NULL, cut);

	critic->mean = moments.mean;
	critic->deviation = fmax(sqrt(moments.variance), 1e-9);
}

/* Adds a row's share of the gradient; returns its squared error. */
static double row_add(const struct critic *critic, size_t row, float target, float share,
		      float *gradient)
{
	struct student_float_state state = {0}, d_state = {0};
	struct student_float_tape tape;
	float answer[AQM_STUDENT_OUTPUTS], d[AQM_STUDENT_OUTPUTS] = {0};
	float input[AQM_STUDENT_INPUTS];

	memcpy(input, critic->input + row * critic->shape.inputs,
	       critic->shape.inputs * sizeof(*input));
	student_float_forward(&critic->shape, critic->theta, &state, input, answer, &tape);
	d[0] = share * (answer[0] - target);
	student_float_backward(&critic->shape, critic->theta, &tape, d, &d_state, gradient);
	return pow((double)(answer[0] - target), 2);
}

static int fit_run(struct critic *critic, const float *returned, size_t cut,
		   const struct critic_options *options, struct rng *rng,
		   const struct backbone_param *param, struct adamw *adamw, struct error *error)
{
	const struct schedule schedule = {.peak_rate = options->rate,
					  .warmup_steps = options->updates / 20,
					  .total_steps = options->updates,
					  .decay = SCHEDULE_COSINE};

	for (uint64_t u = 0; u < options->updates; u++) {
		double loss = 0;

		for (int64_t b = 0; b < options->batch; b++) {
			const size_t row = (size_t)rng_below(rng, cut);
			const double target =
				((double)returned[row] - critic->mean) / critic->deviation;

			loss += row_add(critic, row, (float)target, 1 / (float)options->batch,
					param->gradient);
		}
		if (!isfinite(loss))
			return error_set(error, ERR_FAILED, "the critic's loss is not a number "
					 "any more; choose a smaller --lr");
		adamw_step(adamw, param, 1, schedule_rate(&schedule, u),
			   gradients_clip_scale(gradients_norm(param, 1), CLIP));
		if (options->progress && options->progress(options->context, u + 1))
			return error_set(error, ERR_INTERRUPTED, "interrupted");
	}
	return 0;
}

int critic_fit(struct critic *critic, const float *returned, size_t cut,
	       const struct critic_options *options, struct rng *rng, struct error *error)
{
	const size_t count = student_float_count(&critic->shape);
	struct backbone_param param = {.name = "critic", .value = critic->theta,
				       .count = (int64_t)count,
				       .gradient = calloc(count, sizeof(float))};
	struct adamw adamw = {0};
	int status = param.gradient ? adamw_init(&adamw, &adamw_defaults, &param, 1, error)
				    : error_set(error, ERR_NO_MEMORY, "gradients");

	if (critic->deviation == 0)
		learn_size(critic, returned, cut);
	if (!status)
		status = fit_run(critic, returned, cut, options, rng, &param, &adamw, error);
	adamw_free(&adamw);
	free(param.gradient);
	return status;
}

void critic_values(const struct critic *critic, float *value)
{
	for (size_t row = 0; row < critic->rows; row++) {
		struct student_float_state state = {0};
		float input[AQM_STUDENT_INPUTS], answer[AQM_STUDENT_OUTPUTS];

		memcpy(input, critic->input + row * critic->shape.inputs,
		       critic->shape.inputs * sizeof(*input));
		student_float_forward(&critic->shape, critic->theta, &state, input, answer, NULL);
		value[row] = (float)(critic->mean + critic->deviation * (double)answer[0]);
	}
}
