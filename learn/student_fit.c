/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward over a whole batch, loss, then backward, step by step from the end of
 * each sequence: the correlations need all answers before the first gradient.
 * Nets without memory read steps drawn one by one, so that a batch has as many
 * different states as it can.
 */
#include "learn/student_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/adamw.h"
#include "learn/output_loss.h"
#include "learn/schedule.h"

#define LN_2 0.6931471805599453
#define CLIP 1.0

struct fit {
	const struct aqm_student_model *shape;
	const struct visits *visits;
	const struct visits_part *part;
	const struct student_fit_options *options;
	float *theta;
	int width;    /* outputs */
	float factor; /* of outputs that makes them what the loss is of */
	bool remembers;
	int64_t length;	   /* steps that are read in order: a segment, or 1 */
	int64_t sequences; /* of a batch */
	struct arena arena;
	struct student_float_tape *tapes; /* (rows) */
	int64_t *first;			  /* (sequences): step where each begins */
	int64_t *learned;		  /* (rows): which of the batch's rows count */
	int64_t learned_rows;
	float *answer, *target, *d_answer; /* (rows, width): those that count, in order */
};

bool student_fit_remembers(const struct aqm_student_model *shape)
{
	for (int l = 0; l < shape->layers; l++)
		if (shape->layer[l].kind == AQM_STUDENT_gates ||
		    shape->layer[l].kind == AQM_STUDENT_attention)
			return true;
	return false;
}

static int fit_allocate(struct fit *fit, struct error *error)
{
	const size_t rows = (size_t)(fit->sequences * fit->length);
	const size_t cells = rows * (size_t)fit->width;

	fit->tapes = malloc(rows * sizeof(*fit->tapes));
	fit->first = calloc((size_t)fit->sequences, sizeof(*fit->first));
	fit->learned = calloc(rows, sizeof(*fit->learned));
	fit->answer = calloc(cells, sizeof(float));
	fit->target = calloc(cells, sizeof(float));
	fit->d_answer = calloc(cells, sizeof(float));
	if (fit->tapes && fit->first && fit->learned && fit->answer && fit->target &&
	    fit->d_answer)
		return 0;
	return error_set(error, ERR_NO_MEMORY, "a batch of %zu states", rows);
}

static void fit_free(struct fit *fit)
{
	free(fit->tapes);
	free(fit->first);
	free(fit->learned);
	free(fit->answer);
	free(fit->target);
	free(fit->d_answer);
	arena_free(&fit->arena);
}

static bool counts(const struct fit *fit, const float *target, int64_t step)
{
	return visits_asked(target) && (!fit->remembers || step >= STUDENT_FIT_BURN_IN);
}

/* Sequence `s` of the batch forward; rows that count are lined up. */
static void sequence_forward(struct fit *fit, int64_t s)
{
	struct student_float_state state = {0};

	for (int64_t step = 0; step < fit->length; step++) {
		const int64_t row = fit->first[s] + step, at = s * fit->length + step;
		const float *target = fit->part->target + row * fit->width;
		float input[AQM_STUDENT_INPUTS], output[AQM_STUDENT_OUTPUTS];

		student_float_inputs(fit->shape, fit->part->seen + row * fit->visits->features,
				     input);
		student_float_forward(fit->shape, fit->theta, &state, input, output,
				      &fit->tapes[at]);
		fit->learned[at] = -1;
		if (!counts(fit, target, step))
			continue;
		fit->learned[at] = fit->learned_rows;
		memcpy(fit->target + fit->learned_rows * fit->width, target,
		       (size_t)fit->width * sizeof(float));
		for (int c = 0; c < fit->width; c++)
			fit->answer[fit->learned_rows * fit->width + c] = fit->factor * output[c];
		fit->learned_rows++;
	}
}

static void sequence_backward(const struct fit *fit, int64_t s, float *gradient)
{
	struct student_float_state d_hidden = {0};

	for (int64_t step = fit->length - 1; step >= 0; step--) {
		const int64_t at = s * fit->length + step, row = fit->learned[at];
		const float *weight = fit->options->weight;
		const float factor = fit->factor * (weight ? weight[fit->first[s] + step] : 1);
		float d_output[AQM_STUDENT_OUTPUTS] = {0};

		if (row < 0 && !fit->remembers)
			continue;
		for (int c = 0; c < fit->width && row >= 0; c++)
			d_output[c] = factor * fit->d_answer[row * fit->width + c];
		student_float_backward(fit->shape, fit->theta, &fit->tapes[at], d_output,
				       &d_hidden, gradient);
	}
}

