/* SPDX-License-Identifier: BSD-2-Clause */
#include "aqm/student_vector.h"

#define AQM_STUDENT_NET aqm_student_net_vector
#include "learn/student_imitation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "learn/adamw.h"
#include "learn/schedule.h"
#include "learn/student_float.h"

#define LN2 0.69314718f
#define CLIP 1.0
#define TIMED_TOGETHER 16 /* decisions between two looks at the clock */

struct training {
	const struct aqm_student_model *shape;
	const struct imitation_steps *steps;
	const struct imitation_options *options;
	struct backbone_param theta; /* value and gradient are owned */
	struct adamw adamw;
	struct student_float_tape *tapes; /* (IMITATION_SEGMENT) */
	struct rng rng;
};

/* Loss' derivatives by the outputs: probabilities are 2^output, normalised. */
static void d_outputs(const float *output, const float target[3], float scale, float *d)
{
	double probability[3];

	student_float_probabilities(output, probability);
	for (int v = 0; v < 3; v++)
		d[v] = scale * LN2 * ((float)probability[v] - target[v]);
}

/* Adds a segment's gradient, as its share of `scale`. */
static void segment_add(struct training *t, size_t first, float scale)
{
	struct student_float_state state = {0}, d_hidden = {0};
	float d[IMITATION_SEGMENT][AQM_STUDENT_OUTPUTS] = {0};

	for (int s = 0; s < IMITATION_SEGMENT; s++) {
		float input[AQM_STUDENT_INPUTS], output[AQM_STUDENT_OUTPUTS];

		student_float_inputs(t->shape, t->steps->seen[first + (size_t)s], input);
		student_float_forward(t->shape, t->theta.value, &state, input, output,
				      &t->tapes[s]);
		d_outputs(output, t->steps->target[first + (size_t)s],
			  scale / IMITATION_SEGMENT, d[s]);
	}
	for (int s = IMITATION_SEGMENT - 1; s >= 0; s--)
		student_float_backward(t->shape, t->theta.value, &t->tapes[s], d[s], &d_hidden,
				       t->theta.gradient);
}

static void train(struct training *t)
{
	const struct imitation_options *o = t->options;
	const uint64_t steps = o->epochs * ((o->segments + o->batch - 1) / o->batch);
	const struct schedule schedule = {.peak_rate = o->rate, .warmup_steps = steps / 10,
					  .total_steps = steps, .decay = SCHEDULE_COSINE};
	const size_t places = t->steps->cut - IMITATION_SEGMENT;

	for (uint64_t step = 0; step < steps; step++) {
		float scale;

		for (uint64_t b = 0; b < o->batch; b++)
			segment_add(t, (size_t)rng_below(&t->rng, places), 1 / (float)o->batch);
		scale = gradients_clip_scale(gradients_norm(&t->theta, 1), CLIP);
		adamw_step(&t->adamw, &t->theta, 1, schedule_rate(&schedule, step), scale);
	}
}

static int training_open(struct training *t, struct error *error)
{
	const size_t count = student_float_count(t->shape);

	t->theta = (struct backbone_param){.name = "theta", .dims = 1, .shape = {(int64_t)count},
					   .count = (int64_t)count,
					   .value = calloc(count, sizeof(float)),
					   .gradient = calloc(count, sizeof(float))};
	t->tapes = calloc(IMITATION_SEGMENT, sizeof(*t->tapes));
	if (!t->theta.value || !t->theta.gradient || !t->tapes)
		return error_set(error, ERR_NO_MEMORY, "a student of %zu weights", count);
	rng_seed(&t->rng, t->options->seed);
	student_float_init(t->shape, t->theta.value, &t->rng);
	return adamw_init(&t->adamw, &adamw_defaults, &t->theta, 1, error);
}

int student_imitate(struct aqm_student_model *model, const struct imitation_steps *steps,
		    const struct imitation_options *options, struct error *error)
{
	struct training t = {.shape = model, .steps = steps, .options = options};
	int status;

	if (steps->cut <= IMITATION_SEGMENT)
		return error_set(error, ERR_RANGE, "%zu packets to learn from; more than %d are "
				 "needed", steps->cut, IMITATION_SEGMENT);
	status = training_open(&t, error);
	if (!status) {
		train(&t);
		status = student_float_quantise(model, t.theta.value, model, error);
	}
	adamw_free(&t.adamw);
	free(t.theta.value);
	free(t.theta.gradient);
	free(t.tapes);
	return status;
}

double student_imitation_loss(const struct aqm_student_model *model,
			      const struct imitation_steps *steps, size_t first, size_t end)
{
	struct aqm_student_state state = {0};
	double sum = 0;

	for (size_t s = first; s < end; s++) {
		int16_t output[AQM_STUDENT_OUTPUTS];
		double probability[3];

		aqm_student_run(model, &state, steps->seen[s], output);
		student_probabilities(output, probability);
		for (int v = 0; v < 3; v++)
			if (steps->target[s][v] > 0)
				sum -= (double)steps->target[s][v] *
				       log(fmax(probability[v], 1e-15));
	}
	return sum / (double)(end - first);
}

double student_imitation_entropy(const struct imitation_steps *steps, size_t first, size_t end)
{
	double sum = 0;

	for (size_t s = first; s < end; s++)
		for (int v = 0; v < 3; v++)
			if (steps->target[s][v] > 0)
				sum -= (double)steps->target[s][v] *
				       log((double)steps->target[s][v]);
	return sum / (double)(end - first);
}

double student_operations(const struct aqm_student_model *model)
{
	double sum = model->inputs;

	for (int l = 0; l < model->layers; l++)
		sum += (double)model->layer[l].inputs * model->layer[l].outputs;
	return sum;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double student_decision_ns(const struct aqm_student_model *model,
			   const struct imitation_steps *steps, size_t decisions)
{
	const size_t looks = decisions / TIMED_TOGETHER + 1;
	double *ns = calloc(looks, sizeof(*ns)), median = NAN;
	struct aqm_student_state state = {0};
	size_t at = 0;

	for (size_t l = 0; ns && l < looks; l++) {
		const double start_s = clock_s();

		for (int i = 0; i < TIMED_TOGETHER; i++) {
			int16_t output[AQM_STUDENT_OUTPUTS];

			aqm_student_run(model, &state, steps->seen[at++ % steps->count], output);
		}
		ns[l] = (clock_s() - start_s) * 1e9 / TIMED_TOGETHER;
	}
	if (ns) {
		qsort(ns, looks, sizeof(*ns), compare);
		median = ns[looks / 2];
	}
	free(ns);
	return median;
}
