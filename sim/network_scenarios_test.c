/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The example scenarios of networks, from their files and shortened: each shows what it is there
 * to show, under every seed of three.  Runs from the source directory.
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

#define SEEDS 3

/* Runs scenarios/NAME.yaml for `duration_s`; `change` may change it before. */
static void run(const char *name, double duration_s, void (*change)(struct scenario *scenario),
		uint64_t seed, struct sim_result *result)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	char path[128];

	snprintf(path, sizeof(path), "scenarios/%s.yaml", name);
	if (scenario_read(scenario, path, &error))
		fail_msg("%s: %s", path, error.text);
	assert_string_equal(scenario->name, name);
	scenario->duration_s = duration_s;
	if (change)
		change(scenario);
	if (sim_run(scenario, &(struct sim_options){.seed = seed}, result, &error))
		fail_msg("%s: %s", path, error.text);
	scenario_free(scenario);
	free(scenario);
}

static double mean_ms(const struct sim_queue_result *queue)
{
	return histogram_mean(&queue->qdelay_ns) / 1e6;
}

static double p99_ms(const struct sim_queue_result *queue)
{
	return histogram_quantile(&queue->qdelay_ns, 0.99) / 1e6;
}

/* A law that aims at 15 ms sees far more when the rate falls away under it. */
static void lte_swings(uint64_t seed)
{
	struct sim_result result;

	run("lte", 30, NULL, seed, &result);
	assert_true(result.utilisation > 0.55 && result.utilisation <= 1.001);
	assert_true(p99_ms(&result.queues[SIM_ALL]) > 30 &&
		    p99_ms(&result.queues[SIM_ALL]) < 1500);
	assert_true(p99_ms(&result.queues[AQM_QUEUE_L]) < p99_ms(&result.queues[AQM_QUEUE_C]));
	sim_result_free(&result);
}

/* 3 ms of aggregate for each millisecond of waiting, more or less. */
static void wifi_takes_turns(uint64_t seed)
{
	struct sim_result result;

	run("wifi", 20, NULL, seed, &result);
	assert_true(result.utilisation > 0.7 && result.utilisation < 0.9);
	assert_true(result.ack_path->thinned > 5000);
	assert_true(mean_ms(&result.queues[SIM_ALL]) < 30);
	sim_result_free(&result);
}

static void no_handover(struct scenario *scenario)
{
	scenario->handover = (struct handover_plan){0};
}

static void satellites_change(uint64_t seed)
{
	struct sim_result with, without;

	run("satellite", 50, NULL, seed, &with);
	run("satellite", 50, no_handover, seed, &without);
	assert_true(with.utilisation > 0.8 && with.utilisation <= 1.001);
	assert_true((double)with.queues[SIM_ALL].qdelay_ns.max > 55e6);
	assert_true(p99_ms(&with.queues[SIM_ALL]) > p99_ms(&without.queues[SIM_ALL]));
	assert_true(with.network.lost > 10);
	sim_result_free(&with);
	sim_result_free(&without);
}

static void the_parking_lot_is_unfair(uint64_t seed)
{
	struct sim_result result;

	run("parking_lot", 30, NULL, seed, &result);
	assert_true(result.utilisation > 0.97);
	for (uint64_t i = 0; i < result.hop_count; i++)
		assert_true(result.hops[i].utilisation > 0.95);
	for (uint64_t i = 1; i < result.flow_count; i++)
		assert_true(result.flows[0].goodput_mbps < 0.7 * result.flows[i].goodput_mbps);
	assert_true(result.flows[0].goodput_mbps > 1);
	sim_result_free(&result);
}

/* What reacts to losses suffers from those that mean nothing; BBR does not. */
static void losses_hurt_those_who_believe_them(uint64_t seed)
{
	struct sim_result result;

	run("lossy", 30, NULL, seed, &result);
	assert_in_range(result.network.lost, 40, 400);
	assert_true(result.flows[2].goodput_mbps > 1.5 * result.flows[0].goodput_mbps);
	assert_true(result.flows[3].goodput_mbps < result.flows[0].goodput_mbps);
	assert_true(result.utilisation > 0.9);
	sim_result_free(&result);
}

static void no_thinning(struct scenario *scenario)
{
	scenario->ack_path.keep_every = 1;
}

static void thinning_saves_the_way_back(uint64_t seed)
{
	struct sim_result with, without;

	run("asymmetric", 15, NULL, seed, &with);
	run("asymmetric", 15, no_thinning, seed, &without);
	assert_true(with.utilisation > 0.95);
	assert_true(mean_ms(&with.ack_path->link.queues[SIM_ALL]) < 10);
	assert_true(mean_ms(&without.ack_path->link.queues[SIM_ALL]) > 50);
	sim_result_free(&with);
	sim_result_free(&without);
}

/* Detours of 5 ms in a round trip of 40 are within what RACK waits for: next to nothing is sent
 * twice. */
static void reordering_is_no_loss(uint64_t seed)
{
	struct sim_result result;

	run("reordering", 30, NULL, seed, &result);
	assert_in_range(result.network.reordered, 500, 1300);
	for (uint64_t i = 0; i < result.flow_count; i++)
		assert_true(result.flows[i].retransmits < 100);
	assert_true(result.utilisation > 0.93);
	sim_result_free(&result);
}

static void under_every_seed(void (*check)(uint64_t seed))
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check(seed);
}

static void lte(void **state)
{
	(void)state;
	under_every_seed(lte_swings);
}

static void wifi(void **state)
{
	(void)state;
	under_every_seed(wifi_takes_turns);
}

static void satellite(void **state)
{
	(void)state;
	under_every_seed(satellites_change);
}

static void parking_lot(void **state)
{
	(void)state;
	under_every_seed(the_parking_lot_is_unfair);
}

static void lossy(void **state)
{
	(void)state;
	under_every_seed(losses_hurt_those_who_believe_them);
}

static void asymmetric(void **state)
{
	(void)state;
	under_every_seed(thinning_saves_the_way_back);
}

static void reordering(void **state)
{
	(void)state;
	under_every_seed(reordering_is_no_loss);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lte),        cmocka_unit_test(wifi),
		cmocka_unit_test(satellite),  cmocka_unit_test(parking_lot),
		cmocka_unit_test(lossy),      cmocka_unit_test(asymmetric),
		cmocka_unit_test(reordering),
	};

	return cmocka_run_group_tests_name("network scenarios", tests, NULL, NULL);
}
