/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The twin's gradients against differences, and its outputs beside the integer net's.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/student_float.h"

static const char *const layers[] = {"", "32,32", "tanh24", "gru16", "gru12,16", "8,gru6,gru4",
				     "transformer16", "gru6,transformer8:3", "transformer10:5,12"};

#define LAYERS (sizeof(layers) / sizeof(layers[0]))
#define STEPS 5

static void make(struct aqm_student_model *shape, enum aqm_student_mode mode, const char *text,
		 float *theta, struct rng *rng)
{
	assert_int_equal(student_model_shape(shape, mode, text, NULL, 0, NULL), 0);
	student_float_init(shape, theta, rng);
	/* The last layer too, and biases. */
	for (size_t i = 0; i < student_float_count(shape); i++)
		theta[i] += (float)(0.1 * rng_normal(rng));
}

static void draw_features(struct rng *rng, int16_t features[AQM_STUDENT_FEATURE_COUNT])
{
	for (int i = 0; i < AQM_STUDENT_FEATURE_COUNT; i++) {
		const struct student_feature_info *info = student_feature(i);

		features[i] = (int16_t)(256 * (info->offset + rng_normal(rng) / info->scale));
	}
}

/* Loss: a fixed random weighting of all outputs of all steps. */
static double loss_of(const struct aqm_student_model *shape, const float *theta,
		      float inputs[STEPS][AQM_STUDENT_INPUTS],
		      float weighting[STEPS][AQM_STUDENT_OUTPUTS], struct student_float_tape *tapes)
{
	struct student_float_state state = {0};
	double loss = 0;

	for (int step = 0; step < STEPS; step++) {
		float out[AQM_STUDENT_OUTPUTS];

		student_float_forward(shape, theta, &state, inputs[step], out, &tapes[step]);
		for (int i = 0; i < shape->outputs; i++)
			loss += (double)weighting[step][i] * out[i];
	}
	return loss;
}

static void check_gradient(const char *text, struct rng *rng)
{
	static struct student_float_tape tapes[STEPS], other[STEPS];
	static float theta[16384], gradient[16384];
	float inputs[STEPS][AQM_STUDENT_INPUTS], weighting[STEPS][AQM_STUDENT_OUTPUTS];
	struct student_float_state d_hidden = {0};
	struct aqm_student_model shape;
	size_t wrong = 0, checked = 0;

	make(&shape, AQM_STUDENT_supervise, text, theta, rng);
	for (int step = 0; step < STEPS; step++) {
		for (int i = 0; i < shape.inputs; i++)
			inputs[step][i] = (float)(0.5 * rng_normal(rng));
		for (int i = 0; i < shape.outputs; i++)
			weighting[step][i] = (float)rng_normal(rng);
	}
	memset(gradient, 0, sizeof(gradient));
	loss_of(&shape, theta, inputs, weighting, tapes);
	for (int step = STEPS - 1; step >= 0; step--)
		student_float_backward(&shape, theta, &tapes[step], weighting[step], &d_hidden,
				       gradient);
	for (size_t i = 0; i < student_float_count(&shape); i += 7, checked++) {
		const float was = theta[i], width = 2e-3f;
		double above, below;

		theta[i] = was + width;
		above = loss_of(&shape, theta, inputs, weighting, other);
		theta[i] = was - width;
		below = loss_of(&shape, theta, inputs, weighting, other);
		theta[i] = was;
		wrong += fabs((above - below) / (2 * width) - gradient[i]) >
			 0.02 * (1 + fabs(gradient[i]));
	}
	/* A kink of relu may lie between. */
	assert_true(checked > 10 && wrong <= checked / 50);
}

static void gradients_are_those_of_differences(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (size_t i = 0; i < LAYERS; i++)
		check_gradient(layers[i], &rng);
}

/* A net that starts says nothing: DualPI2, or even chances. */
static void a_new_net_says_nothing(void **state)
{
	static float theta[16384];
	struct student_float_state memory = {0};
	int16_t features[AQM_STUDENT_FEATURE_COUNT];
	float in[AQM_STUDENT_INPUTS], out[AQM_STUDENT_OUTPUTS];
	struct aqm_student_model shape;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 6);
	for (size_t i = 0; i < LAYERS; i++) {
		assert_int_equal(
			student_model_shape(&shape, AQM_STUDENT_supervise, layers[i], NULL, 0,
					    NULL),
			0);
		student_float_init(&shape, theta, &rng);
		draw_features(&rng, features);
		student_float_inputs(&shape, features, in);
		student_float_forward(&shape, theta, &memory, in, out, NULL);
		for (int j = 0; j < shape.outputs; j++)
			assert_true(out[j] == 0);
	}
}

