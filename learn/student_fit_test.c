/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nets learn what features tell and, with a memory, what they told before; the
 * same bits from the same seed; steps without an answer change nothing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/agreement.h"
#include "learn/settings_error.h"
#include "learn/student_fit.h"

#define STEPS (64 * VISITS_SEGMENT)
#define LAG 3

/* A signal's probability is high where one feature is (`lag` steps ago). */
static void visits_make(struct visits *visits, int lag, float unasked)
{
	const struct student_feature_info *info = student_feature(AQM_STUDENT_FEATURE_qdelay_own);
	static int16_t seen[STEPS * AQM_STUDENT_FEATURE_COUNT];
	static float target[STEPS * 3], law[STEPS];
	const struct visits_run run = {seen, target, law, STEPS};
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 3);
	memset(seen, 0, sizeof(seen));
	for (int s = 0; s < STEPS; s++) {
		const double x = 4 * rng_uniform(&rng) - 2;
		int16_t *feature = seen + s * AQM_STUDENT_FEATURE_COUNT;
		const int16_t *told = feature - (s >= lag ? lag : 0) * AQM_STUDENT_FEATURE_COUNT;
		double p;

		feature[AQM_STUDENT_FEATURE_qdelay_own] =
			(int16_t)((info->offset + x / info->scale) * AQM_LOG2_ONE);
		p = told[AQM_STUDENT_FEATURE_qdelay_own] > info->offset * AQM_LOG2_ONE ? 0.9 : 0.1;
		target[s * 3 + AQM_MARK] = (float)(0.75 * p);
		target[s * 3 + AQM_DROP] = (float)(0.25 * p);
		target[s * 3 + AQM_PASS] = (float)(1 - p);
		law[s] = (float)p;
		if (s % 5 == 0) {
			target[s * 3] = VISITS_UNASKED;
			target[s * 3 + 1] = target[s * 3 + 2] = unasked;
		}
	}
	visits_init(visits, AQM_STUDENT_FEATURE_COUNT, 3, STEPS);
	rng_seed(&rng, 4);
	assert_int_equal(visits_add(visits, &visits->train, &run, 1, &rng, &error), 0);
}

static const uint8_t features[] = {AQM_STUDENT_FEATURE_is_l, AQM_STUDENT_FEATURE_qdelay_own};

/* Fits a net; theta is the caller's to free. */
static float *fit(struct aqm_student_model *model, const char *layers, const struct visits *visits,
		  double correlation, uint64_t updates)
{
	const struct student_fit_options options = {
		.loss = {.temperature = 1, .correlation = correlation},
		.updates = updates, .batch = 8, .rate = 1e-2};
	struct error error = {0};
	struct distill_terms terms;
	struct rng rng;
	float *theta;

	if (student_model_shape(model, AQM_STUDENT_verdict, layers, features, 2, &error))
		fail_msg("%s", error.text);
	theta = calloc(student_float_count(model), sizeof(*theta));
	rng_seed(&rng, 7);
	student_float_init(model, theta, &rng);
	if (student_fit(model, theta, visits, &visits->train, &options, &rng, &terms, &error))
		fail_msg("%s", error.text);
	assert_int_equal(student_float_quantise(model, theta, model, &error), 0);
	return theta;
}

static double kl_after(const char *layers, int lag, double correlation, uint64_t updates)
{
	struct aqm_student_model model;
	struct agreement agreement;
	struct error error = {0};
	struct visits visits;
	float *theta;

	visits_make(&visits, lag, 0);
	theta = fit(&model, layers, &visits, correlation, updates);
	assert_int_equal(agreement_measure(&agreement, &model, theta, &visits, &visits.train,
					   &error), 0);
	assert_true(agreement.float_p99 < 0.02 && agreement.float_mean < 0.005);
	assert_true(agreement.majority > 0.4 && agreement.majority < 0.6);
	if (agreement.kl < 0.02)
		assert_true(agreement.agreement > 0.97 && agreement.balanced > 0.97);
	free(theta);
	visits_free(&visits);
	return agreement.kl;
}

static void nets_learn_what_features_tell(void **state)
{
	(void)state;
	assert_true(kl_after("16", 0, 0, 1000) < 0.02);
	assert_true(kl_after("16", 0, 0.5, 1000) < 0.02);
	assert_true(kl_after("", 0, 0, 1) > 0.1); /* and not by themselves */
}

static void memories_learn_what_features_told(void **state)
{
	(void)state;
	assert_true(kl_after("16", LAG, 0, 300) > 0.2);
	assert_true(kl_after("gru12", LAG, 0, 600) < 0.05);
	assert_true(kl_after("transformer8:4", LAG, 0, 600) < 0.05);
}

