/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool in which one action has the higher return in half of the states: weighted by its
 * advantage it is preferred there, and there alone; imitated it is not.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "learn/offline.h"
#include "learn/student_float.h"

#define ROWS 8192
#define CUT 7168
#define SHORT_US 1000
#define LONG_US 60000
#define LOG_ERROR 5.0 /* of a logarithm with 8 fraction bits */

static const char *const columns[] = {"queue_type", "drop_probability", "current_queue_delay",
				      "length_in_bytes", "packet_length"};

/* Delays and actions are drawn evenly, whatever was before; a mark in a long queue is rewarded. */
static void pool_make(struct pool *pool)
{
	struct rng rng;

	rng_seed(&rng, 5);
	pool_init(pool);
	pool->features = sizeof(columns) / sizeof(columns[0]);
	for (size_t i = 0; i < pool->features; i++) {
		strcpy(pool->columns[i].name, columns[i]);
		pool->columns[i].is_integer = true;
	}
	for (int row = 0; row < ROWS; row++) {
		const bool is_long = rng_uniform(&rng) < 0.5, mark = rng_uniform(&rng) < 0.5;
		const double state[] = {0, 1e6, is_long ? LONG_US : SHORT_US, 30000, 1500};

		assert_int_equal(pool_append(pool, state, mark ? POOL_MARK : POOL_ENQUEUE,
					     is_long && mark, row + 1 == ROWS),
				 0);
	}
}

static void learn(struct aqm_student_model *model, const struct pool *pool, double beta,
		  struct offline_report *report)
{
	const struct offline_options options = {.gamma = 0.6, .lambda = 0.9, .beta = beta,
						.most = 20, .updates = 400, .critic_updates = 400,
						.critic_width = 8, .batch = 8, .rate = 1e-2,
						.seed = 3};
	const struct offline_observer observer = {0};
	uint8_t feature[POOL_STATES_FEATURES];
	struct error error = {0};
	const int count = pool_states_features(pool, feature);

	if (student_model_shape(model, AQM_STUDENT_verdict, "8", feature, count, &error) ||
	    offline_run(&options, pool, CUT, &observer, model, report, &error))
		fail_msg("%s", error.text);
}

/* How likely the integer student marks in a queue of this delay. */
static double marks(const struct aqm_student_model *model, const struct pool *pool,
		    double delay_us)
{
	struct aqm_student_state memory = {0};
	int16_t output[AQM_STUDENT_OUTPUTS];
	struct visits visits = {0};
	struct pool one = *pool;
	double probability[3], state[VISITS_SEGMENT][5];
	size_t row_of[VISITS_SEGMENT];
	struct error error = {0};

	for (int row = 0; row < VISITS_SEGMENT; row++)
		memcpy(state[row], (double[]){0, 1e6, delay_us, 30000, 1500}, sizeof(state[row]));
	one.state = state[0];
	assert_int_equal(pool_states_read(&visits.train, row_of, &one, 0, VISITS_SEGMENT, &error),
			 0);
	aqm_student_run(model, &memory, visits.train.seen, output);
	student_probabilities(output, probability);
	visits_free(&visits);
	return probability[AQM_MARK];
}

static void weights_prefer_what_went_better(void **state)
{
	static struct aqm_student_model weighted, imitated;
	struct offline_report report;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	learn(&weighted, &pool, 0.5, &report);
	assert_true(marks(&weighted, &pool, LONG_US) > 0.8);
	assert_in_range(100 * marks(&weighted, &pool, SHORT_US), 35, 65);
	assert_true(report.effective < 0.9);
	assert_true(report.weighted_signals > report.logged_signals + 0.05);
	assert_true(report.student_signals > report.logged_signals + 0.05);
	learn(&imitated, &pool, 1e9, &report);
	assert_in_range(100 * marks(&imitated, &pool, LONG_US), 42, 58);
	assert_in_range(100 * marks(&imitated, &pool, SHORT_US), 42, 58);
	assert_float_equal(report.effective, 1, 1e-6);
	assert_float_equal(report.weighted_signals, report.logged_signals, 1e-6);
	pool_free(&pool);
}

/*
 * A delay foretells a third of the variance of its own reward, and later rewards nothing does:
 * 0.213 of a return's.
 */
static void figures_of_the_rows_held_back(void **state)
{
	static struct aqm_student_model model;
	struct offline_report report;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	learn(&model, &pool, 1, &report);
	assert_float_equal(report.rows, CUT, 0);
	assert_float_equal(report.held_out_rows, ROWS - CUT, 0);
	assert_float_equal(report.return_mean, 0.25, 0.04);
	assert_float_equal(report.logged_signals, 0.5, 0.05);
	assert_true(report.explained > 0.14 && report.explained < 0.28);
	assert_true(report.majority >= 0.5 && report.majority < 0.55);
	assert_true(report.cross_entropy > 0.6 && report.cross_entropy < 1);
	pool_free(&pool);
}

/* All the weight there is may lie on a row that no whole segment has room for. */
static void few_rows_decide(void **state)
{
	static struct aqm_student_model model;
	struct offline_report report;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	pool.rows = CUT + 100;
	for (size_t row = CUT; row < CUT + 96; row++)
		pool.reward[row] = -1000;
	learn(&model, &pool, 1e-3, &report);
	assert_true(report.weighted_signals >= 0 && report.weighted_signals <= 1);
	assert_true(report.effective > 0 && report.effective <= 1);
	pool_free(&pool);
}

static void same_bits_from_the_same_seed(void **state)
{
	static struct aqm_student_model once, twice;
	struct offline_report report;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	learn(&once, &pool, 1, &report);
	learn(&twice, &pool, 1, &report);
	assert_memory_equal(&once, &twice, sizeof(once));
	pool_free(&pool);
}