static int by_size(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

#define SAMPLES 2000

/* Probabilities of the integer net beside those of its original, over a walk of states. */
static void integers_stand_for_the_original(void **state)
{
	static float theta[16384];
	static double off[SAMPLES];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (size_t i = 0; i < LAYERS; i++) {
		struct student_float_state memory = {0};
		struct aqm_student_state hidden = {0};
		struct aqm_student_model model;
		double mean = 0;

		make(&model, AQM_STUDENT_verdict, layers[i], theta, &rng);
		assert_int_equal(student_float_quantise(&model, theta, &model, NULL), 0);
		for (int sample = 0; sample < SAMPLES; sample++) {
			int16_t features[AQM_STUDENT_FEATURE_COUNT], out[AQM_STUDENT_OUTPUTS];
			float in[AQM_STUDENT_INPUTS], exact[AQM_STUDENT_OUTPUTS];
			double p[3], q[3];

			draw_features(&rng, features);
			student_float_inputs(&model, features, in);
			student_float_forward(&model, theta, &memory, in, exact, NULL);
			aqm_student_run(&model, &hidden, features, out);
			student_float_probabilities(exact, p);
			student_probabilities(out, q);
			off[sample] = fmax(fabs(p[0] - q[0]),
					   fmax(fabs(p[1] - q[1]), fabs(p[2] - q[2])));
			mean += off[sample] / SAMPLES;
		}
		qsort(off, SAMPLES, sizeof(off[0]), by_size);
		print_message("%-12s mean %.5f p99 %.5f\n", layers[i], mean,
			      off[SAMPLES * 99 / 100]);
		assert_true(mean <= 0.005 && off[SAMPLES * 99 / 100] <= 0.02);
	}
}

static void a_model_turns_into_theta_and_back(void **state)
{
	static float theta[16384], back[16384];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 8);
	for (size_t i = 0; i < LAYERS; i++) {
		struct aqm_student_model model, again;

		make(&model, AQM_STUDENT_supervise, layers[i], theta, &rng);
		assert_int_equal(student_float_quantise(&model, theta, &model, NULL), 0);
		student_float_from_model(&model, back);
		for (size_t j = 0; j < student_float_count(&model); j++)
			assert_true(fabsf(back[j] - theta[j]) < 0.01f);
		assert_int_equal(student_float_quantise(&model, back, &again, NULL), 0);
		student_float_from_model(&again, theta);
		assert_memory_equal(theta, back, student_float_count(&model) * sizeof(float));
	}
	theta[3] = NAN;
	{
		struct aqm_student_model model;

		assert_int_equal(
			student_model_shape(&model, AQM_STUDENT_supervise, "4", NULL, 0, NULL), 0);
		assert_int_equal(student_float_quantise(&model, theta, &model, NULL), ERR_RANGE);
	}
}

static void probabilities_come_back_from_what_is_said_of_them(void **state)
{
	static const double certain[3] = {1, 0, 0}, all[][3] = {
		{0.5, 0.25, 0.25}, {0.98, 0.015, 0.005}, {0.9999, 0.0001, 0}, {0, 0.3, 0.7}};
	double back[3];
	int16_t said[3];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (int v = 0; v < 3; v++)
			said[v] = student_output_of(all[i][v]);
		student_probabilities(said, back);
		/* Powers of two are 0.4 % off, and nothing is below 2^-16. */
		for (int v = 0; v < 3; v++)
			assert_true(fabs(back[v] - all[i][v]) < 0.008 * all[i][v] + 0x1p-15);
	}
	for (int v = 0; v < 3; v++)
		said[v] = student_output_of(certain[v]);
	student_probabilities(said, back);
	assert_true(back[0] > 1 - 0x1p-14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_are_those_of_differences),
		cmocka_unit_test(a_new_net_says_nothing),
		cmocka_unit_test(integers_stand_for_the_original),
		cmocka_unit_test(a_model_turns_into_theta_and_back),
		cmocka_unit_test(probabilities_come_back_from_what_is_said_of_them),
	};

	return cmocka_run_group_tests_name("student float", tests, NULL, NULL);
}
