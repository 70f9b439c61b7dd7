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
#include "sim/app.h"
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
	cover(&heldout, suite_find("small"), 1);
	for (int r = 0; r < CELLS; r++) {
		for (int d = 0; d < CELLS; d++) {
			assert_false(train.seen[r][d] && heldout.seen[r][d]);
			trained += train.seen[r][d] > 0;
			held += heldout.seen[r][d] > 0;
		}
	}
	/* 16 half octaves of rate, 13.3 of delay: both suites spread over them. */
	assert_true(trained > 150 && held > 30);
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
	scenario.steps[scenario.step_count++] = (struct rate_step){20, train_rate};
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

/* What a suite was seen to have. */
struct seen {
	unsigned stepped, generated[RATE_SATELLITE + 1], aggregates, handovers;
	unsigned both, bbr, udp, impaired, ack_paths, coming, l4s_freebsd;
	unsigned web, video, voice, gaming, transfers;
	uint64_t least_flows, most_flows;
};

static void see_group(struct seen *seen, const struct scenario_group *group, unsigned classes[2])
{
	const char *app = group->app.ops ? group->app.ops->name : "";

	seen->bbr += strcmp(group->cc, "bbr") == 0;
	seen->udp += strcmp(group->cc, "udp") == 0 && *app == '\0';
	seen->coming += group->start_s > 0 || group->stop_s > 0;
	seen->web += strcmp(app, "web") == 0;
	seen->video += strcmp(app, "video") == 0;
	seen->voice += strcmp(app, "voice") == 0;
	seen->gaming += strcmp(app, "gaming") == 0;
	seen->transfers += strcmp(app, "transfers") == 0;
	if (*app == '\0')
		classes[group->ecn == ENDPOINT_ECN_ECT1 || group->ecn == ENDPOINT_ECN_ACCECN]++;
	assert_true(group->rtt_ms >= 2 && group->rtt_ms <= 200);
}

static void see(struct seen *seen, const struct scenario *scenario)
{
	const struct impairments nothing = {0};
	const uint64_t flows = scenario_flows(scenario);
	unsigned classes[2] = {0, 0};

	assert_true(scenario->rate_mbps >= 4 && scenario->rate_mbps <= 1000);
	assert_true(scenario->delay_ms >= 1 && scenario->delay_ms <= 100);
	for (uint64_t i = 0; i < scenario->step_count; i++)
		assert_true(scenario->steps[i].rate_mbps >= 4 &&
			    scenario->steps[i].rate_mbps <= 1000 &&
			    scenario->steps[i].at_s < scenario->duration_s);
	for (uint64_t g = 0; g < scenario->group_count; g++)
		see_group(seen, &scenario->groups[g], classes);
	seen->both += classes[0] && classes[1];
	seen->stepped += scenario->step_count > 0;
	seen->generated[scenario->rate_kind]++;
	seen->aggregates += scenario->aggregation.packets > 0;
	seen->handovers += scenario->handover.every_s > 0;
	seen->impaired += memcmp(&scenario->impairments, &nothing, sizeof(nothing)) != 0;
	seen->ack_paths += scenario->ack_path.given;
	seen->l4s_freebsd += strcmp(scenario->aqm, "l4s-freebsd") == 0;
	seen->least_flows = flows < seen->least_flows ? flows : seen->least_flows;
	seen->most_flows = flows > seen->most_flows ? flows : seen->most_flows;
}

static void check_seen(const struct seen *seen)
{
	assert_in_range(seen->stepped, 400, 600);
	assert_in_range(seen->generated[RATE_LTE], 180, 300);
	assert_in_range(seen->generated[RATE_WIFI], 110, 210);
	assert_in_range(seen->generated[RATE_SATELLITE], 80, 160);
	assert_in_range(seen->aggregates, 110, 210);
	assert_in_range(seen->handovers, 80, 160);
	assert_in_range(seen->impaired, 500, 700);
	assert_in_range(seen->ack_paths, 400, 600);
	assert_in_range(seen->both, 900, 1300);
	assert_true(seen->bbr > 300 && seen->udp > 100 && seen->coming > 500);
	assert_true(seen->web > 400 && seen->video > 300 && seen->transfers > 300);
	assert_true(seen->voice > 300 && seen->gaming > 300 && seen->l4s_freebsd > 20);
	assert_int_equal(seen->least_flows, 1);
	assert_in_range(seen->most_flows, 95, 100);
}

/* Valid scenarios, laws that take their parameters, within the ranges, and every kind occurs. */
static void samples_are_valid_and_varied(void **state)
{
	static const char *const names[] = {"train", "heldout"};
	static struct scenario scenario;

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		struct seen seen = {.least_flows = 1000};

		for (uint64_t i = 0; i < 2000; i++) {
			const struct aqm_ops *law;
			struct error error = {0};
			void *params;

			suite_sample(suite_find(names[s]), 5, i, &scenario);
			if (scenario_check(&scenario, &error) ||
			    sim_law(&scenario, &law, &params, &error))
				fail_msg("%s: %s: %s", scenario.name, error.field, error.text);
			free(params);
			see(&seen, &scenario);
			scenario_free(&scenario);
		}
		check_seen(&seen);
	}
}

