/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The example scenarios of applications, from their files and shortened: what a
 * short queue is worth to calls, games, readers and viewers.  Runs from the
 * source directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/host.h"
#include "sim/run.h"

/* A pair of runs of one file: through dualpi2 and through a fifo. */
struct pair {
	struct sim_result dual, fifo;
};

static void run(const struct scenario *scenario, const char *name, struct sim_result *result)
{
	struct sim_options options = {.seed = 1};
	struct error error = {0};
	void *params;

	assert_int_equal(sim_law_named(scenario, name, &options.law, &params, NULL), 0);
	options.params = params;
	if (sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	free(params);
}

static void run_pair(const char *path, double duration_s, struct pair *pair)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	if (scenario_read(scenario, path, &error))
		fail_msg("%s: %s", path, error.text);
	scenario->duration_s = duration_s;
	run(scenario, "dualpi2", &pair->dual);
	run(scenario, "fifo", &pair->fifo);
	scenario_free(scenario);
	free(scenario);
}

static void drop(struct pair *pair)
{
	sim_result_free(&pair->dual);
	sim_result_free(&pair->fifo);
}

static double delay_ms(const struct sim_flow_result *flow, double q)
{
	return sketch_quantile(&flow->app->datagrams.delay_ns, q) / 1e6;
}

/* Ten milliseconds are the path's; the fifo holds 600 ms. */
static void calls_and_games(void **state)
{
	struct pair pair;

	(void)state;
	run_pair("scenarios/voice_and_gaming.yaml", 30, &pair);
	for (uint64_t i = 3; i < pair.dual.flow_count; i++) {
		const struct sim_flow_result *flow = &pair.dual.flows[i];
		const bool in_l = flow->ecn == ENDPOINT_ECN_ECT1;

		assert_true(flow->app->datagrams.received > 100);
		assert_true(delay_ms(flow, 0.5) < (in_l ? 11 : 30));
		assert_true(delay_ms(flow, 0.99) < (in_l ? 13 : 70));
		assert_true(delay_ms(&pair.fifo.flows[i], 0.5) > 300);
	}
	drop(&pair);
}

static void readers(void **state)
{
	struct pair pair;

	(void)state;
	run_pair("scenarios/web.yaml", 60, &pair);
	for (uint64_t i = 1; i < pair.dual.flow_count; i++) {
		const struct sim_tasks *dual = &pair.dual.flows[i].app->tasks;
		const struct sim_tasks *fifo = &pair.fifo.flows[i].app->tasks;

		assert_true(dual->done >= 1 && dual->begun - dual->done <= 1);
		assert_true(sketch_mean(&dual->time_ns) < 4e9);
		assert_true(fifo->done == 0 ||
			    sketch_mean(&fifo->time_ns) > 1.5 * sketch_mean(&dual->time_ns));
	}
	drop(&pair);
}

static void viewers(void **state)
{
	struct pair pair;
	double stall_s = 0;

	(void)state;
	run_pair("scenarios/video.yaml", 120, &pair);
	for (uint64_t i = 0; i < 3; i++) {
		const struct sim_video *video = &pair.dual.flows[i].app->video;

		assert_int_equal(video->stalls, 0);
		assert_true(video->played_s > 99.9 && video->bitrate_mbps > 0.7);
		stall_s += pair.fifo.flows[i].app->video.stall_s;
	}
	assert_true(stall_s > 5);
	drop(&pair);
}

static void a_household(void **state)
{
	struct pair pair;
	const struct sim_flow_result *flows;

	(void)state;
	run_pair("scenarios/mixed_home.yaml", 90, &pair);
	flows = pair.dual.flows;
	assert_string_equal(flows[4].app_name, "video");
	assert_int_equal(flows[4].app->video.stalls + flows[5].app->video.stalls, 0);
	assert_string_equal(flows[8].app_name, "voice");
	assert_true(delay_ms(&flows[8], 0.5) < 30 && delay_ms(&pair.fifo.flows[8], 0.5) > 100);
	assert_string_equal(flows[10].app_name, "gaming");
	assert_true(delay_ms(&flows[10], 0.99) < 12);
	for (int i = 6; i < 8; i++)
		assert_true(flows[i].app->tasks.begun - flows[i].app->tasks.done <= 1);
	drop(&pair);
}

/* What is kept of a flow's statistics, whatever it does and however long. */
static void flows_take_little_memory(void **state)
{
	struct pair pair;

	(void)state;
	run_pair("scenarios/mixed_home.yaml", 90, &pair);
	for (uint64_t i = 0; i < pair.fifo.flow_count; i++) {
		const struct sim_flow_result *flow = &pair.fifo.flows[i];
		uint64_t bytes = sizeof(struct host) + sizeof(*flow) + sketch_bytes(&flow->rtt_ns);

		if (flow->app)
			bytes += sizeof(*flow->app) + sketch_bytes(&flow->app->tasks.time_ns) +
				 sketch_bytes(&flow->app->datagrams.delay_ns);
		assert_in_range(bytes, 500, 4096);
	}
	drop(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_and_games),
		cmocka_unit_test(readers),
		cmocka_unit_test(viewers),
		cmocka_unit_test(a_household),
		cmocka_unit_test(flows_take_little_memory),
	};

	return cmocka_run_group_tests_name("app_scenarios", tests, NULL, NULL);
}
