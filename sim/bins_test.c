/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time series: what is told bin by bin is what would have been kept, adds up to the run's totals,
 * and a run ends where its listener has heard enough.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

static const char text[] =
	"name: bins\nduration_s: 12\nwarmup_s: 0\nbottleneck:\n  rate_mbps: 8\n  delay_ms: 10\n"
	"  aqm: dualpi2\n  params: [\"min_qlen_step=1\"]\n"
	"flows:\n  - {cc: cubic}\n  - {cc: prague}\n  - {cc: udp, rate_mbps: 0.5}\n";

#define FLOWS 3

/* Sums over the bins told, and a comparison with those kept. */
struct listener {
	const struct sim_result *kept;
	uint64_t bins, marks[SIM_QUEUES], drops[SIM_QUEUES];
	double megabits[FLOWS], cwnd_bytes, utilisation, enough_s;
	bool differs;
};

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void compare(struct listener *listener, const struct sim_moment *moment)
{
	const struct sim_result *kept = listener->kept;
	const struct sim_bin *bin = &kept->bins[listener->bins];

	listener->differs |= bin->p_base != moment->bin->p_base ||
			     bin->utilisation != moment->bin->utilisation;
	for (int q = 0; q < SIM_QUEUES; q++)
		listener->differs |= !same(bin->qdelay_ms[q], moment->bin->qdelay_ms[q]) ||
				     bin->backlog_bytes[q] != moment->bin->backlog_bytes[q];
	for (int f = 0; f < FLOWS; f++) {
		const uint64_t at = listener->bins * FLOWS + (uint64_t)f;

		listener->differs |=
			kept->flow_goodput_mbps[at] != moment->flows[f].goodput_mbps ||
			kept->flow_rtt_ms[at] != moment->flows[f].rtt_ms;
	}
}

static bool listen(void *context, const struct sim_moment *moment)
{
	struct listener *listener = context;

	if (listener->kept)
		compare(listener, moment);
	listener->bins++;
	for (int q = 0; q < SIM_QUEUES; q++) {
		listener->marks[q] += moment->bin->marks[q];
		listener->drops[q] += moment->bin->drops[q];
	}
	for (int f = 0; f < FLOWS; f++)
		listener->megabits[f] += moment->flows[f].goodput_mbps * 0.25;
	listener->cwnd_bytes = moment->flows[0].cwnd_bytes;
	listener->utilisation += moment->bin->utilisation;
	assert_int_equal(moment->flow_count, FLOWS);
	assert_true(fabs(moment->t_s - 0.25 * (double)listener->bins) < 1e-9);
	return listener->enough_s > 0 && moment->t_s >= listener->enough_s;
}

static int run(double warmup_s, struct listener *listener, struct sim_result *result)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	const struct sim_options options = {
		.seed = 3,
		.bin_s = 0.25,
		.context = listener,
		.bin = listener ? listen : NULL,
	};
	struct error error = {0};
	int code;

	assert_non_null(scenario);
	assert_int_equal(scenario_parse(scenario, text, strlen(text), "bins", &error), 0);
	scenario->warmup_s = warmup_s;
	code = sim_run(scenario, &options, result, &error);
	scenario_free(scenario);
	free(scenario);
	return code;
}

static void told_is_what_would_be_kept(void **state)
{
	struct sim_result *kept = calloc(2, sizeof(*kept)), *told = kept + 1;
	struct listener listener = {.kept = kept};

	(void)state;
	assert_int_equal(run(0, NULL, kept), 0);
	assert_int_equal(kept->bin_count, 48);
	assert_int_equal(run(0, &listener, told), 0);
	assert_int_equal(listener.bins, 48);
	assert_false(listener.differs);
	assert_null(told->bins);
	assert_int_equal(told->data_packets, kept->data_packets);
	assert_true(listener.cwnd_bytes >= 1448);
	for (int q = 0; q < SIM_QUEUES; q++) {
		assert_int_equal(listener.marks[q], told->queues[q].marks);
		assert_int_equal(listener.drops[q], told->queues[q].drops);
	}
	assert_true(listener.marks[AQM_QUEUE_L] > 100);
	assert_true(fabs(listener.utilisation / 48 - told->utilisation) < 1e-6);
	for (int f = 0; f < FLOWS; f++)
		assert_true(fabs(listener.megabits[f] / 12 - told->flows[f].goodput_mbps) < 1e-6);
	sim_result_free(kept);
	sim_result_free(told);
	free(kept);
}

static void a_run_ends_where_its_listener_says(void **state)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	struct listener listener = {.enough_s = 6};

	(void)state;
	assert_int_equal(run(2, &listener, result), 0);
	assert_int_equal(listener.bins, 24);
	assert_true(result->duration_s == 6);
	assert_true(result->utilisation > 0.9 && result->utilisation < 1.01);
	assert_true(result->flows[2].goodput_mbps > 0.45 && result->flows[2].goodput_mbps < 0.5);
	sim_result_free(result);
	listener = (struct listener){.enough_s = 6};
	assert_int_equal(run(7, &listener, result), ERR_INTERRUPTED);
	free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_is_what_would_be_kept),
		cmocka_unit_test(a_run_ends_where_its_listener_says),
	};

	return cmocka_run_group_tests_name("bins", tests, NULL, NULL);
}