/* `small` has every kind of link in its 24 networks, none fast, whatever the seed. */
static void small_is_small_and_has_every_kind(void **state)
{
	const struct suite *small = suite_find("small");
	static struct scenario scenario;

	(void)state;
	assert_int_equal(small->networks, 24);
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct seen seen = {0};

		for (uint64_t i = 0; i < small->networks; i++) {
			suite_sample(small, seed, i, &scenario);
			assert_true(scenario.rate_mbps <= 100);
			see(&seen, &scenario);
			scenario_free(&scenario);
		}
		assert_true(seen.stepped >= 3 && seen.aggregates >= 3 && seen.handovers >= 3);
		assert_true(seen.generated[RATE_LTE] >= 3 && seen.generated[RATE_WIFI] >= 3 &&
			    seen.generated[RATE_SATELLITE] >= 3);
	}
}

/* Every network of a sample goes into a file and comes back the same. */
static void files_read_back_to_the_same(void **state)
{
	static struct scenario scenario, back;
	static char text[2][40000];

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		struct error error = {0};

		suite_sample(suite_find("train"), 9, i, &scenario);
		write_to(text[0], sizeof(text[0]), &scenario);
		if (scenario_parse(&back, text[0], strlen(text[0]), "back", &error))
			fail_msg("%s:%ld: %s: %s", scenario.name, error.line, error.field,
				 error.text);
		write_to(text[1], sizeof(text[1]), &back);
		assert_string_equal(text[0], text[1]);
		scenario_free(&back);
		scenario_free(&scenario);
	}
}

/* Packets that the link's nominal rate has room for. */
static double capacity_packets(const struct scenario *scenario)
{
	return scenario->rate_mbps * 1e6 * scenario->duration_s / (8 * 1500);
}

/*
 * 200 held-out networks run, packets accounted for; of each only so long as some thousand packets
 * take.  A network may be all but idle or, where its rate moves, above the nominal one; together
 * they fill most of what they have.
 */
static void samples_run(void **state)
{
	static struct scenario scenario;
	double sum = 0;

	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		const struct sim_options options = {.seed = i};
		struct sim_result *result = calloc(1, sizeof(*result));
		struct error error = {0};
		double share;

		suite_sample(suite_find("heldout"), 11, i, &scenario);
		scenario.duration_s = fmin(3, fmax(0.6, 100 / scenario.rate_mbps));
		scenario.warmup_s = scenario.duration_s / 4;
		if (sim_run(&scenario, &options, result, &error))
			fail_msg("%s: %s: %s", scenario.name, error.field, error.text);
		share = (double)result->data_packets / capacity_packets(&scenario);
		assert_true(share > 0.001 && share < 1.5);
		sum += share;
		sim_result_free(result);
		free(result);
		scenario_free(&scenario);
	}
	assert_true(sum / 200 > 0.6);
}

static void descriptions_name_what_is_drawn(void **state)
{
	char *text = suite_describe(suite_find("heldout"));

	(void)state;
	assert_non_null(text);
	assert_non_null(strstr(text, "4 to 1000"));
	assert_non_null(strstr(text, "udp_prague"));
	assert_non_null(strstr(text, "8 Mbit/s, 10 ms (the paper's testbed)"));
	free(text);
	assert_null(suite_find("nonsense"));
}

/* Every network stands in each line of the table that divides them up. */
static void the_table_counts_every_network(void **state)
{
	static const char *const lines[] = {"  rate, Mbit/s", "  bottleneck round trip", "  flows ",
					    "  link ", "  long-lived flows", "  impairments",
					    "  way back", "  own law"};
	char *text = suite_cover(suite_find("heldout"), 3, 500);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *at = strstr(text, lines[i]), *end;
		unsigned long sum = 0;

		assert_non_null(at);
		end = strchr(at, '\n');
		while ((at = strstr(at, ": ")) != NULL && at < end)
			sum += strtoul(at += 2, NULL, 10);
		assert_int_equal(sum, 500);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(train_and_heldout_share_no_cell),
		cmocka_unit_test(published_networks_are_held_out),
		cmocka_unit_test(a_network_astride_belongs_to_neither),
		cmocka_unit_test(samples_are_functions_of_suite_seed_and_index),
		cmocka_unit_test(samples_are_valid_and_varied),
		cmocka_unit_test(small_is_small_and_has_every_kind),
		cmocka_unit_test(files_read_back_to_the_same),
		cmocka_unit_test(samples_run),
		cmocka_unit_test(the_table_counts_every_network),
		cmocka_unit_test(descriptions_name_what_is_drawn),
	};

	return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
