/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run loop: take the earliest deadline, set the clock, run the node.
 *
 * Ends of warm-up and of time-series bins are deadlines of the loop itself,
 * handled before any node that is due at the same time.
 */
#include "sim/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "sim/world.h"

#define PROGRESS_CALLS 100
#define MAX_BINS 10000000

/* What the loop itself waits for. */
struct marks {
	uint64_t bin, bin_ns;
	uint64_t progress_ns, progress_step_ns;
	bool warm;
};

static uint64_t next_mark_ns(const struct world *world, const struct marks *marks)
{
	uint64_t next = world->end_ns;

	if (!marks->warm && world->warmup_ns < next)
		next = world->warmup_ns;
	if (marks->bin < world->bins && (marks->bin + 1) * marks->bin_ns < next)
		next = (marks->bin + 1) * marks->bin_ns;
	return marks->progress_ns < next ? marks->progress_ns : next;
}

/* Everything of the loop's own that is due; false: stop. */
static bool pass_marks(struct world *world, struct marks *marks, uint64_t now_ns)
{
	const struct sim_options *options = world->options;

	if (!marks->warm && now_ns >= world->warmup_ns) {
		world_end_warmup(world);
		marks->warm = true;
	}
	while (marks->bin < world->bins && (marks->bin + 1) * marks->bin_ns <= now_ns)
		world_end_bin(world, marks->bin++);
	if (world->stopped)
		world->end_ns = now_ns;
	if (now_ns >= marks->progress_ns) {
		marks->progress_ns += marks->progress_step_ns;
		if (options->progress &&
		    options->progress(options->context, (double)now_ns / (double)world->end_ns))
			return false;
	}
	return true;
}

/* An early end is the run's duration, unless there is nothing to tell yet. */
static int end_of_run(struct world *world, const struct marks *marks, struct error *error)
{
	if (!world->stopped)
		return 0;
	if (!marks->warm || world->clock.now_ns <= world->warmup_ns)
		return error_set(error, ERR_INTERRUPTED,
				 "ended before the warm-up of %g s was over: nothing to report",
				 world->result->warmup_s);
	world->result->duration_s = seconds_from_ns(world->clock.now_ns);
	return 0;
}

static int loop(struct world *world, struct error *error)
{
	struct clock *clock = &world->clock;
	struct marks marks = {
		.bin_ns = ns_from_seconds(world->result->bin_s),
		.progress_step_ns = world->end_ns / PROGRESS_CALLS + 1,
	};

	marks.progress_ns = marks.progress_step_ns;
	while (!clock->failed) {
		const uint64_t mark_ns = next_mark_ns(world, &marks);

		while (!clock->failed && clock_run_next(clock, mark_ns))
			;
		clock->now_ns = mark_ns;
		if (!pass_marks(world, &marks, mark_ns))
			return error_set(error, ERR_INTERRUPTED, "interrupted");
		if (mark_ns >= world->end_ns)
			return end_of_run(world, &marks, error);
	}
	return error_set(error, ERR_NO_MEMORY, "out of memory during the run");
}

/* Room for the bins of the run. */
static int keep_bins(struct sim_result *result, uint64_t flows, double bins, struct error *error)
{
	if (bins * (double)(flows + 1) > MAX_BINS)
		return error_set(error, ERR_RANGE,
				 "%.0f bins of %llu flows are too many; use wider bins", bins,
				 (unsigned long long)flows);
	result->bin_count = (uint64_t)bins;
	result->bins = calloc(result->bin_count + 1, sizeof(*result->bins));
	result->flow_goodput_mbps =
		calloc(result->bin_count * flows + 1, sizeof(*result->flow_goodput_mbps));
	result->flow_rtt_ms = calloc(result->bin_count * flows + 1, sizeof(*result->flow_rtt_ms));
	if (!result->bins || !result->flow_goodput_mbps || !result->flow_rtt_ms)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the time series");
	return 0;
}

static int prepare_bins(struct world *world, const struct scenario *scenario,
			const struct sim_options *options, struct sim_result *result,
			struct error *error)
{
	const uint64_t flows = scenario_flows(scenario);
	double bins;

	if (options->bin_s <= 0)
		return 0;
	bins = floor(scenario->duration_s / options->bin_s + 1e-9);
	result->bin_s = options->bin_s;
	world->bins = (uint64_t)bins;
	world->flow_bins = calloc(flows + 1, sizeof(*world->flow_bins));
	if (world->flow_bins == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the time series");
	return options->bin ? 0 : keep_bins(result, flows, bins, error);
}

int sim_run(const struct scenario *scenario, const struct sim_options *options,
	    struct sim_result *result, struct error *error)
{
	struct world world = {0};
	double start_s;
	int code = scenario_check(scenario, error);

	memset(result, 0, sizeof(*result));
	if (code)
		return code;
	memcpy(result->scenario, scenario->name, sizeof(result->scenario));
	snprintf(result->aqm, sizeof(result->aqm), "%s",
		 options->law ? options->law->name : scenario->aqm);
	result->seed = options->seed;
	result->duration_s = scenario->duration_s;
	result->warmup_s = scenario->warmup_s;
	code = prepare_bins(&world, scenario, options, result, error);
	if (code == 0)
		code = world_build(&world, scenario, options, result, error);
	start_s = clock_s();
	if (code == 0)
		code = loop(&world, error);
	result->wall_s = clock_s() - start_s;
	if (code == 0)
		code = world_finish(&world, error);
	world_free(&world);
	if (code)
		sim_result_free(result);
	return code;
}

void sim_result_free(struct sim_result *result)
{
	for (uint64_t i = 0; result->flows && i < result->flow_count; i++) {
		struct sim_flow_result *flow = &result->flows[i];

		sketch_free(&flow->rtt_ns);
		if (flow->app) {
			sketch_free(&flow->app->datagrams.delay_ns);
			sketch_free(&flow->app->tasks.time_ns);
		}
		free(flow->app);
	}
	free(result->flows);
	free(result->hops);
	free(result->ack_path);
	free(result->bins);
	free(result->flow_goodput_mbps);
	free(result->flow_rtt_ms);
	memset(result, 0, sizeof(*result));
}
