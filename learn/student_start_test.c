/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller that students of shares start from: what it says, whatever the
 * shape, and what it does in closed loop beside DualPI2.
 */
#include "learn/student_start.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

static float *make(struct aqm_student_model *shape, const char *layers)
{
	struct student_start start;
	struct error error = {0};
	struct rng rng;
	float *theta;

	assert_int_equal(student_model_shape(shape, AQM_STUDENT_share, layers, NULL, 0, &error), 0);
	theta = calloc(student_float_count(shape), sizeof(*theta));
	assert_non_null(theta);
	rng_seed(&rng, 1);
	student_float_init(shape, theta, &rng);
	student_start_default(&start);
	assert_int_equal(student_start_set(&start, "target=0.5,step=0.25,k=-1,decay=0.125", &error),
			 0);
	assert_int_equal(student_start_write(&start, shape, theta, &error), 0);
	return theta;
}

static void it_says_the_same_whatever_it_sees(void **state)
{
	static const char *const layers[] = {"", "1", "tanh16,8", "gru12,6"};
	const float wanted[] = {0.5F, 0.25F, -1, 0.95F, 1, 0.125F, 0};
	struct aqm_student_model shape;
	float out[AQM_STUDENT_OUTPUTS], input[AQM_STUDENT_INPUTS];

	(void)state;
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		float *theta = make(&shape, layers[i]);

		for (int seen = -2000; seen <= 4000; seen += 3000) {
			struct student_float_state memory = {0};
			int16_t features[AQM_STUDENT_FEATURE_COUNT];

			for (int j = 0; j < AQM_STUDENT_FEATURE_COUNT; j++)
				features[j] = (int16_t)(seen + j);
			student_float_inputs(&shape, features, input);
			student_float_forward(&shape, theta, &memory, input, out, NULL);
			assert_memory_equal(out, wanted, sizeof(wanted));
		}
		free(theta);
	}
}

#define NETWORK                                                                                    \
	"name: start\nduration_s: 30\nwarmup_s: 10\nbottleneck:\n  rate_mbps: 40\n  delay_ms: 5\n" \
	"  aqm: dualpi2\n  params: [\"min_qlen_step=1\"]\nflows:\n"                                \
	"  - {cc: cubic, ecn: none, count: 4, rtt_ms: 20}\n  - {cc: prague, rtt_ms: 20}\n"

static void run(const char *law, const struct aqm_student_model *model, struct sim_result *result)
{
	struct sim_options options = {.seed = 1};
	struct scenario scenario = {0};
	struct error error = {0};
	void *params;

	if (scenario_parse(&scenario, NETWORK, strlen(NETWORK), "test", &error) ||
	    sim_law_named(&scenario, law, &options.law, &params, &error))
		fail_msg("%s", error.text);
	if (model)
		((struct aqm_student_params *)params)->model = model;
	options.params = params;
	memset(result, 0, sizeof(*result));
	if (sim_run(&scenario, &options, result, &error))
		fail_msg("%s", error.text);
	free(params);
	scenario_free(&scenario);
}

static double classic_p99_ms(const struct sim_result *result)
{
	return (double)histogram_quantile(&result->queues[AQM_QUEUE_C].qdelay_ns, 0.99) / 1e6;
}

/* In integers, under the guard: half the Classic tail where the link stays busy, at its goodput. */
static void it_is_bold_where_the_link_stays_busy(void **state)
{
	struct aqm_student_model model;
	float *theta = make(&model, "16");
	struct sim_result law, student;
	struct error error = {0};

	(void)state;
	assert_int_equal(student_float_quantise(&model, theta, &model, &error), 0);
	run("dualpi2", NULL, &law);
	run("student", &model, &student);
	assert_true(classic_p99_ms(&student) < 0.7 * classic_p99_ms(&law));
	assert_true(student.utilisation > 0.98 * law.utilisation);
	sim_result_free(&law);
	sim_result_free(&student);
	free(theta);
}

static void slopes_are_by_what_it_sees(void **state)
{
	struct aqm_student_model shape;
	struct student_start start;
	struct error error = {0};
	struct student_float_state memory = {0};
	static float theta[4096];
	float input[AQM_STUDENT_INPUTS], out[AQM_STUDENT_OUTPUTS];
	int16_t features[AQM_STUDENT_FEATURE_COUNT] = {0};

	(void)state;
	student_start_default(&start);
	assert_int_equal(student_start_set(&start, "k=-0.5,k/balance=0.25", &error), 0);
	assert_int_equal(student_model_shape(&shape, AQM_STUDENT_share, "", NULL, 0, &error), 0);
	assert_int_equal(student_start_write(&start, &shape, theta, &error), 0);
	features[AQM_STUDENT_FEATURE_balance] = 4 * 256; /* an input of 1 */
	student_float_inputs(&shape, features, input);
	student_float_forward(&shape, theta, &memory, input, out, NULL);
	assert_true(fabsf(out[AQM_STUDENT_SETTING_k] + 0.25F) < 1e-6F);
	assert_true(fabsf(out[AQM_STUDENT_SETTING_target] - 0.9F) < 1e-6F);
	assert_int_equal(student_model_shape(&shape, AQM_STUDENT_share, "8", NULL, 0, &error), 0);
	assert_int_equal(student_start_write(&start, &shape, theta, &error), ERR_INVALID);
	shape.layers = 1;
	shape.inputs = 1;
	assert_int_equal(student_start_write(&start, &shape, theta, &error), ERR_INVALID);
}

static void what_cannot_hold_it_is_refused(void **state)
{
	static const char *const texts[] = {"gain", "gain=", "gain=9", "lift=1", "gain=1;k=2",
					    "k/luck=1"};
	struct student_start start;
	struct aqm_student_model shape;
	static float theta[4096];
	struct error error = {0};

	(void)state;
	student_start_default(&start);
	for (int mode = 0; mode < AQM_STUDENT_MODE_COUNT; mode++) {
		assert_int_equal(student_model_shape(&shape, (enum aqm_student_mode)mode, "8", NULL,
						     0, &error), 0);
		assert_int_equal(student_start_write(&start, &shape, theta, &error),
				 mode == AQM_STUDENT_share ? 0 : ERR_INVALID);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(student_start_set(&start, texts[i], &error), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_the_same_whatever_it_sees),
		cmocka_unit_test(it_is_bold_where_the_link_stays_busy),
		cmocka_unit_test(slopes_are_by_what_it_sees),
		cmocka_unit_test(what_cannot_hold_it_is_refused),
	};

	return cmocka_run_group_tests_name("student start", tests, NULL, NULL);
}