static int batch_loss(struct fit *fit, struct distill_terms *terms)
{
	const struct distill_loss *loss = &fit->options->loss;

	if (fit->shape->mode != AQM_STUDENT_verdict)
		return output_loss(loss->correlation, &fit->arena, fit->answer, fit->target,
				   fit->learned_rows, fit->width, terms, fit->d_answer);
	return distill_loss(loss, &fit->arena, fit->answer, fit->target, fit->learned_rows,
			    fit->width, terms, fit->d_answer);
}

/* Gradient of one drawn batch. */
static int fit_batch(struct fit *fit, struct rng *rng, float *gradient, struct distill_terms *terms,
		     struct error *error)
{
	int status;

	fit->learned_rows = 0;
	for (int64_t s = 0; s < fit->sequences; s++) {
		const uint64_t places = (uint64_t)(fit->part->segments * VISITS_SEGMENT /
						   fit->length);

		fit->first[s] = (int64_t)rng_below(rng, places) * fit->length;
		sequence_forward(fit, s);
	}
	arena_reset(&fit->arena);
	status = batch_loss(fit, terms);
	if (status)
		return error_set(error, status, "out of memory for a loss");
	if (!isfinite(terms->plain + terms->correlation))
		return error_set(error, ERR_FAILED,
				 "the loss is not a number any more; choose a smaller --lr");
	for (int64_t s = 0; s < fit->sequences; s++)
		sequence_backward(fit, s, gradient);
	return 0;
}

static int fit_run(struct fit *fit, struct rng *rng, const struct backbone_param *param,
		   struct adamw *adamw, struct distill_terms *mean, struct error *error)
{
	const uint64_t updates = fit->options->updates, last = (updates + 9) / 10;
	const struct schedule schedule = {.peak_rate = fit->options->rate,
					  .warmup_steps = updates / 20,
					  .total_steps = updates,
					  .decay = SCHEDULE_COSINE};
	struct distill_terms terms;

	*mean = (struct distill_terms){0};
	for (uint64_t u = 0; u < updates; u++) {
		const int status = fit_batch(fit, rng, param->gradient, &terms, error);

		if (status)
			return status;
		adamw_step(adamw, param, 1, schedule_rate(&schedule, u),
			   gradients_clip_scale(gradients_norm(param, 1), CLIP));
		if (updates - u <= last) {
			mean->plain += terms.plain / (double)last;
			mean->correlation += terms.correlation / (double)last;
		}
		if (fit->options->progress &&
		    fit->options->progress(fit->options->context, u + 1, &terms))
			return error_set(error, ERR_INTERRUPTED, "interrupted");
	}
	return 0;
}

int student_fit(const struct aqm_student_model *shape, float *theta, const struct visits *visits,
		const struct visits_part *part, const struct student_fit_options *options,
		struct rng *rng, struct distill_terms *terms, struct error *error)
{
	const struct adamw_options adam = {
		.weight_decay = 0, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
	struct backbone_param param = {.name = "theta",
				       .value = theta,
				       .count = (int64_t)student_float_count(shape)};
	struct fit fit = {.shape = shape, .visits = visits, .part = part, .options = options,
			  .theta = theta, .width = visits->outputs,
			  .factor = shape->mode == AQM_STUDENT_verdict ? (float)LN_2 : 1,
			  .remembers = student_fit_remembers(shape)};
	struct adamw adamw = {0};
	int status;

	fit.length = fit.remembers ? VISITS_SEGMENT : 1;
	fit.sequences = options->batch * VISITS_SEGMENT / fit.length;
	if (part->segments == 0)
		return error_set(error, ERR_INVALID,
				 "no segment of %d visited states: longer runs, or a smaller "
				 "--interval, visit more", VISITS_SEGMENT);
	arena_init(&fit.arena);
	param.gradient = calloc((size_t)param.count, sizeof(float));
	status = param.gradient ? fit_allocate(&fit, error)
				: error_set(error, ERR_NO_MEMORY, "gradients");
	if (!status)
		status = adamw_init(&adamw, &adam, &param, 1, error);
	if (!status)
		status = fit_run(&fit, rng, &param, &adamw, terms, error);
	adamw_free(&adamw);
	free(param.gradient);
	fit_free(&fit);
	return status;
}
