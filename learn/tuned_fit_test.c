/* SPDX-License-Identifier: BSD-2-Clause */
/* What two networks are told is learned and told apart, on any number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "learn/tuned_fit.h"
#include "learn/student_float.h"

static const struct rollout_law law = {"student", NULL};

static void make_network(struct scenario *scenario, double rate_mbps, double delay_ms)
{
	scenario_init(scenario);
	scenario->rate_mbps = rate_mbps;
	scenario->delay_ms = delay_ms;
	scenario->duration_s = 12;
	scenario->warmup_s = 1;
	strcpy(scenario->aqm, "dualpi2");
	strcpy(scenario->groups[0].cc, "cubic");
	scenario->groups[0].count = 1;
	scenario->groups[0].ecn = ENDPOINT_ECN_CLASSIC;
	scenario->group_count = 1;
}

static void make_shape(struct aqm_student_model *shape, const char *layers)
{
	assert_int_equal(student_model_shape(shape, AQM_STUDENT_supervise, layers, NULL, 0, NULL),
			 0);
}

static float *first_theta(const struct aqm_student_model *shape)
{
	float *theta = calloc(student_float_count(shape), sizeof(*theta));
	struct rng rng;

	rng_seed(&rng, 4);
	student_float_init(shape, theta, &rng);
	return theta;
}

static int fit(const struct aqm_student_model *shape, float *theta, unsigned threads,
	       struct tuned_fit *told)
{
	static struct scenario networks[2];
	struct tuned_label labels[2] = {{.scenario = &networks[0]},
					    {.scenario = &networks[1]}};
	const struct rollout_crew crew = {.threads = threads, .ranks = {0, 1}};

	make_network(&networks[0], 5, 5);
	make_network(&networks[1], 40, 20);
	labels[0].output[AQM_STUDENT_SETTING_target] = 1;
	labels[1].output[AQM_STUDENT_SETTING_target] = -2;
	labels[1].output[AQM_STUDENT_SETTING_k] = 0.5;
	return tuned_fit(shape, theta, labels, 2, &law, 9, &crew, told, NULL);
}

static void networks_are_told_apart(void **state)
{
	static struct aqm_student_model shape;
	struct tuned_fit told, again;
	float *theta, *other;
	size_t bytes;

	(void)state;
	make_shape(&shape, "8");
	bytes = student_float_count(&shape) * sizeof(float);
	theta = first_theta(&shape);
	other = first_theta(&shape);
	assert_int_equal(fit(&shape, theta, 1, &told), 0);
	assert_true(told.rows > 100 && told.spread > 0.5);
	assert_true(told.error < 0.3 * told.spread);
	assert_int_equal(fit(&shape, other, 3, &again), 0);
	assert_memory_equal(theta, other, bytes);
	assert_int_equal(again.rows, told.rows);
	free(theta);
	free(other);
}

static void own_outputs_are_not_listened_to(void **state)
{
	static struct aqm_student_model shape;
	struct tuned_fit told;
	float *theta;
	int own = 0;

	(void)state;
	make_shape(&shape, "8");
	theta = first_theta(&shape);
	assert_int_equal(fit(&shape, theta, 1, &told), 0);
	for (int row = 0; row < 8; row++)
		for (int i = 0; i < shape.inputs; i++)
			if (shape.feature[i] >= AQM_STUDENT_FIRST_OWN) {
				assert_true(theta[row * shape.inputs + i] == 0);
				own++;
			}
	assert_int_equal(own, 8 * (AQM_STUDENT_FEATURE_COUNT - AQM_STUDENT_FIRST_OWN));
	free(theta);
}

static void cells_are_refused(void **state)
{
	static struct aqm_student_model shape;
	struct tuned_fit told;
	float *theta;

	(void)state;
	make_shape(&shape, "gru8");
	theta = first_theta(&shape);
	assert_int_equal(fit(&shape, theta, 1, &told), ERR_UNSUPPORTED);
	free(theta);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_told_apart),
		cmocka_unit_test(own_outputs_are_not_listened_to),
		cmocka_unit_test(cells_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
