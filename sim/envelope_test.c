/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scenarios of the paper, from their files, inside the envelopes that they
 * are held to.
 *
 * `paper` and `paper_prague` are shortened to 30 s.  `paper_as_run` runs in full
 * on ten seeds, as the testbed did, for single runs differ a lot there (as they
 * do in the testbed); its bounds are the real runs' means and the factors of bench/paper_as_run.sh,
 * which prints the same figures in full.  Runs from the source directory.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

#define SEEDS 10

/* What the router's log would say, counted without writing it. */
struct lines {
	uint64_t all, in_l, by_action[4];
};

static void count_line(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct lines *lines = context;

	(void)now_ns;
	lines->all++;
	lines->in_l += record->queue_type == 1;
	if (record->dequeue_action >= 0 && record->dequeue_action < 4)
		lines->by_action[record->dequeue_action]++;
}

static struct scenario *load(const char *path)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	if (scenario_read(scenario, path, &error))
		fail_msg("%s: %s", path, error.text);
	return scenario;
}

static void run(const struct scenario *scenario, uint64_t seed, struct lines *lines,
		struct sim_result *result)
{
	const struct sim_options options = {
		.seed = seed, .context = lines, .record = lines ? count_line : NULL};
	struct error error = {0};

	if (sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
}

/* The bounds of the paper's mix, whatever its fifth flow is. */
static void hold_paper(const char *path, const char *cc, double least_mbps)
{
	struct scenario *scenario = load(path);

	scenario->duration_s = 30;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct sim_result result;
		const struct sim_queue_result *l = &result.queues[AQM_QUEUE_L];
		const struct sim_queue_result *c = &result.queues[AQM_QUEUE_C];

		run(scenario, seed, NULL, &result);
		assert_true(result.utilisation >= 0.98 && result.utilisation <= 1.0001);
		assert_true(histogram_mean(&c->qdelay_ns) >= 12e6);
		assert_true(histogram_mean(&c->qdelay_ns) <= 18e6);
		assert_true(histogram_mean(&l->qdelay_ns) <= 2.5e6);
		assert_true(histogram_quantile(&l->qdelay_ns, 0.99) <= 7e6);
		assert_string_equal(result.flows[4].cc, cc);
		assert_true(result.flows[4].goodput_mbps >= least_mbps);
		sim_result_free(&result);
	}
	scenario_free(scenario);
	free(scenario);
}

static void paper(void **state)
{
	(void)state;
	hold_paper("scenarios/paper.yaml", "dctcp", 0.5);
}

/* An even share is 1.57 Mbit/s; Prague's L4S marks must not starve it. */
static void paper_prague(void **state)
{
	(void)state;
	hold_paper("scenarios/paper_prague.yaml", "udp_prague", 1.2);
}

struct as_run {
	double rate_mbps[3], rtt_ms[3];
	struct lines lines;
};

static struct as_run run_as_run(void)
{
	struct scenario *scenario = load("scenarios/paper_as_run.yaml");
	struct as_run mean = {0};

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_result result;

		run(scenario, seed, &mean.lines, &result);
		assert_int_equal(result.flow_count, 3);
		for (int i = 0; i < 3; i++) {
			mean.rate_mbps[i] += result.flows[i].goodput_mbps / SEEDS;
			mean.rtt_ms[i] += sketch_mean(&result.flows[i].rtt_ns) / 1e6 / SEEDS;
		}
		sim_result_free(&result);
	}
	scenario_free(scenario);
	free(scenario);
	return mean;
}

static double share(uint64_t part, uint64_t whole)
{
	return (double)part / (double)whole;
}

/* "The same order of magnitude": within a factor of ten either way. */
static bool same_order(double value, double real)
{
	return fabs(log10(value / real)) < 1;
}

static void paper_as_run(void **state)
{
	static const double real_mbps[] = {1.46, 0.52, 1.22}; /* cubic, newreno, dctcp */
	const struct as_run mean = run_as_run();
	const struct lines *lines = &mean.lines;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(fabs(mean.rate_mbps[i] - real_mbps[i]) <= 0.4 * real_mbps[i]);
		assert_true(mean.rtt_ms[i] >= 1000 / 1.5 && mean.rtt_ms[i] <= 1000 * 1.5);
	}
	/* Real logs of ten runs: 540,000 to 745,000 lines. */
	assert_in_range(lines->all, 450000, 894000);
	assert_true(share(lines->in_l, lines->all) > 0.0875);
	assert_true(share(lines->in_l, lines->all) < 0.35);
	assert_true(share(lines->by_action[1], lines->all) > 0.98);
	assert_true(same_order(share(lines->by_action[2], lines->all), 0.0073));
	assert_true(same_order(share(lines->by_action[3], lines->all), 0.0007));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paper),
		cmocka_unit_test(paper_prague),
		cmocka_unit_test(paper_as_run),
	};

	return cmocka_run_group_tests_name("envelopes", tests, NULL, NULL);
}
