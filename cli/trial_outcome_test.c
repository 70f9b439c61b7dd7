/* SPDX-License-Identifier: BSD-2-Clause */
/* Outcomes come back from bytes bit for bit, and never from bytes that were touched. */
#include "cli/trial_outcome.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char key[DIGEST_BYTES] = {1, 2, 3};

/* A result with an empty bin, a queue that nothing left, and delays over the whole range. */
static void make(struct trial_outcome *outcome)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	struct sim_bin bins[3] = {{.utilisation = 0.5}, {.utilisation = 1}, {.utilisation = 0}};
	const struct policy_cost cost = {.decisions = 7, .wall_ns = UINT64_MAX};
	const struct aqm_policy_counts counts = {.decisions = 7};

	assert_non_null(result);
	bins[0].qdelay_ms[SIM_ALL] = 1.25;
	bins[1].qdelay_ms[SIM_ALL] = NAN;
	result->utilisation = 1.0 / 3;
	result->warmup_s = 1;
	result->bin_s = 0.5;
	result->bins = bins;
	result->bin_count = 3;
	for (uint64_t delay = 1; delay < UINT64_MAX / 3; delay *= 3)
		histogram_add(&result->queues[SIM_ALL].qdelay_ns, delay);
	result->queues[SIM_ALL].packets = result->queues[SIM_ALL].qdelay_ns.count;
	assert_int_equal(trial_outcome_keep(outcome, result, &counts, &cost), 0);
	free(result);
}

static void outcomes_come_back_bit_for_bit(void **state)
{
	struct trial_outcome outcome, back;
	struct histogram delays = {0};
	char *bytes, *again;
	size_t size, size_again;

	(void)state;
	make(&outcome);
	assert_int_equal(trial_outcome_write(&outcome, key, &bytes, &size), 0);
	assert_int_equal(trial_outcome_read(&back, key, bytes, size), 0);
	assert_memory_equal(back.values, outcome.values, sizeof(back.values));
	assert_true(isnan(back.values[TRIAL_l_qdelay_ms_mean]));
	assert_true(back.cost.wall_ns == UINT64_MAX && isnan(back.qdelay_ms[1]));
	assert_int_equal(trial_outcome_write(&back, key, &again, &size_again), 0);
	assert_int_equal(size_again, size);
	assert_memory_equal(again, bytes, size);
	trial_delays_merge(&delays, &back.qdelay_ns);
	assert_true(histogram_quantile(&delays, 0.5) / 1e6 == outcome.values[TRIAL_qdelay_ms_p50]);
	assert_true(histogram_mean(&delays) / 1e6 == outcome.values[TRIAL_qdelay_ms_mean]);
	free(bytes);
	free(again);
	trial_outcome_free(&outcome);
	trial_outcome_free(&back);
}

/* Every cut, and a changed bit in every byte. */
static void touched_bytes_are_no_outcome(void **state)
{
	struct trial_outcome outcome, back;
	const unsigned char other[DIGEST_BYTES] = {1, 2, 4};
	char *bytes;
	size_t size;

	(void)state;
	make(&outcome);
	assert_int_equal(trial_outcome_write(&outcome, key, &bytes, &size), 0);
	assert_int_equal(trial_outcome_read(&back, other, bytes, size), ERR_INVALID);
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(trial_outcome_read(&back, key, bytes, i), ERR_INVALID);
		bytes[i] ^= 1 << i % 8;
		assert_int_equal(trial_outcome_read(&back, key, bytes, size), ERR_INVALID);
		bytes[i] ^= 1 << i % 8;
	}
	free(bytes);
	trial_outcome_free(&outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_come_back_bit_for_bit),
		cmocka_unit_test(touched_bytes_are_no_outcome),
	};

	return cmocka_run_group_tests_name("trial_outcome", tests, NULL, NULL);
}
