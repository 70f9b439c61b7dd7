/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets add up, wherever a run ends and whatever holds them then; and it shows when they do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world.h"

/*
 * Every node that can hold a packet: queue, link or aggregate, delays, jitter, stalls, detours,
 * hops.
 */
static const char everything[] =
	"bottleneck: {%s, delay_ms: 20, delay_steps: [{at_s: 0.4, delay_ms: 5}], aqm: %s}\n"
	"hops: [{name: next, rate_mbps: 9, delay_ms: 3, aqm: fq_codel, limit_packets: 50}]\n"
	"impairments: {loss_percent: 1, loss_burst: {enter_percent: 0.5, leave_percent: 30}, "
	"jitter_ms: 4, jitter_order: free, reorder_percent: 10, reorder_ms: 7}\n"
	"ack_path: {rate_mbps: 0.2, limit_packets: 20, loss_percent: 2, keep_every: 3}\n"
	"flows:\n"
	"  - {cc: cubic, count: 3, rtt_ms: 60, return_impairments: {jitter_ms: 2, stall: "
	"{every_ms: 20, for_ms: 60}}}\n"
	"  - {cc: prague, rtt_ms: 70, impairments: {reorder_percent: 5, reorder_ms: 9}}\n"
	"  - {cc: udp, rate_mbps: 3, path: [next]}\n"
	"  - {cc: cubic, app: {name: transfers, per_s: 20, size_kb: 30}}\n";

static struct scenario *parse(const char *link, const char *aqm)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	char text[2048];

	snprintf(text, sizeof(text), everything, link, aqm);
	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error))
		fail_msg("%s: %s", error.field, error.text);
	return scenario;
}

/* sim_run() refuses a run whose packets do not add up. */
static void packets_add_up_wherever_a_run_ends(void **state)
{
	static const char *const links[] = {
		"rate_mbps: 8", "rate_mbps: 8, aggregation: {packets: 6, gap_ms: 2}",
		"rate_generated: {kind: lte, mean_mbps: 8}",
		"rate_mbps: 8, handover: {every_s: 0.5, outage_ms: 100, rate_spread_percent: 50}"};
	static const char *const laws[] = {"dualpi2", "fq_codel", "cake", "pie", "fifo"};

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct scenario *scenario = parse(links[i / 5], laws[i % 5]);
		struct sim_result result;
		struct error error = {0};

		scenario->warmup_s = 0.1;
		scenario->duration_s = 0.7 + 0.1003 * i;
		if (sim_run(scenario, &(struct sim_options){.seed = (uint64_t)i}, &result, &error))
			fail_msg("%s: %s", laws[i % 5], error.text);
		assert_true(result.network.lost > 0);
		sim_result_free(&result);
		scenario_free(scenario);
		free(scenario);
	}
}

/* A packet that nobody holds, and one that was never sent, are noticed. */
static void what_is_missing_shows(void **state)
{
	struct scenario *scenario = parse("rate_mbps: 8", "dualpi2");
	const struct sim_options options = {.seed = 1};
	struct world *world = calloc(1, sizeof(*world));
	struct sim_result result = {0};
	struct error error = {0};

	(void)state;
	assert_int_equal(world_build(world, scenario, &options, &result, &error), 0);
	assert_int_equal(world_check_accounting(world, &error), 0);
	for (int i = 0; i < 2000; i++)
		assert_true(clock_run_next(&world->clock, UINT64_MAX));
	assert_true(world->emitted > 50);
	assert_int_equal(world_check_accounting(world, &error), 0);
	assert_non_null(packet_new(&world->pool));
	assert_int_equal(world_check_accounting(world, &error), ERR_FAILED);
	assert_non_null(strstr(error.text, "do not add up"));
	world->emitted++;
	assert_int_equal(world_check_accounting(world, &error), ERR_FAILED);
	world_free(world);
	sim_result_free(&result);
	scenario_free(scenario);
	free(scenario);
	free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_add_up_wherever_a_run_ends),
		cmocka_unit_test(what_is_missing_shows),
	};

	return cmocka_run_group_tests_name("accounting", tests, NULL, NULL);
}