static void same_bits_and_no_answers_from_nowhere(void **state)
{
	struct aqm_student_model model;
	struct visits visits;
	float *theta[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		visits_make(&visits, 0, i ? 5.0f : 0.0f);
		theta[i] = fit(&model, "gru4,8", &visits, 0.1, 20);
		visits_free(&visits);
	}
	assert_memory_equal(theta[0], theta[1], student_float_count(&model) * sizeof(float));
	free(theta[0]);
	free(theta[1]);
}

/* Settings that one feature tells: what is left of their spread, and of outputs nobody sets. */
static void settings_are_learned(void **state)
{
	static const uint8_t seen_by[] = {AQM_STUDENT_FEATURE_trough_c_500,
					  AQM_STUDENT_FEATURE_rate};
	const struct student_feature_info *info = student_feature(AQM_STUDENT_FEATURE_rate);
	static int16_t seen[STEPS * AQM_STUDENT_FEATURE_COUNT];
	static float target[STEPS * AQM_STUDENT_SETTING_COUNT], law[STEPS];
	const struct visits_run run = {seen, target, law, STEPS};
	struct settings_error told;
	struct aqm_student_model model;
	struct visits visits;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (int s = 0; s < STEPS; s++) {
		const double x = 4 * rng_uniform(&rng) - 2;
		float *wanted = target + s * AQM_STUDENT_SETTING_COUNT;

		seen[s * AQM_STUDENT_FEATURE_COUNT + AQM_STUDENT_FEATURE_rate] =
			(int16_t)((info->offset + x / info->scale) * AQM_LOG2_ONE);
		wanted[AQM_STUDENT_SETTING_target] = x > 0 ? -1.5f : 0.25f;
		if (s % 5 == 0)
			wanted[0] = VISITS_UNASKED;
	}
	visits_init(&visits, AQM_STUDENT_FEATURE_COUNT, AQM_STUDENT_SETTING_COUNT, STEPS);
	assert_int_equal(visits_add(&visits, &visits.train, &run, 1, &rng, NULL), 0);
	for (int correlated = 0; correlated < 2; correlated++) {
		const struct student_fit_options options = {
			.loss = {.temperature = 1, .correlation = correlated ? 0.3 : 0},
			.updates = 800, .batch = 8, .rate = 1e-2};
		struct distill_terms terms;
		float *theta;

		assert_int_equal(student_model_shape(&model, AQM_STUDENT_supervise, "16", seen_by,
						     2, NULL), 0);
		theta = calloc(student_float_count(&model), sizeof(*theta));
		rng_seed(&rng, 7);
		student_float_init(&model, theta, &rng);
		assert_int_equal(student_fit(&model, theta, &visits, &visits.train, &options, &rng,
					     &terms, NULL), 0);
		assert_true(terms.plain < 0.1 && (terms.correlation > 0) == correlated);
		for (int i = 1; i < AQM_STUDENT_SETTING_COUNT; i++)
			assert_true(theta[student_float_biases_at(&model, 1) + (size_t)i] == 0);
		assert_int_equal(student_float_quantise(&model, theta, &model, NULL), 0);
		assert_int_equal(settings_error_measure(&told, &model, theta, &visits,
							&visits.train, NULL), 0);
		assert_int_equal(told.rows, STEPS - (STEPS + 4) / 5);
		assert_true(fabs(told.spread - 0.875) < 0.05 && told.error < 0.2);
		/* Where settings jump, what rounding moves is moved far. */
		assert_true(told.float_mean < 0.05 && told.float_p99 > 0 && told.float_p99 < 0.2);
		free(theta);
	}
	visits_free(&visits);
}

static void nothing_visited_is_told(void **state)
{
	const struct student_fit_options options = {.loss = {.temperature = 1}, .updates = 1,
						    .batch = 1, .rate = 1e-3};
	struct aqm_student_model model;
	struct error error = {0};
	struct distill_terms terms;
	struct visits visits;
	float theta[64] = {0};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	visits_init(&visits, AQM_STUDENT_FEATURE_COUNT, 3, 1000);
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_verdict, "4", features, 2, NULL),
			 0);
	assert_int_equal(student_fit(&model, theta, &visits, &visits.train, &options, &rng, &terms,
				     &error), ERR_INVALID);
	visits_free(&visits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nets_learn_what_features_tell),
		cmocka_unit_test(memories_learn_what_features_told),
		cmocka_unit_test(same_bits_and_no_answers_from_nowhere),
		cmocka_unit_test(settings_are_learned),
		cmocka_unit_test(nothing_visited_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
