/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled suites: apart, reproducible, spread over what is described, and able to run. */
#include "sim/suite.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/units.h"
#include "sim/run.h"

#define SAMPLES 20000

/* Cells of rate by delay, as a reader of the description would count them. */
#define CELLS 64

struct coverage {
	uint32_t seen[CELLS][CELLS];
};

static int half_octave(double value)
{
	return (int)floor(2 * log2(value)) + CELLS / 2;
}

static void mark(struct coverage *coverage, const struct scenario *scenario, double rate_mbps)
{
	coverage->seen[half_octave(rate_mbps)][half_octave(scenario->delay_ms)]++;
}

static void cover(struct coverage *coverage, const struct suite *suite, uint64_t seed)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	assert_non_null(scenario);
	for (uint64_t i = 0; i < SAMPLES; i++) {
		suite_sample(suite, seed, i, scenario);
		assert_int_equal(suite_side_of(scenario), suite->side);
		mark(coverage, scenario, scenario->rate_mbps);
		for (uint64_t s = 0; s < scenario->step_count; s++)
			mark(coverage, scenario, scenario->steps[s].rate_mbps);
		scenario_free(scenario);
	}
	free(scenario);
}

static void train_and_heldout_share_no_cell(void **state)
{
	static struct coverage train, heldout;
	int trained = 0, held = 0;

	(void)state;
	cover(&train, suite_find("train"), 1);
	cover(&train, suite_find("train"), 2);
	cover(&heldout, suite_find("heldout"), 1);
	for (int r = 0; r < CELLS; r++) {
		for (int d = 0; d < CELLS; d++) {
			assert_false(train.seen[r][d] && heldout.seen[r][d]);
			trained += train.seen[r][d] > 0;
			held += heldout.seen[r][d] > 0;
		}
	}
	/* 13.3 half octaves of rate, 10.6 of delay: both suites spread over them. */
	assert_true(trained > 90 && held > 20);
	assert_true(held * 2 < trained);
}

static void published_networks_are_held_out(void **state)
{
	static const char *const paths[] = {"scenarios/paper.yaml", "scenarios/paper_as_run.yaml"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scenario scenario;

		assert_int_equal(scenario_read(&scenario, paths[i], NULL), 0);
		assert_int_equal(suite_side_of(&scenario), SUITE_HELDOUT);
		scenario_free(&scenario);
	}
}

/* A scenario whose rates lie on both sides belongs to neither suite. */
static void a_network_astride_belongs_to_neither(void **state)
{
	struct scenario scenario;
	double train_rate = 0;

	(void)state;
	scenario_init(&scenario);
	for (double rate = 2; rate < 200 && train_rate == 0; rate *= 1.2) {
		scenario.rate_mbps = rate;
		if (suite_side_of(&scenario) == SUITE_TRAIN)
			train_rate = rate;
	}
	scenario.rate_mbps = 8;
	scenario.delay_ms = 10;
	assert_int_equal(suite_side_of(&scenario), SUITE_HELDOUT);
	scenario.steps[scenario.step_count++] = (struct scenario_step){20, train_rate};
	assert_int_equal(suite_side_of(&scenario), SUITE_BOTH);
	scenario_free(&scenario);
}

static void write_to(char *text, size_t size, const struct scenario *scenario)
{
	char path[64];
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "suite-test-%ld.yaml", (long)getpid());
	assert_int_equal(scenario_write(scenario, path, NULL), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);
	unlink(path);
}

/* Same (suite, seed, index), same network, also through a file; another seed, another. */
static void samples_are_functions_of_suite_seed_and_index(void **state)
{
	static struct scenario a, b, back;
	static char text[3][20000];

	(void)state;
	suite_sample(suite_find("heldout"), 7, 3, &a);
	suite_sample(suite_find("heldout"), 7, 3, &b);
	write_to(text[0], sizeof(text[0]), &a);
	write_to(text[1], sizeof(text[1]), &b);
	assert_string_equal(text[0], text[1]);
	assert_string_equal(a.name, "heldout-7-000003");
	assert_int_equal(scenario_parse(&back, text[0], strlen(text[0]), "back", NULL), 0);
	write_to(text[2], sizeof(text[2]), &back);
	assert_string_equal(text[0], text[2]);
	assert_int_equal(suite_side_of(&back), SUITE_HELDOUT);
	suite_sample(suite_find("heldout"), 8, 3, &b);
	assert_true(a.rate_mbps != b.rate_mbps);
	assert_memory_not_equal(a.content, b.content, sizeof(a.content));
}

/* Valid scenarios, laws that take their parameters, within the ranges, and every kind occurs. */
static void samples_are_valid_and_varied(void **state)
{
	static struct scenario scenario;
	unsigned stepped = 0, udp = 0, prague = 0, dualpi2 = 0, coming = 0;

	(void)state;
	for (uint64_t i = 0; i < 2000; i++) {
		const struct aqm_ops *law;
		struct error error = {0};
		void *params;

		suite_sample(suite_find("train"), 5, i, &scenario);
		if (scenario_check(&scenario, &error) ||
		    sim_law(&scenario, &law, &params, &error))
			fail_msg("%s: %s: %s", scenario.name, error.field, error.text);
		free(params);
		assert_in_range((uint64_t)(scenario.rate_mbps * 10), 20, 2000);
		assert_in_range((uint64_t)(scenario.delay_ms * 10), 25, 1000);
		stepped += scenario.step_count > 0;
		dualpi2 += strcmp(scenario.aqm, "dualpi2") == 0;
		for (uint64_t g = 0; g < scenario.group_count; g++) {
			udp += strcmp(scenario.groups[g].cc, "udp") == 0;
			prague += strcmp(scenario.groups[g].cc, "prague") == 0;
			coming += scenario.groups[g].start_s > 0 || scenario.groups[g].stop_s > 0;
		}
		scenario_free(&scenario);
	}
	assert_in_range(stepped, 300, 700);
	assert_in_range(dualpi2, 700, 1000);
	assert_true(udp > 100 && prague > 800 && coming > 500);
}

/* Packets are accounted for in every run; here only the first seconds of a few. */
static void samples_run(void **state)
{
	static struct scenario scenario;

	(void)state;
	for (uint64_t i = 0; i < 12; i++) {
		const struct sim_options options = {.seed = i};
		struct sim_result *result = calloc(1, sizeof(*result));
		struct error error = {0};

		suite_sample(suite_find("heldout"), 11, i, &scenario);
		scenario.duration_s = 12;
		if (sim_run(&scenario, &options, result, &error))
			fail_msg("%s: %s", scenario.name, error.text);
		assert_true(result->data_packets > 100);
		sim_result_free(result);
		free(result);
		scenario_free(&scenario);
	}
}

static void descriptions_name_what_is_drawn(void **state)
{
	char *text = suite_describe(suite_find("heldout"));

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "2 to 200, log-uniform"));
	assert_non_null(strstr(text, "udp_prague"));
	assert_non_null(strstr(text, "8 Mbit/s, 10 ms (the paper's testbed)"));
	free(text);
	assert_null(suite_find("nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(train_and_heldout_share_no_cell),
		cmocka_unit_test(published_networks_are_held_out),
		cmocka_unit_test(a_network_astride_belongs_to_neither),
		cmocka_unit_test(samples_are_functions_of_suite_seed_and_index),
		cmocka_unit_test(samples_are_valid_and_varied),
		cmocka_unit_test(samples_run),
		cmocka_unit_test(descriptions_name_what_is_drawn),
	};

	return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
