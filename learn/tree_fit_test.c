/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees ask what matters, where it matters; leaves say means; what is grown is a valid student. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "learn/student_float.h"
#include "learn/tree_fit.h"

#define STEPS (64 * VISITS_SEGMENT)
#define DELAY AQM_STUDENT_FEATURE_qdelay_own
#define LENGTH AQM_STUDENT_FEATURE_packet_length

/* Four answers in four corners of two features; the others are noise. */
static double wanted(int16_t delay, int16_t length)
{
	if (delay < 1000)
		return length < 2000 ? 0.01 : 0.3;
	return length < 2000 ? 0.6 : 0.95;
}

static void visits_make(struct visits *visits)
{
	static int16_t seen[STEPS * AQM_STUDENT_FEATURE_COUNT];
	static float target[STEPS * 3], law[STEPS];
	const struct visits_run run = {seen, target, law, STEPS};
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 3);
	for (int s = 0; s < STEPS; s++) {
		int16_t *feature = seen + s * AQM_STUDENT_FEATURE_COUNT;
		double p;

		for (int f = 0; f < AQM_STUDENT_FEATURE_COUNT; f++)
			feature[f] = (int16_t)rng_below(&rng, 4000);
		p = wanted(feature[DELAY], feature[LENGTH]);
		target[s * 3 + AQM_PASS] = s % 7 ? (float)(1 - p) : VISITS_UNASKED;
		target[s * 3 + AQM_MARK] = (float)(p / 2);
		target[s * 3 + AQM_DROP] = (float)(p / 2);
	}
	visits_init(visits, AQM_STUDENT_FEATURE_COUNT, 3, STEPS);
	assert_int_equal(visits_add(visits, &visits->train, &run, 1, &rng, &error), 0);
}

static double signal_of(const struct aqm_student_model *model, int16_t delay, int16_t length)
{
	int16_t features[AQM_STUDENT_FEATURE_COUNT] = {0}, out[AQM_STUDENT_OUTPUTS];
	double p[3];

	features[DELAY] = delay;
	features[LENGTH] = length;
	aqm_student_tree_run(model, features, out);
	student_probabilities(out, p);
	assert_true(fabs(p[AQM_MARK] - p[AQM_DROP]) < 1e-3);
	return p[AQM_MARK] + p[AQM_DROP];
}

static void asks_what_matters(void **state)
{
	static struct aqm_student_model model;
	struct error error = {0};
	struct visits visits;

	(void)state;
	visits_make(&visits);
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_verdict, "", NULL, 0, &error), 0);
	if (tree_fit(&model, 4, &visits, &visits.train, &error))
		fail_msg("%s", error.text);
	assert_int_equal(model.leaves, 4);
	assert_int_equal(model.nodes, 3);
	for (int i = 0; i < model.nodes; i++) {
		const struct aqm_student_node *node = &model.tree.nodes[i];
		const bool by_delay = model.feature[node->input] == DELAY;

		assert_true(by_delay || model.feature[node->input] == LENGTH);
		assert_true(abs(node->threshold - (by_delay ? 1000 : 2000)) < 80);
	}
	for (int16_t delay = 500; delay < 4000; delay += 1000)
		for (int16_t length = 500; length < 4000; length += 3000)
			assert_true(fabs(signal_of(&model, delay, length) -
					 wanted(delay, length)) < 0.03);
	visits_free(&visits);
}

/* A tree with one leaf says the mean; more leaves than there is to ask are not grown. */
static void knows_when_to_stop(void **state)
{
	static struct aqm_student_model model;
	struct error error = {0};
	struct visits visits;

	(void)state;
	visits_make(&visits);
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_verdict, "", NULL, 0, &error), 0);
	assert_int_equal(tree_fit(&model, 1, &visits, &visits.train, &error), 0);
	assert_int_equal(model.nodes, 0);
	assert_true(fabs(signal_of(&model, 0, 0) - 0.60) < 0.05);
	assert_int_equal(tree_fit(&model, AQM_STUDENT_LEAVES, &visits, &visits.train, &error), 0);
	assert_true(model.leaves <= STEPS / TREE_LEAST_ROWS);
	assert_int_equal(student_model_complete(&model, NULL, &error), 0);
	visits_free(&visits);
	visits_init(&visits, AQM_STUDENT_FEATURE_COUNT, 3, STEPS);
	assert_int_equal(tree_fit(&model, 4, &visits, &visits.train, &error), ERR_INVALID);
	visits_free(&visits);
}

/* Of settings leaves say means of outputs, and questions save squares. */
static void grows_on_settings_too(void **state)
{
	static int16_t seen[STEPS * AQM_STUDENT_FEATURE_COUNT];
	static float target[STEPS * AQM_STUDENT_SETTING_COUNT], law[STEPS];
	static struct aqm_student_model model;
	const struct visits_run run = {seen, target, law, STEPS};
	const int feature = AQM_STUDENT_FEATURE_rate;
	struct error error = {0};
	struct visits visits;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int s = 0; s < STEPS; s++) {
		float *wanted_here = target + s * AQM_STUDENT_SETTING_COUNT;

		for (int f = 0; f < AQM_STUDENT_FEATURE_COUNT; f++)
			seen[s * AQM_STUDENT_FEATURE_COUNT + f] = (int16_t)rng_below(&rng, 4000);
		wanted_here[AQM_STUDENT_SETTING_target] =
			(seen[s * AQM_STUDENT_FEATURE_COUNT + feature] < 1500 ? -2 : 0.5f) +
			(float)(rng_uniform(&rng) - 0.5);
	}
	visits_init(&visits, AQM_STUDENT_FEATURE_COUNT, AQM_STUDENT_SETTING_COUNT, STEPS);
	assert_int_equal(visits_add(&visits, &visits.train, &run, 1, &rng, &error), 0);
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_supervise, "", NULL, 0, &error),
			 0);
	assert_int_equal(tree_fit(&model, 2, &visits, &visits.train, &error), 0);
	assert_int_equal(model.leaves, 2);
	assert_int_equal(model.feature[model.tree.nodes[0].input], feature);
	assert_true(abs(model.tree.nodes[0].threshold - 1500) < 80);
	for (int leaf = 0; leaf < 2; leaf++) {
		const int16_t *says = model.tree.leaves[leaf];

		assert_true(fabs((double)says[AQM_STUDENT_SETTING_target] / AQM_STUDENT_ONE -
				 (leaf ? 0.5 : -2)) < 0.1);
		for (int i = 1; i < AQM_STUDENT_SETTING_COUNT; i++)
			assert_int_equal(says[i], 0);
	}
	visits_free(&visits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_what_matters),
		cmocka_unit_test(knows_when_to_stop),
		cmocka_unit_test(grows_on_settings_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