/* What a router logs stands where a student's own sense puts it. */
static void features_are_a_students(void **state)
{
	static const double row[] = {1, 1073741824, 20000, 12000, 1000};
	double rows[VISITS_SEGMENT][5];
	size_t row_of[VISITS_SEGMENT];
	struct visits visits = {0};
	struct error error = {0};
	const int16_t *seen;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	for (int i = 0; i < VISITS_SEGMENT; i++)
		memcpy(rows[i], row, sizeof(row));
	memcpy(pool.state, rows, sizeof(rows));
	pool.action[0] = POOL_DROP;
	pool.action[1] = POOL_MARK;
	pool.action[2] = POOL_ENQUEUE;
	assert_int_equal(
		pool_states_read(&visits.train, row_of, &pool, 0, VISITS_SEGMENT, &error), 0);
	seen = visits.train.seen;
	assert_int_equal(seen[AQM_STUDENT_FEATURE_is_l], AQM_LOG2_ONE);
	assert_float_equal(seen[AQM_STUDENT_FEATURE_packet_length], 256 * log2(1001), LOG_ERROR);
	assert_float_equal(seen[AQM_STUDENT_FEATURE_qdelay_own], 256 * log2(1 + 2e7 / 1024),
			   LOG_ERROR);
	assert_float_equal(seen[AQM_STUDENT_FEATURE_backlog_own], 256 * log2(12001), LOG_ERROR);
	assert_int_equal(seen[AQM_STUDENT_FEATURE_p_own], 256 * 31);
	assert_int_equal(seen[AQM_STUDENT_FEATURE_can_mark], 0);
	assert_float_equal(visits.train.law[0], 0.5, 1e-6);
	assert_float_equal(visits.train.target[AQM_DROP], 1, 0);
	assert_float_equal(visits.train.target[3 + AQM_MARK], 1, 0);
	assert_float_equal(visits.train.target[6 + AQM_PASS], 1, 0);
	visits_free(&visits);
	pool_free(&pool);
}

/* A cell that reads a segment never goes from one episode's rows to another's. */
static void segments_lie_in_one_episode(void **state)
{
	struct visits visits = {0};
	struct error error = {0};
	size_t row_of[200];
	struct pool pool;

	(void)state;
	pool_make(&pool);
	pool.done[10 + 40 - 1] = 1; /* a segment and 8 rows */
	pool.done[10 + 40 + 31 - 1] = 1; /* no segment */
	pool.done[10 + 40 + 31 + 64 - 1] = 1; /* two */
	pool.state[(10 + 40 + 31) * 5 + 4] = 40;
	assert_int_equal(pool_states_read(&visits.train, row_of, &pool, 10, 210, &error), 0);
	assert_int_equal(visits.train.segments, 5);
	for (size_t i = 0; i < VISITS_SEGMENT; i++) {
		assert_int_equal(row_of[i], 10 + i);
		assert_int_equal(row_of[VISITS_SEGMENT + i], 81 + i);
		assert_int_equal(row_of[2 * VISITS_SEGMENT + i], 113 + i);
		assert_int_equal(row_of[3 * VISITS_SEGMENT + i], 145 + i);
		assert_int_equal(row_of[4 * VISITS_SEGMENT + i], 177 + i);
	}
	assert_float_equal(visits.train.seen[VISITS_SEGMENT * AQM_STUDENT_FEATURE_COUNT +
					     AQM_STUDENT_FEATURE_packet_length],
			   256 * log2(41), LOG_ERROR);
	visits_free(&visits);
	pool_free(&pool);
}

static void what_no_router_logs(void **state)
{
	struct pool pool;

	(void)state;
	pool_make(&pool);
	strcpy(pool.columns[3].name, "temperature");
	assert_int_equal(pool_states_odd(&pool, 7), -1);
	pool.state[7 * 5 + 3] = -4; /* of the critic's alone */
	assert_int_equal(pool_states_odd(&pool, 7), -1);
	pool.state[7 * 5 + 3] = -1e17;
	assert_int_equal(pool_states_odd(&pool, 7), 3);
	pool.state[7 * 5 + 2] = -1000; /* the paper's reward would be infinite */
	pool.state[7 * 5 + 3] = 0;
	assert_int_equal(pool_states_odd(&pool, 7), 2);
	pool.state[7 * 5 + 2] = NAN;
	assert_int_equal(pool_states_odd(&pool, 7), 2);
	assert_int_equal(pool_states_odd(&pool, 6), -1);
	pool_free(&pool);
}

static void what_cannot_be_learned(void **state)
{
	static struct aqm_student_model model;
	const struct offline_options options = {.critic_width = 4, .batch = 1};
	const struct offline_observer observer = {0};
	struct offline_report report;
	struct error error = {0};
	struct pool pool;

	(void)state;
	pool_make(&pool);
	assert_int_equal(offline_run(&options, &pool, 31, &observer, &model, &report, &error),
			 ERR_RANGE);
	assert_int_equal(
		offline_run(&options, &pool, ROWS - 31, &observer, &model, &report, &error),
		ERR_RANGE);
	for (int row = 31; row < ROWS; row += 31)
		pool.done[row] = 1;
	pool.done[0] = 1;
	assert_int_equal(offline_run(&options, &pool, CUT, &observer, &model, &report, &error),
			 ERR_RANGE);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_prefer_what_went_better),
		cmocka_unit_test(figures_of_the_rows_held_back),
		cmocka_unit_test(few_rows_decide),
		cmocka_unit_test(same_bits_from_the_same_seed),
		cmocka_unit_test(features_are_a_students),
		cmocka_unit_test(segments_lie_in_one_episode),
		cmocka_unit_test(what_no_router_logs),
		cmocka_unit_test(what_cannot_be_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
